import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import { appraiseIma, type ImaPolicy } from '../../../shared/ima/policy.ts'
import { verifyImaSuffix } from '../../../shared/ima/replay.ts'
import type { ReplayedImaEntry } from '../../../shared/ima/types.ts'
import {
  binaryList,
  bootAggregate,
  fileDigest,
  fileSigner,
  goodList,
  pcr10Of,
  signatureXattr,
  type ImaSpec,
} from '../../support/ima-builder.ts'

function replayed(specs: readonly ImaSpec[]): readonly ReplayedImaEntry[] {
  const suffix = parseBinaryImaList(binaryList(specs))
  return verifyImaSuffix({ base: null, suffix, quotedPcr10: pcr10Of(specs), bank: 'sha256' }, hash).entries
}

/** Everything of the good list, by digest. */
function goodPolicy(parts: Partial<ImaPolicy> = {}): ImaPolicy {
  const allow = new Map<string, Set<string>>()
  for (const spec of goodList().slice(1)) {
    const path = String(spec.path)
    allow.set(path, (allow.get(path) ?? new Set()).add(`sha256:${fileDigest(spec).toString('hex')}`))
  }
  return { allow, signers: [], excludes: [], ...parts }
}

const empty: ImaPolicy = { allow: new Map(), signers: [], excludes: [] }
const stranger: ImaSpec = { path: '/tmp/miner' }
const violation: ImaSpec = { path: '/tmp/log', violation: true }
const appraise = (specs: readonly ImaSpec[], policy: ImaPolicy = goodPolicy()) => appraiseIma(replayed(specs), policy)

describe('a list of known files', () => {
  test('is accepted, each entry by its digest', () => {
    expect(appraise(goodList())).toEqual({
      verdict: 'accepted',
      allowedByDigest: goodList().length - 1,
      allowedBySigner: new Map(),
      excluded: [],
      problems: [],
    })
  })
})

describe('a deviation', () => {
  test('is a file that the policy does not know', () => {
    const { verdict, problems } = appraise([...goodList(), stranger])
    expect(verdict).toBe('refused')
    expect(problems).toMatchObject([{ code: 'ima.file-unknown', sequence: 7, path: '/tmp/miner' }])
  })

  test('is a known path with another digest', () => {
    const { verdict, problems } = appraise([...goodList(), { path: '/init', content: 'other' }])
    expect(verdict).toBe('refused')
    expect(problems).toMatchObject([{ code: 'ima.digest-mismatch', sequence: 7, path: '/init' }])
  })

  test('is a known digest at another path', () => {
    const { problems } = appraise([...goodList(), { path: '/elsewhere', content: 'content of /init' }])
    expect(problems).toMatchObject([{ code: 'ima.file-unknown' }])
  })

  test('is a fs-verity digest where a digest of the content is known', () => {
    const known = goodList()[1]
    const verity: ImaSpec = {
      path: '/init',
      template: 'ima-ngv2',
      kind: 'verity',
      ...(known && { digest: fileDigest(known) }),
    }
    expect(appraise([...goodList(), verity]).problems).toMatchObject([{ code: 'ima.digest-mismatch' }])
  })

  test('is a second boot aggregate of another boot, whatever the policy', () => {
    const other: ImaSpec = { ...bootAggregate(), digest: Buffer.alloc(32, 1) }
    for (const policy of [goodPolicy(), empty, goodPolicy({ excludes: ['**'] })]) {
      const { verdict, problems } = appraise([...goodList(), other], policy)
      expect(verdict).toBe('refused')
      expect(problems).toMatchObject([{ code: 'ima.boot-aggregate-mismatch', sequence: 7, path: 'boot_aggregate' }])
    }
  })

  test('is a boot aggregate whose first one is not beside it', () => {
    const entries = replayed([...goodList(), bootAggregate()]).slice(1)
    expect(appraiseIma(entries, goodPolicy()).problems).toMatchObject([{ code: 'ima.boot-aggregate-mismatch' }])
  })

  test('is not the boot aggregate of a kernel that kexec has started in the same boot', () => {
    expect(appraise([...goodList(), bootAggregate()])).toMatchObject({ verdict: 'accepted', problems: [] })
  })

  test('is listed in the order of the list with violations', () => {
    const { problems } = appraise([...goodList(), stranger, violation, { ...stranger, path: '/z' }])
    expect(problems.map(({ sequence }) => sequence)).toEqual([7, 8, 9])
  })
})

describe('an exclude', () => {
  const specs = [...goodList(), stranger, { ...stranger, content: 'again' }, { path: '/tmp/a/b' }, { path: '/run/x' }]

  test('is visible with its pattern, its entries and their paths', () => {
    const { verdict, excluded, problems } = appraise(specs, goodPolicy({ excludes: ['/tmp/**', '/run/*', '/opt/**'] }))
    expect(verdict).toBe('accepted')
    expect(problems).toEqual([])
    expect(excluded).toEqual([
      { pattern: '/tmp/**', entries: 3, paths: ['/tmp/miner', '/tmp/a/b'] },
      { pattern: '/run/*', entries: 1, paths: ['/run/x'] },
    ])
  })

  test('covers only what its pattern says', () => {
    const { excluded, problems } = appraise(specs, goodPolicy({ excludes: ['/tmp/*'] }))
    expect(excluded).toEqual([{ pattern: '/tmp/*', entries: 2, paths: ['/tmp/miner'] }])
    expect(problems.map(({ path }) => path)).toEqual(['/tmp/a/b', '/run/x'])
  })

  test('never covers a violation, whose path is only claimed', () => {
    const { verdict, problems, excluded } = appraise(
      [...goodList(), violation],
      goodPolicy({ excludes: ['/**', '**'] }),
    )
    expect(verdict).toBe('refused')
    expect(problems).toMatchObject([{ code: 'ima.violation', path: '/tmp/log' }])
    expect(excluded).toEqual([])
  })

  test('of everything leaves a list not appraised, which is not good', () => {
    const policy = { ...empty, allow: new Map([['/none', new Set(['sha256:00'])]]), excludes: ['**'] }
    expect(appraise(goodList(), policy).verdict).toBe('not-appraised')
  })
})

describe('a policy that allows nothing', () => {
  test('judges nothing, which is not good', () => {
    expect(appraise(goodList(), empty)).toMatchObject({ verdict: 'not-appraised', allowedByDigest: 0, problems: [] })
    expect(appraise(goodList(), { ...empty, excludes: ['**'] }).verdict).toBe('not-appraised')
  })

  test('still refuses a violation', () => {
    expect(appraise([...goodList(), violation], empty).verdict).toBe('refused')
  })

  test('a list without entries to judge is not appraised under any policy', () => {
    expect(appraise([bootAggregate()]).verdict).toBe('not-appraised')
    expect(appraiseIma([], goodPolicy()).verdict).toBe('not-appraised')
  })
})

describe('a signed file', () => {
  const { signer, sign } = fileSigner('00c0ffee')
  const other = fileSigner('00c0ffee')
  const file: ImaSpec = { path: '/usr/bin/new', template: 'ima-sig' }
  const digest = fileDigest(file)
  const signed = (signature: Buffer): ImaSpec[] => [bootAggregate(), { ...file, signature }]
  const policy = { ...empty, signers: [signer] }

  test('is allowed by whoever signed it, and counted for that key', () => {
    const { verdict, allowedBySigner } = appraise(signed(sign(digest)), policy)
    expect(verdict).toBe('accepted')
    expect(allowedBySigner).toEqual(new Map([['00c0ffee', 1]]))
  })

  test('with a key id that other keys share is tried with each', () => {
    expect(appraise(signed(sign(digest)), { ...empty, signers: [other.signer, signer] }).verdict).toBe('accepted')
  })

  test('with the key id of a signer and a signature of somebody else is refused', () => {
    for (const signature of [
      other.sign(digest),
      sign(hash('sha256', Buffer.from('another file'))),
      sign(digest).fill(0, 20),
    ]) {
      const { verdict, problems } = appraise(signed(signature), policy)
      expect(verdict).toBe('refused')
      expect(problems).toMatchObject([{ code: 'ima.signature-invalid', path: '/usr/bin/new' }])
    }
  })

  test('beyond a number of false signatures is refused without a look', () => {
    let checks = 0
    const counting: ImaPolicy['signers'][number] = {
      keyId: '00c0ffee',
      verify: () => {
        checks++
        return false
      },
    }
    const bogus = Array.from({ length: 200 }, (_, n): ImaSpec => {
      return { path: `/usr/bin/${n}`, template: 'ima-sig', signature: sign(digest) }
    })
    const { problems } = appraise([bootAggregate(), ...bogus], { ...empty, signers: [counting] })
    expect(problems.map(({ code }) => code)).toEqual(Array(200).fill('ima.signature-invalid'))
    expect(checks).toBe(64)
  })

  test('with the key id of nobody is a file without a signature', () => {
    const bytes = sign(digest)
    bytes.write('deadbeef', 3, 'hex')
    expect(appraise(signed(bytes), policy).problems).toMatchObject([{ code: 'ima.file-unknown' }])
  })

  test('whose digest is known needs no signature', () => {
    const allow = new Map([['/usr/bin/new', new Set([`sha256:${digest.toString('hex')}`])]])
    expect(appraise(signed(other.sign(digest)), { ...policy, allow }).allowedByDigest).toBe(1)
  })

  test('with something that is no signature over the digest is never allowed', () => {
    const { bytes, keyId } = { bytes: sign(digest).subarray(9), keyId: '00c0ffee' }
    const cases: readonly (readonly [string, Buffer, string])[] = [
      ['a portable EVM signature', signatureXattr({ keyId, bytes, kind: 5 }), 'ima.file-unknown'],
      ['a signature of version 3', signatureXattr({ keyId, bytes, version: 3 }), 'ima.signature-invalid'],
      ['a signature of version 1', signatureXattr({ keyId, bytes, version: 1 }), 'ima.file-unknown'],
      ['a signature over another hash', signatureXattr({ keyId, bytes, algorithm: 2 }), 'ima.signature-invalid'],
      ['a byte more', Buffer.concat([sign(digest), Buffer.alloc(1)]), 'ima.file-unknown'],
      ['a byte less', sign(digest).subarray(0, -1), 'ima.file-unknown'],
    ]
    for (const [name, signature, code] of cases) {
      expect(appraise(signed(signature), policy).problems, name).toMatchObject([{ code }])
    }
  })

  test('with a fs-verity digest is not allowed by a signature over a digest', () => {
    const spec: ImaSpec = { ...file, template: 'ima-sigv2', kind: 'verity', signature: sign(digest) }
    expect(appraise([bootAggregate(), spec], policy).problems).toMatchObject([{ code: 'ima.signature-invalid' }])
  })
})

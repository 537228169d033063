import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { release } from '../releases/support.ts'
import { id as newId, storedProduct } from '../store/samples.ts'
import { useCollector, type RunResult } from './support.ts'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { practicesOf } from '../../../shared/maturity/problems.ts'
import { digestOfProfile, encodeProfile } from '../../../shared/maturity/profile-encoding.ts'
import { profileOf } from '../../support/profile.ts'
import { signDecision } from '../../../shared/decisions/entry.ts'
import { readKey } from '../../../collector/cli/client/decisions/key-file.ts'

const collector = useCollector(undefined, Date.now)
const page = readFileSync(new URL('../../../docs/certificates.md', import.meta.url), 'utf8')
const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? ''
const DAY = 86_400_000
const dayIn = (days: number): string => new Date(Date.now() + days * DAY).toISOString().slice(0, 10)

function expectFits({ stdout }: RunResult): void {
  for (const line of stdout.split('\n')) {
    if (!/[0-9a-f]{32}|crt_/.test(line)) expect(line.length, line).toBeLessThanOrEqual(80)
  }
}

/** A log with a certifier, a second one and a vendor, and an approved profile. */
async function begun() {
  const { run, store, directory } = collector()
  const keyOf = async (name: string) => {
    const file = join(directory, `${name}.pem`)
    const made = await run('auditor', 'key', 'create', '--key', file, '--json')
    return { file, ...(JSON.parse(made.stdout) as { publicKey: string; keyId: string }) }
  }
  const [ada, vendor] = [await keyOf('ada'), await keyOf('vendor')]
  const as =
    (key: { file: string }) =>
    (...argv: string[]) =>
      run('certifier', ...argv, '--key', key.file)
  const begin = await as(ada)('log', 'begin', '--name', 'Ada', '--operator', 'Example')
  expect(begin).toMatchObject({ code: 0 })
  await as(ada)('person', 'add', '--name', 'Ven', '--role', 'vendor', '--public-key', vendor.publicKey)
  const book = new DecisionBook(store)
  const document = profileOf()
  const digest = digestOfProfile(document, hash)
  await store.profileDocuments.save(fromHex(digest), encodeProfile(document), Date.now())
  const decide = async (key: { file: string }, kind: string, detail: object) => {
    const { log, ...place } = await book.next()
    if (log === null) throw new Error('no log')
    const now = Math.floor(Date.now() / 1000)
    const content = { log, ...place, at: now, kind, subject: 'gate-seven', detail: detail as never }
    await book.append(await signDecision(content, readKey(key.file).signer), now)
  }
  const targets = Object.fromEntries(practicesOf(document).map(([id, { target }]) => [id, target]))
  await decide(vendor, 'profile.submit', { version: 1, digest, targets, change: { kind: 'initial' } })
  await decide(ada, 'profile.approve', { version: 1, digest })
  const file = join(directory, 'draft.yaml')
  writeFileSync(
    file,
    example
      .replace(/digest: [0-9a-f]{64}/, `digest: ${digest}`)
      .replace(/validFrom: .*/, `validFrom: '${dayIn(-1)}'`)
      .replace(/validUntil: .*/, `validUntil: '${dayIn(300)}'`)
      .replace(/supportUntil: .*/, `supportUntil: '${dayIn(400)}'`),
  )
  const sign = as(ada)
  const reads = ['show', 'list', 'status', 'export', 'print']
  const act = (...argv: string[]) => (reads.includes(argv[1] ?? '') ? run('auditor', ...argv) : sign(...argv))
  const draft = async () => {
    const drafted = await act('certificate', 'draft', file, '--json')
    expect(drafted).toMatchObject({ code: 0, stderr: '' })
    return (JSON.parse(drafted.stdout) as { id: string }).id
  }
  return { act, ada, vendor, file, draft, asVendor: as(vendor), directory, store }
}

describe('keepseal certificate', () => {
  test('goes from a draft over every state to its end, and is checked without a server', async () => {
    const { act, ada, draft, directory } = await begun()
    const id = await draft()
    expect(await act('certificate', 'issue', id, '--reason', 'assessed')).toMatchObject({ code: 0 })
    const shown = await act('certificate', 'show', id)
    expect(shown.stdout).toMatch(/state +valid\n[^]*Acme\/Gate 7 \(representative\)/)
    expectFits(shown)
    expectFits(await act('certificate', 'list'))

    const file = join(directory, 'gate.keepseal')
    expect(await act('certificate', 'export', id, '--out', file)).toMatchObject({ code: 0 })
    const { run } = collector()
    const verified = await run('auditor', 'certificate', 'verify', file, '--certifier', ada.keyId)
    const listed = await run('auditor', 'certificate', 'verify', file, '--status-list', 'no-such.list')
    expect(listed.stderr).toContain('no-such.list')
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringMatching(/^valid\n[^]*claims +Acme\/Gate 7/) })
    expectFits(verified)
    expect(verified.stdout).toMatch(/profile +gate-seven 1, document matches[^]*operated by +Example/)
    const late = await run('auditor', 'certificate', 'verify', file, '--at', dayIn(3))
    expect(late).toMatchObject({ code: 1, stdout: expect.stringMatching(/^unknown\n/) })
    const foreign = await run('auditor', 'certificate', 'verify', file, '--certifier', 'ab'.repeat(32))
    expect(foreign).toMatchObject({ code: 1, stdout: expect.stringContaining('log.unknown-author') })
    const kept = join(directory, 'status.cbor')
    const status = await act('certificate', 'status', id, '--certifier', ada.keyId, '--out', kept)
    expect(status).toMatchObject({ code: 0, stdout: expect.stringMatching(/^valid\n[^]*believe it +until/) })
    expectFits(status)
    expect(await run('auditor', 'certificate', 'verify', file, '--status', kept)).toMatchObject({ code: 0 })
    writeFileSync(kept, readFileSync(kept).fill(0, 60, 62))
    const tampered = await run('auditor', 'certificate', 'verify', file, '--status', kept)
    expect(tampered.code).toBe(1)
    const missing = await act('certificate', 'status', 'crt_none')
    expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining('crt_none') })
    writeFileSync(file, readFileSync(file).subarray(0, 500))
    expect(await run('auditor', 'certificate', 'verify', file)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('certificate.file-invalid'),
    })
    const html = join(directory, 'gate.html')
    expect(await act('certificate', 'print', id, '--out', html)).toMatchObject({ code: 0 })
    const printed = readFileSync(html, 'utf8')
    for (const part of ['Profile gate-seven, version 1', 'No patch while a line runs', 'weekly stop', 'Example']) {
      expect(printed).toContain(part)
    }

    const until = ['--reason', 'patch the fleet', '--until']
    const steps: readonly (readonly [string, string, ...string[]])[] = [
      ['condition', 'valid-with-conditions', ...until, dayIn(20)],
      ['extend-conditions', 'valid-with-conditions', ...until, dayIn(29)],
      ['lift-conditions', 'valid', '--reason', 'done'],
      ['suspend', 'suspended', ...until, dayIn(40), '--product', 'Acme/Gate 7 Mini'],
      ['extend-suspension', 'suspended', ...until, dayIn(90)],
      ['restore', 'valid', '--reason', 'mended'],
      ['withdraw', 'withdrawn', '--reason', 'at the request of the holder'],
    ]
    for (const [verb, state, ...options] of steps) {
      const tried = await act('certificate', verb, id, ...options, '--dry-run')
      expect(tried, verb).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing was decided') })
      expectFits(tried)
      expect(await act('certificate', verb, id, ...options), verb).toMatchObject({ code: 0 })
      const { stdout } = await act('certificate', 'show', id, '--json')
      expect(JSON.parse(stdout), verb).toMatchObject({ state })
    }
  })

  test('says in a dry run which guard would refuse, and decides nothing', async () => {
    const { act, asVendor, draft, store } = await begun()
    const id = await draft()
    const before = await store.decisions.from(0, 100)
    const tried = async (by: typeof act, ...argv: string[]) => (await by('certificate', ...argv, '--dry-run')).stderr
    expect(await tried(act, 'condition', id, '--reason', 'r', '--until', dayIn(5))).toContain('is draft')
    expect(await tried(asVendor, 'issue', id, '--reason', 'r')).toContain('Ven is vendor')
    expect(await tried(act, 'withdraw', 'crt_none', '--reason', 'r')).toContain('does not know')
    expect(await act('certificate', 'issue', id, '--reason', 'r', '--dry-run')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('draft -> valid'),
    })
    expect(await store.decisions.from(0, 100)).toEqual(before)
  })

  test('is renewed and reduced by drafts that replace it once they are issued', async () => {
    const { act, draft } = await begun()
    const first = await draft()
    await act('certificate', 'issue', first, '--reason', 'assessed')
    const wider = await act('certificate', 'reduce', first, '--number', 'N', '--product', 'Acme/Gate 9')
    expect(wider).toMatchObject({ code: 4, stderr: expect.stringContaining('Acme/Gate 9') })
    const idOf = ({ stdout }: RunResult) => (JSON.parse(stdout) as { id: string }).id
    const reduced = idOf(
      await act('certificate', 'reduce', first, '--number', 'N-2', '--product', 'Acme/Gate 7 Mini', '--json'),
    )
    await act('certificate', 'issue', reduced, '--reason', 'reduced')
    const renewed = idOf(
      await act('certificate', 'renew', reduced, '--number', 'N-3', '--valid-until', dayIn(390), '--json'),
    )
    await act('certificate', 'issue', renewed, '--reason', 'renewed')
    const states = JSON.parse((await act('certificate', 'list', '--json')).stdout) as { id: string; state: string }[]
    expect(states.map(({ id, state }) => [id, state])).toEqual([
      [first, 'superseded'],
      [reduced, 'superseded'],
      [renewed, 'valid'],
    ])
  })

  test('lets the vendor propose a release and the certifier classify it', async () => {
    const { act, asVendor, store } = await begun()
    const { id: productId } = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    await store.releases.insert(release({ id: newId('rel'), productId, name: '2.1' }), new Uint8Array([0]))
    const options = ['--class', 'none', '--change', 'a fix', '--analysis', 'cd'.repeat(32)]
    const early = await act('release', 'classify', 'Gate 7@2.1', '--class', 'none', '--reason', 'r')
    expect(early).toMatchObject({ code: 4, stderr: expect.stringContaining('does not know') })
    expect(await act('release', 'propose', 'Gate 7@2.1', ...options)).toMatchObject({ code: 4 })
    expect(await asVendor('release', 'propose', 'Gate 7@2.1', ...options)).toMatchObject({ code: 0 })
    expect(await act('release', 'classify', 'Gate 7@2.1', '--class', 'major', '--reason', 'r')).toMatchObject({
      code: 0,
    })
    expect(await act('release', 'assess', 'Gate 7@2.1', '--reason', 'done')).toMatchObject({ code: 0 })
    const { releases } = await new DecisionBook(store).register()
    expect(releases.get('Acme/Gate 7@2.1')).toMatchObject({
      verdict: { class: 'major' },
      assessedAt: expect.any(Number),
    })
  })

  test('is not drafted from a file with mistakes, which are named by line and column', async () => {
    const { act, file } = await begun()
    writeFileSync(file, readFileSync(file, 'utf8').replace(/representative: true/, 'representative: perhaps'))
    const refused = await act('certificate', 'draft', file)
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/line \d+/) })
  })
})

import { expect, test } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { checkBootAggregate } from '../../../shared/ima/boot-aggregate.ts'
import { inspectImaList } from '../../../shared/ima/inspect.ts'
import { parseAsciiImaList } from '../../../shared/ima/parse-ascii.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import { appraiseIma } from '../../../shared/ima/policy.ts'
import { verifyImaSuffix } from '../../../shared/ima/replay.ts'
import { digestText } from '../../../shared/ima/digests.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { digestsOfPcrFile } from '../../support/pcr-file.ts'

/** PCR 10 of a bank in the text that tpm2_pcrread prints, taken when the ascii list was. */
function pcr10Read(bank: 'sha1' | 'sha256'): Uint8Array {
  const [, text = ''] = readFixture('vm-sb', 'pcrread.txt').toString().split(`  ${bank}:`)
  return Buffer.from(/ 10: 0x([0-9A-F]+)/.exec(text)?.[1] ?? '', 'hex')
}

fixturesDescribe('vm-sb', 'the list of a real measured boot', () => {
  const quoted = () => new Map(digestsOfPcrFile(readFixture('vm-sb', 'quote.pcrs')).entries())
  const quotedPcr10 = () => quoted().get(10) ?? new Uint8Array(0)
  const binary = () => parseBinaryImaList(readFixture('vm-sb', 'ima_binary.at_quote'))
  const verified = () =>
    verifyImaSuffix({ base: null, suffix: binary(), quotedPcr10: quotedPcr10(), bank: 'sha256' }, hash)

  test('leads to the quoted PCR 10 by a prefix, per bank', () => {
    const { matchedEntries, laterEntries, next } = verified()
    expect(matchedEntries + laterEntries).toBe(binary().entries.length)
    expect(matchedEntries).toBe(377)
    expect(next).toMatchObject({ bank: 'sha256', entries: matchedEntries, paddingMode: 'per-bank' })
  })

  test.each(['sha1', 'sha256'] as const)('as text, read earlier, leads to the %s value read with it', (bank) => {
    const suffix = parseAsciiImaList(readFixture('vm-sb', 'ima_ascii'))
    const result = verifyImaSuffix({ base: null, suffix, quotedPcr10: pcr10Read(bank), bank }, hash)
    expect(result).toMatchObject({ matchedEntries: 366, laterEntries: 0 })
    expect(result.entries).toEqual(verified().entries.slice(0, 366))
  })

  test('leads from the value read earlier to the quoted one by the suffix alone', () => {
    const suffix = parseAsciiImaList(readFixture('vm-sb', 'ima_ascii'))
    const input = { base: null, suffix, quotedPcr10: pcr10Read('sha256'), bank: 'sha256' } as const
    const base = verifyImaSuffix(input, hash).next
    const rest = { first: base.entries, entries: binary().entries.slice(base.entries) }
    const result = verifyImaSuffix({ base, suffix: rest, quotedPcr10: quotedPcr10(), bank: 'sha256' }, hash)
    expect(result.matchedEntries).toBe(11)
    expect(result.next).toEqual(verified().next)
  })

  test('has a boot aggregate over PCRs 0 to 9', () => {
    const pcrs: PcrValues = new Map([['sha256', quoted()]])
    const expected = { status: 'matches', bank: 'sha256', pcrs: '0-9' }
    expect(checkBootAggregate(verified().entries[0], pcrs, hash)).toEqual(expected)
  })

  test('with any entry removed or two swapped is refused', () => {
    const { entries } = binary()
    for (let i = 0; i < verified().matchedEntries; i += 25) {
      const without = { first: 0, entries: entries.toSpliced(i, 1) }
      const [a, b] = entries.slice(i, i + 2)
      const swapped = { first: 0, entries: a && b ? entries.toSpliced(i, 2, b, a) : [] }
      for (const suffix of [without, swapped]) {
        const input = { base: null, suffix, quotedPcr10: quotedPcr10(), bank: 'sha256' } as const
        expect(outcomeOf(() => verifyImaSuffix(input, hash))).toBe('ima.replay-mismatch')
      }
    }
  })

  test('is accepted under a policy made of itself', () => {
    const { entries } = verified()
    const allow = new Map<string, Set<string>>()
    for (const entry of entries) {
      if (entry.kind === 'violation') continue
      allow.set(entry.path, (allow.get(entry.path) ?? new Set()).add(digestText(entry.digest)))
    }
    const result = appraiseIma(entries, { allow, signers: [], excludes: [] })
    expect(result).toMatchObject({ verdict: 'accepted', allowedByDigest: entries.length - 1, problems: [] })
  })
})

fixturesDescribe('ima', 'the list of a machine whose kernel found no TPM', () => {
  const shown = () => inspectImaList(readFixture('ima', 'ascii_runtime_measurements'), hash)

  test('is read whole, and every listed digest fits its fields', () => {
    expect(shown()).toMatchObject({ count: 826, violations: 0, templates: { 'ima-ng': 826 } })
    expect(shown().entries.filter(({ templateDigestFits }) => templateDigestFits !== true)).toEqual([])
  })

  test('has a boot aggregate of zeros, which matches nothing', () => {
    expect(shown().bootAggregate).toBe(`sha1:${'0'.repeat(40)}`)
    const suffix = parseAsciiImaList(readFixture('ima', 'ascii_runtime_measurements'))
    const quotedPcr10 = Buffer.from(shown().pcr10[0]?.value ?? '', 'hex')
    const { entries } = verifyImaSuffix({ base: null, suffix, quotedPcr10, bank: 'sha1' }, hash)
    const pcrs: PcrValues = new Map([
      ['sha1', new Map(Array.from({ length: 10 }, (_, pcr) => [pcr, new Uint8Array(20)]))],
    ])
    expect(checkBootAggregate(entries[0], pcrs, hash)).toMatchObject({
      status: 'failed',
      problem: { code: 'ima.boot-aggregate-mismatch' },
    })
    expect(toHex(entries[1]?.kind === 'measurement' ? entries[1].digest.value : new Uint8Array(0))).toBe(
      '19f13b42c2745066347e76454788c0fe083643f3',
    )
  })
})

import { describe, expect, test } from 'vitest'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { checkBootAggregate } from '../../../shared/ima/boot-aggregate.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import { verifyImaSuffix } from '../../../shared/ima/replay.ts'
import type { ReplayedImaEntry } from '../../../shared/ima/types.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { binaryList, bootAggregate, bootPcrs, pcr10Of, type ImaSpec } from '../../support/ima-builder.ts'

function replayed(...specs: readonly ImaSpec[]): readonly ReplayedImaEntry[] {
  const suffix = parseBinaryImaList(binaryList(specs))
  return verifyImaSuffix({ base: null, suffix, quotedPcr10: pcr10Of(specs), bank: 'sha256' }, hash).entries
}

const pcrsOf = (...banks: readonly HashAlgorithm[]): PcrValues => new Map(banks.map((bank) => [bank, bootPcrs(bank)]))
const check = (spec: ImaSpec, pcrs: PcrValues = pcrsOf('sha256')) => checkBootAggregate(replayed(spec)[0], pcrs, hash)
const codeOf = (result: ReturnType<typeof checkBootAggregate>) =>
  result.status === 'failed' ? result.problem.code : undefined

describe('the boot aggregate', () => {
  test.each(['sha256', 'sha384', 'sha512'] as const)('over PCRs 0 to 9 of the bank %s matches', (bank) => {
    expect(check(bootAggregate(bank), pcrsOf('sha1', bank))).toEqual({ status: 'matches', bank, pcrs: '0-9' })
  })

  test('of an older kernel covers PCRs 0 to 7, visibly', () => {
    expect(check(bootAggregate('sha256', 7))).toEqual({ status: 'matches', bank: 'sha256', pcrs: '0-7' })
  })

  test('in SHA-1 covers PCRs 0 to 7 of that bank, in whichever template', () => {
    const spec = bootAggregate('sha1')
    for (const template of ['ima', 'ima-ng', 'ima-sig'] as const) {
      const expected = { status: 'matches', bank: 'sha1', pcrs: '0-7' }
      expect(check({ ...spec, template }, pcrsOf('sha1', 'sha256'))).toEqual(expected)
    }
    expect(codeOf(check(bootAggregate('sha1', 9), pcrsOf('sha1')))).toBe('ima.boot-aggregate-mismatch')
  })

  test.each(Array.from({ length: 10 }, (_, pcr) => pcr))('does not match when PCR %i is another', (pcr) => {
    const values = new Map(bootPcrs('sha256')).set(pcr, Buffer.alloc(32, 1))
    expect(codeOf(check(bootAggregate(), new Map([['sha256', values]])))).toBe('ima.boot-aggregate-mismatch')
  })

  test('of zeros, where the kernel found no TPM, does not match', () => {
    const spec = { ...bootAggregate(), digest: Buffer.alloc(32) }
    for (const pcrs of [pcrsOf('sha256'), pcrsOf()]) {
      expect(codeOf(check(spec, pcrs))).toBe('ima.boot-aggregate-mismatch')
    }
  })

  test('in a bank whose values are not known is not checked, and that is no match', () => {
    expect(codeOf(check(bootAggregate('sha1'), pcrsOf('sha256')))).toBe('ima.boot-aggregate-unchecked')
    expect(codeOf(check({ ...bootAggregate(), algorithm: 'sm3' }))).toBe('ima.boot-aggregate-unchecked')
    const few = new Map([...bootPcrs('sha256')].slice(0, 7))
    expect(codeOf(check(bootAggregate(), new Map([['sha256', few]])))).toBe('ima.boot-aggregate-unchecked')
  })

  test('missing from the start of the list is a failure', () => {
    expect(codeOf(checkBootAggregate(undefined, pcrsOf('sha256'), hash))).toBe('ima.boot-aggregate-missing')
    expect(codeOf(check({ path: '/init' }))).toBe('ima.boot-aggregate-missing')
    expect(codeOf(check({ ...bootAggregate(), violation: true }))).toBe('ima.boot-aggregate-missing')
    expect(codeOf(check({ ...bootAggregate(), template: 'ima-ngv2', kind: 'verity' }))).toBe(
      'ima.boot-aggregate-missing',
    )
    const second = replayed({ path: '/init' }, bootAggregate())[1]
    expect(codeOf(checkBootAggregate(second, pcrsOf('sha256'), hash))).toBe('ima.boot-aggregate-missing')
  })
})

import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAttestationKey, type LoadedAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { readAllocatedBanks } from '../../../agent/tpm/commands/capabilities.ts'
import { readClock } from '../../../agent/tpm/commands/clock.ts'
import { saveContext } from '../../../agent/tpm/commands/keys.ts'
import { extendPcr, readPcrs } from '../../../agent/tpm/commands/pcrs.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { takeQuote, takeQuoteWithPcrs, type QuoteWithPcrs } from '../../../agent/tpm/quoting.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { concat, toHex } from '../../../shared/bytes/bytes.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { attestationKeyOf, qualifiedNameOfPrimary } from '../../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../../shared/tpm/constants.ts'
import type { PcrSelection } from '../../../shared/tpm/pcr-selection.ts'
import { DEFAULT_QUOTE_POLICY, verifyQuote, type VerifiedQuote } from '../../../shared/tpm/quote.ts'
import type { AttestationKeyKind } from '../../../shared/tpm/templates.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { outcomeOf } from '../../support/outcome.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { tpm2 } from '../../support/tpm2-tools.ts'

const { hash } = nodeCrypto
const ALL = Array.from({ length: 24 }, (_, pcr) => pcr)
const BOOT: PcrSelection = [{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14] }]

let swtpm: SoftwareTpm
let tpm: Tpm
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
  swtpm = await startSwtpm({ withEkCertificate: false, banks: ['sha1', 'sha256', 'sha384'] })
})
afterAll(async () => {
  await swtpm.stop()
  rmSync(directory, { recursive: true })
})
beforeEach(async () => {
  tpm = await openTpm(swtpm.tcti)
})
afterEach(() => tpm.close())

describe('PCRs', () => {
  test.each(['sha1', 'sha256', 'sha384'] as const)('of the bank %s read as tpm2_pcrread reads them', async (bank) => {
    await extendPcr(tpm, 8, new Map([[bank, hash(bank, randomBytes(8))]]))
    const values = await readPcrs(tpm, [{ bank, pcrs: ALL }])
    await tpm.close()
    const file = join(directory, 'pcrs')
    await tpm2(swtpm.tcti, 'pcrread', `${bank}:${ALL.join(',')}`, '-o', file)
    const text = await tpm2(swtpm.tcti, 'pcrread', bank)
    const theirs = [...text.matchAll(/^ +(\d+) *: 0x([0-9A-F]+)$/gm)].map(
      ([, pcr, value]) => `${pcr} ${value?.toLowerCase()}`,
    )
    expect([...(values.get(bank) ?? [])].map(([pcr, value]) => `${pcr} ${toHex(value)}`).sort()).toEqual(theirs.sort())
    expect(theirs).toHaveLength(24)
  })

  test('are extended in each bank that is named, and in no other', async () => {
    const selection: PcrSelection = (['sha1', 'sha256', 'sha384'] as const).map((bank) => ({ bank, pcrs: [9] }))
    const before = await readPcrs(tpm, selection)
    const digests = { sha256: randomBytes(32), sha384: randomBytes(48) }
    await extendPcr(tpm, 9, new Map(Object.entries(digests) as ['sha256' | 'sha384', Uint8Array][]))
    const after = await readPcrs(tpm, selection)
    for (const bank of ['sha256', 'sha384'] as const) {
      const expected = hash(bank, concat(before.get(bank)?.get(9) ?? new Uint8Array(), digests[bank]))
      expect(toHex(after.get(bank)?.get(9) ?? new Uint8Array())).toBe(toHex(expected))
    }
    expect(after.get('sha1')).toEqual(before.get('sha1'))
  })

  test('of a bank that is not allocated are refused, and the bank is not listed', async () => {
    expect([...(await readAllocatedBanks(tpm)).keys()].sort()).toEqual(['sha1', 'sha256', 'sha384'])
    expect((await refusalOf(readPcrs(tpm, [{ bank: 'sha512', pcrs: [0] }]))).code).toBe('tpm.command-failed')
    expect((await refusalOf(readPcrs(tpm, [{ bank: 'sha256', pcrs: [0, 28], bitmapSize: 4 }]))).code).toBe(
      'tpm.command-failed',
    )
  })
})

/**
 * The "serialized" PCR file of tpm2-tools for the SHA-256 bank: C structures in little-endian. TPML_PCR_SELECTION with
 * room for 16 banks, the number of lists, then each TPML_DIGEST with room for 8 digests of 64 bytes.
 */
function pcrFile(pcrs: readonly number[], values: readonly Uint8Array[]): Buffer {
  const selection = Buffer.alloc(4 + 16 * 8)
  selection.writeUInt32LE(1, 0)
  selection.writeUInt16LE(0x000b, 4)
  selection.writeUInt8(3, 6)
  for (const pcr of pcrs) selection.writeUInt8(selection.readUInt8(7 + (pcr >> 3)) | (1 << (pcr & 7)), 7 + (pcr >> 3))
  const lists: Buffer[] = []
  for (let first = 0; first < values.length; first += 8) {
    const some = values.slice(first, first + 8)
    const list = Buffer.alloc(4 + 8 * 66)
    list.writeUInt32LE(some.length, 0)
    for (const [i, value] of some.entries()) {
      list.writeUInt16LE(value.length, 4 + i * 66)
      list.set(value, 4 + i * 66 + 2)
    }
    lists.push(list)
  }
  const count = Buffer.alloc(4)
  count.writeUInt32LE(lists.length)
  return Buffer.concat([selection, count, ...lists])
}

describe.each(['ecdsa-p256', 'rsassa-2048'] as const)('a quote by a key of kind %s', (kind: AttestationKeyKind) => {
  const extraData = hash('sha256', randomBytes(32))
  let key: LoadedAttestationKey
  beforeEach(async () => {
    key = await createAttestationKey(tpm, { kind, seed: new Uint8Array(32).fill(1) })
  })

  const verify = (quote: QuoteWithPcrs, expectedExtraData: Uint8Array): VerifiedQuote =>
    verifyQuote({
      ...quote,
      signer: attestationKeyOf(key.publicArea, qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, key.name, hash), nodeCrypto),
      expectedExtraData,
      policy: DEFAULT_QUOTE_POLICY,
      hash,
    })

  test('stands the verification, and says what the TPM says', async () => {
    const quote = await takeQuoteWithPcrs(tpm, key, { selection: BOOT, extraData })
    const verified = verify(quote, extraData)
    const { resetCount, restartCount } = await readClock(tpm)
    expect(verified.clockInfo).toMatchObject({ resetCount, restartCount })
    expect(verified.pcrs).toEqual(await readPcrs(tpm, BOOT))
    expect(outcomeOf(() => verify(quote, hash('sha256', extraData)))).toBe('quote.nonce-mismatch')
  })

  test('is accepted by tpm2_checkquote, and refused by it with another nonce', async () => {
    const quote = await takeQuoteWithPcrs(tpm, key, { selection: BOOT, extraData })
    const path = (name: string): string => join(directory, name)
    writeFileSync(path('key'), key.publicBytes)
    writeFileSync(path('attest'), quote.attest)
    writeFileSync(path('signature'), quote.signature)
    writeFileSync(path('pcrs'), pcrFile(BOOT[0]?.pcrs ?? [], [...(quote.pcrs.get('sha256')?.values() ?? [])]))
    const files = ['-u', path('key'), '-m', path('attest'), '-s', path('signature'), '-f', path('pcrs')]
    const check = (nonce: Uint8Array): Promise<string> =>
      tpm2(undefined, 'checkquote', ...files, '-g', 'sha256', '-q', toHex(nonce))
    await expect(check(extraData)).resolves.toBeDefined()
    await expect(check(hash('sha256', extraData))).rejects.toThrow('nonce')
  })

  test('is taken anew when a PCR is extended before its values are read', async () => {
    const taken = takeQuoteWithPcrs(tpm, key, { selection: BOOT, extraData })
    // In the queue behind the first quote, before the first reading.
    await extendPcr(tpm, 10, new Map([['sha256', randomBytes(32)]]))
    const quote = await taken
    expect(verify(quote, extraData).pcrs).toEqual(await readPcrs(tpm, BOOT))
  })
})

test('a quote over PCRs of two banks is over the values of both', async () => {
  const key = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: new Uint8Array(32) })
  const selection: PcrSelection = [
    { bank: 'sha384', pcrs: [0, 9] },
    { bank: 'sha256', pcrs: [9] },
  ]
  const { pcrs } = await takeQuoteWithPcrs(tpm, key, { selection, extraData: new Uint8Array(32) })
  expect([...pcrs].map(([bank, values]) => [bank, [...values.keys()]])).toEqual([
    ['sha384', [0, 9]],
    ['sha256', [9]],
  ])
})

test('the clock goes on, and a power cycle is a reset without a shutdown', async () => {
  const before = await readClock(tpm)
  await tpm.close()
  await swtpm.restart()
  tpm = await openTpm(swtpm.tcti)
  const after = await readClock(tpm)
  expect(after.resetCount).toBe(before.resetCount + 1)
  expect(after.restartCount).toBe(0)
  expect(after.timeMs < 10_000n).toBe(true)
})

test('commands leave no memory behind in this process', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const key = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: new Uint8Array(32) })
  const round = async (): Promise<number> => {
    for (let i = 0; i < 300; i++) await takeQuote(tpm, key, { selection: BOOT, extraData: new Uint8Array(32) })
    for (let i = 0; i < 1500; i++) await saveContext(tpm, key.handle)
    collectGarbage()
    return process.memoryUsage.rss()
  }
  const before = await round()
  // What ESAPI allocates in a round is 9 MB: 2.8 KB a quote, 5.2 KB a context.
  expect((await round()) - before).toBeLessThan(5_000_000)
})

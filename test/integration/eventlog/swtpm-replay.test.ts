import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { extendPcr, readPcrs } from '../../../agent/tpm/commands/pcrs.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { takeQuoteWithPcrs } from '../../../agent/tpm/quoting.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { bankProblems } from '../../../shared/eventlog/banks.ts'
import { EVENT_TYPE } from '../../../shared/eventlog/constants.ts'
import { inspectEventLog } from '../../../shared/eventlog/inspect.ts'
import { verifyEventLog } from '../../../shared/eventlog/match.ts'
import { parseEventLog } from '../../../shared/eventlog/parse.ts'
import { isExtended } from '../../../shared/eventlog/replay.ts'
import { secureBootState } from '../../../shared/eventlog/secure-boot.ts'
import { attestationKeyOf, qualifiedNameOfPrimary } from '../../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../../shared/tpm/constants.ts'
import type { PcrSelection } from '../../../shared/tpm/pcr-selection.ts'
import { DEFAULT_QUOTE_POLICY, verifyQuote, type VerifiedQuote } from '../../../shared/tpm/quote.ts'
import { anyEvents } from '../../support/eventlog-arbitrary.ts'
import { agileLog, goodBoot, type EventSpec } from '../../support/eventlog-builder.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'

const { hash } = nodeCrypto
const BANKS = ['sha1', 'sha256', 'sha384'] as const satisfies readonly HashAlgorithm[]
const QUOTED = ['sha256', 'sha384'] as const
const STATIC = Array.from({ length: 16 }, (_, pcr) => pcr)

let swtpm: SoftwareTpm
beforeAll(async () => {
  swtpm = await startSwtpm({ withEkCertificate: false, banks: BANKS })
})
afterAll(() => swtpm.stop())

/** Boots the TPM, measures the first `count` events of the log, and gives its PCRs and a verified quote of two of its banks. */
async function boot(
  log: Uint8Array,
  count = Number.POSITIVE_INFINITY,
): Promise<{ values: Record<string, Record<string, string>>; quote: VerifiedQuote }> {
  await swtpm.restart()
  const tpm = await openTpm(swtpm.tcti)
  try {
    for (const event of parseEventLog(log).events.slice(0, count)) {
      if (isExtended(event)) await extendPcr(tpm, event.pcr, event.digests)
    }
    const read = await readPcrs(
      tpm,
      BANKS.map((bank) => ({ bank, pcrs: STATIC })),
    )
    const selection: PcrSelection = QUOTED.map((bank) => ({ bank, pcrs: STATIC }))
    const key = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: new Uint8Array(32) })
    const extraData = randomBytes(32)
    const quote = verifyQuote({
      ...(await takeQuoteWithPcrs(tpm, key, { selection, extraData })),
      signer: attestationKeyOf(key.publicArea, qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, key.name, hash), nodeCrypto),
      expectedExtraData: extraData,
      policy: { ...DEFAULT_QUOTE_POLICY, banks: QUOTED },
      hash,
    })
    const values = Object.fromEntries(
      [...read].map(([bank, pcrs]) => [bank, Object.fromEntries([...pcrs].map(([pcr, value]) => [pcr, toHex(value)]))]),
    )
    return { values, quote }
  } finally {
    await tpm.close()
  }
}

const quoted = ({ pcrs }: VerifiedQuote, bank: HashAlgorithm): ReadonlyMap<number, Uint8Array> => {
  const values = pcrs.get(bank)
  if (values === undefined) throw new Error(`the quote has no bank ${bank}`)
  return values
}

/**
 * Without a measurement by a hardware root of trust: it begins PCR 0 at 4 by TPM_HASH_START (TPM 2.0 Part 1, section 34.3),
 * a signal of the platform that no TPM2_PCR_Extend stands for.
 */
const anyLog = anyEvents.map((events) => events.filter(({ type }) => type !== EVENT_TYPE.EV_EFI_HCRTM_EVENT))

const extendedIn = (events: readonly EventSpec[]): number =>
  parseEventLog(agileLog(events)).events.filter(isExtended).length

test('what a TPM holds after the events of any log is what the log replays to, and its quote proves them all', async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, async (events) => {
      const log = agileLog(events, BANKS)
      const { values, quote } = await boot(log)
      const { pcrs } = inspectEventLog(log, hash)
      for (const bank of BANKS) expect(values[bank]).toMatchObject(pcrs[bank] ?? {})
      const replayed = QUOTED.map((bank) => verifyEventLog(parseEventLog(log), bank, quoted(quote, bank), hash))
      for (const { events: proven, laterEvents } of replayed) {
        expect(proven).toHaveLength(extendedIn(events))
        expect(laterEvents).toBe(0)
      }
      expect(bankProblems(replayed, hash)).toEqual([])
    }),
    { numRuns: 60, interruptAfterTimeLimit: 40_000 },
  )
}, 90_000)

test('a quote that was taken while the machine booted proves the events before it', async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, fc.nat(40), async (events, count) => {
      const log = agileLog(events, BANKS)
      const { quote } = await boot(log, count)
      const parsed = parseEventLog(log)
      const proven = verifyEventLog(parsed, 'sha256', quoted(quote, 'sha256'), hash)
      expect(proven.events.map(({ sequence }) => sequence)).toEqual(
        parsed.events.filter((event) => event.sequence < count && isExtended(event)).map(({ sequence }) => sequence),
      )
    }),
    { numRuns: 30, interruptAfterTimeLimit: 40_000 },
  )
}, 90_000)

test('a quote of a boot with Secure Boot on proves it by the log alone', async () => {
  const log = agileLog(goodBoot(), BANKS)
  const { quote } = await boot(log)
  for (const bank of QUOTED) {
    const state = secureBootState(verifyEventLog(parseEventLog(log), bank, quoted(quote, bank), hash), hash)
    expect(state).toMatchObject({ basis: 'quote', enabled: true, problems: [] })
  }
})

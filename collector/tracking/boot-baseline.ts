import { utf8 } from '../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { captureBootReference, measuredEvents } from '../../shared/eventlog/reference/capture.ts'
import { encodeBootReference } from '../../shared/eventlog/reference/encoding.ts'
import { proposeBootReference, type BootProposal } from '../../shared/eventlog/reference/propose.ts'
import type { BootReference } from '../../shared/eventlog/reference/types.ts'
import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import { decodeEvidence } from '../../shared/evidence/evidence.ts'
import { pcrValuesFromCbor } from '../../shared/evidence/tpm-evidence.ts'
import { parseQuoteAttest } from '../../shared/tpm/attest.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { BootLog } from '../appraisal/boot-log.ts'
import type { EvidenceRecord } from '../model/evidence.ts'
import type { Store } from '../store/index.ts'

/** The measured boot that a stored evidence reported, as far as it is proven. */
export interface ReportedBoot {
  readonly pcrs: PcrValues
  readonly tpmFirmwareVersion: bigint
  /** The log under the quoted values; or why there is none. */
  readonly log: ReplayedLog | 'not-reported' | 'missing' | OutcomeError
}

/** Undefined for an evidence without a valid quote: `pcrDigest` is there for verified ones only. */
export async function reportedBoot(
  store: Store,
  vendor: string,
  record: Pick<EvidenceRecord, 'bytes' | 'pcrDigest'>,
): Promise<ReportedBoot | undefined> {
  if (record.pcrDigest === null) return undefined
  const { tpm } = decodeEvidence(record.bytes)
  const stored = await store.pcrSets.find(vendor, record.pcrDigest)
  if (tpm === null || stored === undefined) return undefined
  const pcrs = pcrValuesFromCbor(stored)
  const { firmwareVersion: tpmFirmwareVersion } = parseQuoteAttest(tpm.attest)
  const digest = tpm.logs.firmware
  if (digest === null) return { pcrs, tpmFirmwareVersion, log: 'not-reported' }
  const content = await store.sections.find(vendor, digest)
  if (content === undefined) return { pcrs, tpmFirmwareVersion, log: 'missing' }
  return { pcrs, tpmFirmwareVersion, log: provenBy(pcrs, new BootLog(content, hash)) }
}

function provenBy(pcrs: PcrValues, log: BootLog): ReportedBoot['log'] {
  for (const [bank, values] of pcrs) {
    if (bank !== 'sha256' && bank !== 'sha384') continue
    try {
      return log.verify(bank, values)
    } catch (error) {
      if (error instanceof OutcomeError) return error
      throw error
    }
  }
  return 'not-reported'
}

const isProven = (log: ReportedBoot['log']): log is ReplayedLog =>
  typeof log === 'object' && !(log instanceof OutcomeError)

/** The proven log of a reported boot, or undefined. */
export const provenLogOf = (boot: ReportedBoot | undefined): ReplayedLog | undefined =>
  boot !== undefined && isProven(boot.log) ? boot.log : undefined

/**
 * Reference events that all of these boots keep, and what had to be let vary for it. Undefined if the first is too
 * long for a reference or one of the others is of another bank.
 */
export function proposeFrom(first: ReplayedLog, others: readonly ReplayedLog[]): BootProposal | undefined {
  const reference = captureBootReference(first, hash)
  if (reference === undefined || others.some(({ bank }) => bank !== first.bank)) return undefined
  return proposeBootReference(
    reference,
    others.map((log) => measuredEvents(log, hash)),
  )
}

/** Stores reference events under their digest, which is returned. */
export async function saveBootReference(store: Store, vendor: string, reference: BootReference): Promise<Uint8Array> {
  const rules = encodeBootReference(reference)
  const digest = new Uint8Array(sha256(utf8(rules)))
  await store.bootReferences.save(vendor, digest, rules)
  return digest
}

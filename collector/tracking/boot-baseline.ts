import { equal, utf8 } from '../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { IMA_PCR } from '../../shared/eventlog/constants.ts'
import { compareBoot } from '../../shared/eventlog/reference/compare.ts'
import { captureBootReference, MAX_RULES, measuredEvents } from '../../shared/eventlog/reference/capture.ts'
import { decodeBootReference, encodeBootReference } from '../../shared/eventlog/reference/encoding.ts'
import { proposeBootReference, type BootProposal } from '../../shared/eventlog/reference/propose.ts'
import type { BootReference } from '../../shared/eventlog/reference/types.ts'
import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import { decodeEvidence } from '../../shared/evidence/evidence.ts'
import { pcrValuesFromCbor } from '../../shared/evidence/tpm-evidence.ts'
import { parseQuoteAttest } from '../../shared/tpm/attest.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { BootLog } from '../appraisal/boot-log.ts'
import type { DeviceState } from '../model/device.ts'
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

/** The evidence that the state of a device speaks of: the newest fresh one, in the order of the device itself. */
export function newestEvidence(
  store: Store,
  deviceId: number,
  { freshSession, freshSequence }: Pick<DeviceState, 'freshSession' | 'freshSequence'>,
): Promise<EvidenceRecord | undefined> {
  if (freshSession === null || freshSequence === null) return Promise.resolve(undefined)
  return store.evidence.find(deviceId, freshSession, freshSequence)
}

/** Reference values for several boots, with what has to vary for it, and what no rules can express. */
export interface GoldenProposal {
  readonly reference: BootReference
  /** SHA-256 of the encoding: names the proposal, so that nothing else is approved than what was looked at. */
  readonly digest: Uint8Array
  readonly tolerances: BootProposal['tolerances']
  /** In words. With any of these it is not to be approved. */
  readonly conflicts: readonly string[]
}

/** A boot whose log is proven. */
export type ProvenReport = ReportedBoot & { readonly log: ReplayedLog }
export const isProvenReport = (boot: ReportedBoot | undefined): boot is ProvenReport => provenLogOf(boot) !== undefined

/** Undefined where a log is too long for a reference. The first boot gives the order of events. */
export function proposeFrom(first: ProvenReport, others: readonly ProvenReport[]): GoldenProposal | undefined {
  const reference = captureBootReference(first.log, hash)
  if (reference === undefined || others.some(({ log }) => log.events.length > MAX_RULES)) return undefined
  const alike = others.filter(({ log }) => log.bank === first.log.bank)
  const events = alike.map(({ log }) => measuredEvents(log, hash))
  const proposal = proposeBootReference(reference, events)
  const conflicts = [
    ...(alike.length < others.length ? ['they quote different PCR banks'] : []),
    ...proposal.conflicts.map((pcr) => `PCR ${pcr} differs in a way that no rules can express`),
    ...others.flatMap((other) => valueConflicts(first, other)),
  ]
  const digest = new Uint8Array(sha256(utf8(encodeBootReference(proposal.reference))))
  return { ...proposal, digest, conflicts: [...new Set(conflicts)] }
}

/** What events do not tell: values without a log, the start of PCR 0, the TPM itself. */
function valueConflicts(first: ProvenReport, other: ProvenReport): string[] {
  const conflicts: string[] = []
  if (first.tpmFirmwareVersion !== other.tpmFirmwareVersion)
    conflicts.push('the firmware versions of their TPMs differ')
  if (first.log.startupLocality !== other.log.startupLocality) conflicts.push('their TPMs were started differently')
  const [before, after] = [first.pcrs.get(first.log.bank), other.pcrs.get(first.log.bank)]
  for (const pcr of new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])) {
    const [own, theirs] = [before?.get(pcr), after?.get(pcr)]
    if (own === undefined || theirs === undefined) {
      conflicts.push(`only some of them quote PCR ${pcr}`)
      continue
    }
    const isTold = [first, other].every(({ log }) => log.pcrs.get(pcr)?.status !== 'not-logged')
    if (pcr !== IMA_PCR && !isTold && !equal(own, theirs)) conflicts.push(`PCR ${pcr} differs, and no log tells why`)
  }
  return conflicts
}

/** Whether a proven boot keeps these reference events in every PCR. */
export function conformsTo(reference: BootReference, log: ReplayedLog): boolean {
  const { explained, differences } = compareBoot(reference, log, new Set(log.pcrs.keys()), hash)
  return differences.length === 0 && reference.pcrs.every(({ pcr }) => explained.has(pcr))
}

/** Stores reference events under their digest, which is returned. */
export async function saveBootReference(store: Store, vendor: string, reference: BootReference): Promise<Uint8Array> {
  const rules = encodeBootReference(reference)
  if (decodeBootReference(rules) === undefined) throw new Error('reference events that could not be read again')
  const digest = new Uint8Array(sha256(utf8(rules)))
  await store.bootReferences.save(vendor, digest, rules)
  return digest
}

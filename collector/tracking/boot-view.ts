import { hash } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { EventLogProblem } from '../../shared/eventlog/problem.ts'
import { measuredEvents, type MeasuredEvent } from '../../shared/eventlog/reference/capture.ts'
import { decodeBootReference } from '../../shared/eventlog/reference/encoding.ts'
import { checkFirmwarePcrs } from '../../shared/eventlog/rules.ts'
import { secureBootState } from '../../shared/eventlog/secure-boot.ts'
import type { SecureBootState } from '../../shared/eventlog/secure-boot-state.ts'
import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import { pcrValuesFromCbor } from '../../shared/evidence/tpm-evidence.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { bootDeviations } from '../appraisal/boot-deviations.ts'
import type { Deviation } from '../appraisal/context.ts'
import type { Device } from '../model/device.ts'
import type { Store } from '../store/index.ts'
import { newestEvidence, reportedBoot } from './boot-baseline.ts'

/** What a proven log says, for people. */
export interface ProvenBoot {
  readonly log: ReplayedLog
  readonly secureBoot: SecureBootState
  /** What of the log is not as the profile wants it. Much firmware has some; a person judges it once. */
  readonly problems: readonly EventLogProblem[]
  readonly events: readonly (MeasuredEvent & { readonly pcr: number })[]
}

/** How a device has booted, as its newest fresh evidence proves it. */
export interface BootView {
  readonly receivedAt: number
  readonly tpmFirmwareVersion: bigint
  readonly pcrs: PcrValues
  /** The log, or why there is none that is proven. */
  readonly boot: ProvenBoot | 'not-reported' | 'missing' | OutcomeError
  /** How it departs from what was approved; null where nothing was, and while the log is awaited. */
  readonly deviations: readonly Deviation[] | null
}

/** Undefined for a device that has sent no fresh evidence with a valid quote. */
export async function bootView(store: Store, device: Device): Promise<BootView | undefined> {
  const record = await newestEvidence(store, device.id, await store.devices.stateOf(device.id))
  const reported = record === undefined ? undefined : await reportedBoot(store, device.vendor, record)
  if (record === undefined || reported === undefined) return undefined
  const { pcrs, tpmFirmwareVersion, log } = reported
  const proven = typeof log === 'object' && !(log instanceof OutcomeError) ? log : undefined
  return {
    receivedAt: record.receivedAt,
    tpmFirmwareVersion,
    pcrs,
    boot: typeof log === 'object' && !(log instanceof OutcomeError) ? explained(log) : log,
    deviations: log === 'missing' ? null : await deviationsOf(store, device, pcrs, proven),
  }
}

function explained(log: ReplayedLog): ProvenBoot {
  const events = [...measuredEvents(log, hash)].flatMap(([pcr, measured]) =>
    measured.map((event) => ({ ...event, pcr })),
  )
  return {
    log,
    secureBoot: secureBootState(log, hash),
    problems: checkFirmwarePcrs(log, hash),
    events: events.sort((a, b) => a.sequence - b.sequence),
  }
}

async function deviationsOf(
  store: Store,
  { id, productId, vendor }: Device,
  pcrs: PcrValues,
  log: ReplayedLog | undefined,
): Promise<readonly Deviation[] | null> {
  const approved = await store.references.newestFor(id, productId)
  if (approved === undefined || approved.pcrDigest === null) return null
  const values = await store.pcrSets.find(vendor, approved.pcrDigest)
  if (values === undefined) return null
  const { bootReferenceDigest } = approved
  const rules = bootReferenceDigest === null ? undefined : await store.bootReferences.find(vendor, bootReferenceDigest)
  const bootReference = rules === undefined ? null : (decodeBootReference(rules) ?? null)
  return bootDeviations({ pcrs: pcrValuesFromCbor(values), bootReference }, pcrs, log, () => false, hash).deviations
}

import { equal, fromHex } from '../../shared/bytes/bytes.ts'
import type { HashFunction } from '../../shared/crypto/crypto.ts'
import { IMA_PCR } from '../../shared/eventlog/constants.ts'
import { measuredEvents } from '../../shared/eventlog/reference/capture.ts'
import type { BootReference } from '../../shared/eventlog/reference/types.ts'
import type { ReplayedLog } from '../../shared/eventlog/types.ts'
import type { PcrBank } from '../../shared/tpm/constants.ts'
import type { PcrValues } from '../../shared/tpm/pcr-selection.ts'
import { bootDeviations, eventFinding, type BootDeviations } from '../appraisal/boot-deviations.ts'
import type { Deviation } from '../appraisal/context.ts'
import type { ExpectedBoot } from './compiled.ts'

/** A boot as a verified quote, and the log that it proves, tell it. */
export interface MeasuredBoot {
  readonly pcrs: PcrValues
  readonly tpmFirmwareVersion: bigint
  /** Undefined without a proven log. */
  readonly log: ReplayedLog | undefined
  /** Whether a log that may explain values of a PCR was named, and has not arrived. */
  readonly awaited: (pcr: number, reference: BootReference | null) => boolean
}

/** How a measured boot departs from what a release expects of it. */
export function judgeBoot(expected: ExpectedBoot, measured: MeasuredBoot, hash: HashFunction): BootDeviations {
  const { reference } = expected
  const approved = { pcrs: nearestValues(expected, measured.pcrs), bootReference: reference }
  const awaited = (pcr: number): boolean => measured.awaited(pcr, reference)
  const found = bootDeviations(approved, measured.pcrs, measured.log, awaited, hash)
  const named = namedEvents(expected, measured, hash)
  // Banks are compared that the release names: where it names none, nothing was compared.
  const unapproved =
    approved.pcrs.size === 0 ? [...measured.pcrs.values()].flatMap((bank) => [...bank.keys()]) : found.unapproved
  return {
    deviations: [...found.deviations, ...firmwareDeviations(expected, measured), ...named.deviations],
    undecided: found.undecided || named.undecided,
    eventsUndecided: found.eventsUndecided,
    unapproved: unapproved.filter((pcr) => pcr !== IMA_PCR && !expected.notJudged.includes(pcr)),
  }
}

/** Of several allowed values the measured one, where it is among them, and the first where none is. */
function nearestValues({ pcrs }: ExpectedBoot, measured: PcrValues): PcrValues {
  const values = new Map<PcrBank, Map<number, Uint8Array>>()
  for (const { bank, pcr, values: allowed } of pcrs) {
    const found = measured.get(bank)?.get(pcr)
    const all = allowed.map(fromHex)
    const value = all.find((each) => found !== undefined && equal(each, found)) ?? all[0]
    if (value === undefined) continue
    const ofBank = values.get(bank) ?? new Map<number, Uint8Array>()
    values.set(bank, ofBank.set(pcr, value))
  }
  return values
}

const firmwareText = (version: bigint): string => version.toString(16).padStart(16, '0')

function firmwareDeviations({ tpmFirmware }: ExpectedBoot, { tpmFirmwareVersion }: MeasuredBoot): Deviation[] {
  const after = firmwareText(tpmFirmwareVersion)
  if (tpmFirmware.length === 0 || tpmFirmware.includes(after)) return []
  return [{ code: 'boot.tpm-firmware-changed', subject: 'tpm firmware', before: tpmFirmware.join(' or '), after }]
}

/** Events that a release knows by their name alone: each of that name has to have an allowed digest, and one has to be there. */
function namedEvents(
  expected: ExpectedBoot,
  { log, awaited }: MeasuredBoot,
  hash: HashFunction,
): { readonly deviations: readonly Deviation[]; readonly undecided: boolean } {
  const { namedEvents: wanted, reference } = expected
  if (wanted.length === 0) return { deviations: [], undecided: false }
  // The events of a log that is on its way may be as expected; without one they were not measured.
  if (log === undefined && awaited(4, reference)) return { deviations: [], undecided: true }
  const events = log === undefined ? [] : [...measuredEvents(log, hash).values()].flat()
  const deviations = wanted.flatMap(({ name, bank, digests }): Deviation[] => {
    const found = events.filter((event) => event.name === name)
    const before = digests.map((digest) => `${digest.slice(0, 16)}…`).join(' or ')
    if (found.length === 0 || log?.bank !== bank) {
      return [{ code: 'boot.event-changed', subject: name, before, after: 'no proven log measures it in this bank' }]
    }
    const other = found.find(({ digest }) => !digests.includes(digest))
    return other === undefined
      ? []
      : [{ code: eventFinding(other.part), subject: name, before, after: `${other.digest.slice(0, 16)}…` }]
  })
  return { deviations, undecided: false }
}

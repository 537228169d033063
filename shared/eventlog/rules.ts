import { equal, utf8 } from '../bytes/bytes.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { EVENT_TYPE, eventTypeName, type EventTypeName } from './constants.ts'
import { proofOf } from './digests.ts'
import type { EventLogProblem } from './problem.ts'
import type { ReplayedEvent, ReplayedLog } from './types.ts'

/**
 * Types that have a meaning in each of PCRs 0 to 7, PFP section 3.3.4, and those that real firmware writes besides
 * (EV_POST_CODE for ACPI tables, EV_NONHOST_INFO of hypervisors, tagged events of boot loaders). A type that is not
 * listed could hide anything. PCR 7 is judged event by event in ./secure-boot.ts.
 */
const ANY_FIRMWARE_PCR: readonly EventTypeName[] = [
  'EV_SEPARATOR',
  'EV_EFI_ACTION',
  'EV_ACTION',
  'EV_EVENT_TAG',
  'EV_POST_CODE',
  'EV_POST_CODE2',
  'EV_COMPACT_HASH',
  'EV_OMIT_BOOT_DEVICE_EVENTS',
]
const FIRMWARE_CODE: readonly EventTypeName[] = [
  'EV_S_CRTM_CONTENTS',
  'EV_S_CRTM_VERSION',
  'EV_EFI_HCRTM_EVENT',
  'EV_EFI_PLATFORM_FIRMWARE_BLOB',
  'EV_EFI_PLATFORM_FIRMWARE_BLOB2',
  'EV_EFI_BOOT_SERVICES_DRIVER',
  'EV_EFI_RUNTIME_SERVICES_DRIVER',
  'EV_EFI_BOOT_SERVICES_APPLICATION',
  'EV_EFI_SPDM_FIRMWARE_BLOB',
  'EV_NONHOST_CODE',
  'EV_NONHOST_INFO',
  'EV_CPU_MICROCODE',
]
const FIRMWARE_CONFIGURATION: readonly EventTypeName[] = [
  'EV_CPU_MICROCODE',
  'EV_PLATFORM_CONFIG_FLAGS',
  'EV_TABLE_OF_DEVICES',
  'EV_EFI_HANDOFF_TABLES',
  'EV_EFI_HANDOFF_TABLES2',
  'EV_EFI_VARIABLE_DRIVER_CONFIG',
  'EV_EFI_VARIABLE_BOOT',
  'EV_EFI_VARIABLE_BOOT2',
  'EV_EFI_SPDM_FIRMWARE_CONFIG',
  'EV_NONHOST_CONFIG',
  'EV_NONHOST_INFO',
]
const BOOT_LOADER: readonly EventTypeName[] = [
  'EV_IPL',
  'EV_IPL_PARTITION_DATA',
  'EV_EFI_BOOT_SERVICES_APPLICATION',
  'EV_EFI_BOOT_SERVICES_DRIVER',
  'EV_EFI_RUNTIME_SERVICES_DRIVER',
]
const BOOT_CONFIGURATION: readonly EventTypeName[] = [
  'EV_IPL',
  'EV_IPL_PARTITION_DATA',
  'EV_EFI_GPT_EVENT',
  'EV_EFI_GPT_EVENT2',
  'EV_EFI_VARIABLE_BOOT',
  'EV_EFI_VARIABLE_BOOT2',
  'EV_EFI_VARIABLE_DRIVER_CONFIG',
]
const MANUFACTURER: readonly EventTypeName[] = ['EV_NONHOST_CODE', 'EV_NONHOST_CONFIG', 'EV_NONHOST_INFO']
const SECURE_BOOT: readonly EventTypeName[] = [
  'EV_EFI_VARIABLE_DRIVER_CONFIG',
  'EV_EFI_VARIABLE_AUTHORITY',
  'EV_EFI_SPDM_DEVICE_POLICY',
  'EV_EFI_SPDM_DEVICE_AUTHORITY',
]

const ALLOWED: ReadonlyMap<number, ReadonlySet<EventTypeName>> = new Map(
  [
    [0, FIRMWARE_CODE],
    [1, FIRMWARE_CONFIGURATION],
    // Some firmware measures here, and not in PCR 7, which key allowed the driver of a device.
    [2, [...FIRMWARE_CODE, 'EV_EFI_VARIABLE_DRIVER_CONFIG' as const, 'EV_EFI_VARIABLE_AUTHORITY' as const]],
    [3, FIRMWARE_CONFIGURATION],
    [4, BOOT_LOADER],
    [5, BOOT_CONFIGURATION],
    [6, MANUFACTURER],
    [7, SECURE_BOOT],
  ].map(([pcr, types]) => [pcr as number, new Set([...ANY_FIRMWARE_PCR, ...(types as readonly EventTypeName[])])]),
)

/** EV_SEPARATOR, PFP section 10.4.1: the two regular values. 1 tells that firmware met an error before. */
export const SEPARATOR_SIZE = 4
export const isRegularSeparator = (data: Uint8Array): boolean =>
  data.length === SEPARATOR_SIZE && (data.every((byte) => byte === 0) || data.every((byte) => byte === 0xff))

/**
 * Checks the rules of PFP section 3.3 that hold for every PCR from 0 to 7 that the log replays: known types only, and
 * one separator, proven by its digest, between firmware and operating system, and nothing behind the end of boot
 * services. An empty list says no more than that.
 */
export function checkFirmwarePcrs(log: ReplayedLog, hash: HashFunction): readonly EventLogProblem[] {
  const problems: EventLogProblem[] = []
  // Its digest tells, whatever type the log gives it. Only PCR 5 has it, and no other order of events is proven.
  const endOfBootServices = hash(log.bank, END_OF_BOOT_SERVICES)
  for (const [pcr, allowed] of ALLOWED) {
    if (log.pcrs.get(pcr)?.status !== 'replayed') continue
    let separators = 0
    let ended = false
    for (const event of log.events.filter((candidate) => candidate.pcr === pcr)) {
      const problem = eventProblem(event, allowed)
      if (problem !== undefined) problems.push(problem)
      if (ended) problems.push({ ...at(event), code: 'eventlog.forbidden-event', detail: 'after boot services' })
      ended ||= equal(event.digest, endOfBootServices)
      if (event.claimedType !== EVENT_TYPE.EV_SEPARATOR) continue
      separators++
      const proven = proofOf(event, log.bank, hash).proof === 'data-hashed'
      if (!proven) problems.push({ code: 'eventlog.digest-mismatch', pcr, sequence: event.sequence })
      else if (!isRegularSeparator(event.data)) {
        problems.push({ code: 'eventlog.separator', pcr, sequence: event.sequence, detail: 'firmware met an error' })
      }
    }
    if (separators !== 1) problems.push({ code: 'eventlog.separator', pcr, detail: `${separators} separators` })
  }
  return problems
}

const at = ({ pcr, sequence }: ReplayedEvent) => ({ pcr, sequence })

/** PFP section 10.4.4: firmware measures this last of all, and then it is gone. */
const END_OF_BOOT_SERVICES = utf8('Exit Boot Services Returned with Success')

function eventProblem(event: ReplayedEvent, allowed: ReadonlySet<EventTypeName>): EventLogProblem | undefined {
  const name = eventTypeName(event.claimedType)
  if (name !== undefined && allowed.has(name)) return undefined
  const detail = name ?? `type 0x${event.claimedType.toString(16)}`
  return { code: 'eventlog.forbidden-event', pcr: event.pcr, sequence: event.sequence, detail }
}

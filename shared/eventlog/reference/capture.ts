import { toHex } from '../../bytes/bytes.ts'
import type { HashFunction } from '../../crypto/crypto.ts'
import { EVENT_TYPE, IMA_PCR } from '../constants.ts'
import { imageDevicePath } from '../decode/structures.ts'
import { anyText } from '../decode/text.ts'
import { describeEvent } from '../describe.ts'
import { proofOf } from '../digests.ts'
import type { ReplayedEvent, ReplayedLog } from '../types.ts'
import { isBootLoader, subjectOf, type BootProgress } from './subject.ts'
import type { BootReference, EventRule, EventSubject } from './types.ts'

/** An event of a proven log with all that rules look at. */
export interface MeasuredEvent extends EventSubject {
  readonly sequence: number
  readonly type: number
  readonly isDataHashed: boolean
  /** Lower-case hexadecimal. */
  readonly digest: string
  readonly description: string
}

const MAX_DESCRIPTION = 200

/**
 * The events of a proven log by PCR, in their order. PCR 10 belongs to the kernel's measurement list and is left out.
 * `pcrs`: which ones; all others are skipped, for hashing event data is what this costs.
 */
export function measuredEvents(
  log: ReplayedLog,
  hash: HashFunction,
  pcrs: (pcr: number) => boolean = () => true,
): ReadonlyMap<number, readonly MeasuredEvent[]> {
  const byPcr = new Map<number, MeasuredEvent[]>()
  for (const [pcr, { status }] of log.pcrs)
    if (status === 'replayed' && pcr !== IMA_PCR && pcrs(pcr)) byPcr.set(pcr, [])
  const hasImageSections = log.events.some((event) => isLinuxSection(event, log, hash))
  let afterBootLoader = false
  for (const event of log.events) {
    byPcr.get(event.pcr)?.push(measured(event, log, { afterBootLoader, hasImageSections }, hash))
    afterBootLoader ||= startsBootLoader(event)
  }
  return byPcr
}

/** systemd-stub measures the name of each section before its content: that digest proves the name. */
const isLinuxSection = (event: ReplayedEvent, { bank }: ReplayedLog, hash: HashFunction): boolean =>
  event.pcr === UNIFIED_KERNEL_IMAGE &&
  event.claimedType === EVENT_TYPE.EV_IPL &&
  anyText(event.data) === '.linux' &&
  proofOf(event, bank, hash).coverage === 'section-name'

const UNIFIED_KERNEL_IMAGE = 11

const startsBootLoader = ({ pcr, claimedType, data }: ReplayedEvent): boolean =>
  pcr === 4 && claimedType === EVENT_TYPE.EV_EFI_BOOT_SERVICES_APPLICATION && isBootLoader(imageDevicePath(data) ?? '')

function measured(
  event: ReplayedEvent,
  { bank }: ReplayedLog,
  progress: BootProgress,
  hash: HashFunction,
): MeasuredEvent {
  const { pcr, sequence, claimedType, digest, data } = event
  const proof = proofOf(event, bank, hash)
  const coverage = proof.coverage === undefined ? {} : { coverage: proof.coverage }
  const description = describeEvent({ pcr, claimedType, data, ...coverage }, hash)
  return {
    ...subjectOf(event, proof, progress),
    sequence,
    type: claimedType,
    isDataHashed: proof.proof === 'data-hashed',
    digest: toHex(digest),
    description: description.length <= MAX_DESCRIPTION ? description : `${description.slice(0, MAX_DESCRIPTION - 1)}…`,
  }
}

/** Real boots measure up to a few hundred events, with a verbose GRUB about a thousand. */
export const MAX_RULES = 4000

/** Rules that allow exactly what this log measured; undefined for a log of too many events to be anybody's reference. */
export function captureBootReference(log: ReplayedLog, hash: HashFunction): BootReference | undefined {
  if (log.events.length > MAX_RULES) return undefined
  const pcrs = [...measuredEvents(log, hash)]
    .sort(([a], [b]) => a - b)
    .map(([pcr, events]) => ({ pcr, isUnordered: false, rules: events.map(exactRule) }))
  return { bank: log.bank, startupLocality: log.startupLocality, pcrs }
}

export function exactRule(event: MeasuredEvent): EventRule {
  const { part, name, isContainer, type, isDataHashed, digest, description } = event
  return { part, name, isContainer, type, isDataHashed, digests: [digest], isOptional: false, description }
}

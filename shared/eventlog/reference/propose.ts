import { align } from './align.ts'
import { allows, comparePcr, likeness } from './compare.ts'
import { EVENT_TYPE } from '../constants.ts'
import { exactRule, MAX_RULES, type MeasuredEvent } from './capture.ts'
import type { BootReference, EventRule, PcrRules } from './types.ts'

/** What a proposal lets vary, because the given devices differ in it. For a person to look at, rule by rule. */
export interface Tolerance {
  readonly pcr: number
  readonly name: string
  readonly kind: 'any-value' | 'one-of' | 'optional' | 'any-order'
  /** Number of values seen; for `one-of` these are the ones allowed. */
  readonly values: number
}

export interface BootProposal {
  readonly reference: BootReference
  readonly tolerances: readonly Tolerance[]
  /** PCRs in which the given boots differ in a way that no rules of this kind express: not to be approved. */
  readonly conflicts: readonly number[]
}

/** Firmware and boot loader measure settings there, and no code: PFP section 3.3.4. */
const SETTINGS_PCRS: ReadonlySet<number> = new Set([1, 3, 5, 6])

/**
 * Tables of the firmware (SMBIOS with its serial numbers, ACPI) and flags, whose digest is of memory that the log does
 * not hold: what varies in them cannot be proven, and can be any one measurement of a setting.
 */
const SETTINGS_TYPES: ReadonlySet<number> = new Set([
  EVENT_TYPE.EV_EFI_HANDOFF_TABLES,
  EVENT_TYPE.EV_EFI_HANDOFF_TABLES2,
  EVENT_TYPE.EV_PLATFORM_CONFIG_FLAGS,
  EVENT_TYPE.EV_TABLE_OF_DEVICES,
])

/**
 * Rules that all of the given boots keep. The first gives the order; what differs between them is allowed to differ,
 * as little as explains it. Every boot that was given conforms to the result, but for PCRs named in `conflicts`.
 * All are of one bank. `others`: their events by PCR, from `measuredEvents`.
 */
export function proposeBootReference(
  first: BootReference,
  others: readonly ReadonlyMap<number, readonly MeasuredEvent[]>[],
): BootProposal {
  let pcrs = new Map(first.pcrs.map((rules) => [rules.pcr, rules]))
  for (const events of others) {
    const next = new Map<number, PcrRules>()
    for (const pcr of new Set([...pcrs.keys(), ...events.keys()])) {
      const known = pcrs.get(pcr) ?? { pcr, isUnordered: false, rules: [] }
      next.set(pcr, merge(known, events.get(pcr) ?? []))
    }
    pcrs = next
  }
  const merged = [...pcrs.values()].sort((a, b) => a.pcr - b.pcr)
  const reference = { bank: first.bank, startupLocality: first.startupLocality, pcrs: merged.map(widened) }
  const isExpressed = (rules: PcrRules): boolean =>
    rules.rules.length <= MAX_RULES &&
    (!rules.isUnordered || SETTINGS_PCRS.has(rules.pcr)) &&
    others.every((events) => comparePcr(rules, events.get(rules.pcr) ?? []).length === 0)
  const conflicts = reference.pcrs.filter((rules) => !isExpressed(rules)).map(({ pcr }) => pcr)
  return { reference, tolerances: merged.flatMap(tolerancesOf), conflicts }
}

function merge({ pcr, isUnordered, rules }: PcrRules, events: readonly MeasuredEvent[]): PcrRules {
  const pairs = align(rules, events, ownLikeness, allows)
  const [pairedRules, pairedEvents] = [new Set(pairs.map(([i]) => i)), new Set(pairs.map(([, j]) => j))]
  const moved = movedPartners(
    rules.filter((_, i) => !pairedRules.has(i)),
    events.filter((_, j) => !pairedEvents.has(j)),
  )
  const taken = new Set(moved.values())
  const merged: EventRule[] = []
  const addUpTo = (fromRule: number, toRule: number, fromEvent: number, toEvent: number): void => {
    for (const rule of rules.slice(fromRule, toRule)) {
      const event = moved.get(rule)
      merged.push(event === undefined ? { ...rule, isOptional: true } : withEvent(rule, event))
    }
    for (const event of events.slice(fromEvent, toEvent)) {
      if (!taken.has(event)) merged.push({ ...exactRule(event), isOptional: true })
    }
  }
  let [i, j] = [0, 0]
  for (const [nextRule, nextEvent] of pairs) {
    addUpTo(i, nextRule, j, nextEvent)
    const [rule, event] = [rules[nextRule], events[nextEvent]]
    if (rule !== undefined && event !== undefined) merged.push(withEvent(rule, event))
    ;[i, j] = [nextRule + 1, nextEvent + 1]
  }
  addUpTo(i, rules.length, j, events.length)
  return { pcr, isUnordered: isUnordered || moved.size > 0, rules: merged }
}

/** Two events of one kind and of different names are two events, of which each device has one. */
function ownLikeness(rule: EventRule, event: MeasuredEvent): number {
  const score = likeness(rule, event)
  return score > 1 ? score : 0
}

/** Of one type, part and name, in their order: what `ownLikeness` asks for, without comparing all with all. */
function movedPartners(
  rules: readonly EventRule[],
  events: readonly MeasuredEvent[],
): ReadonlyMap<EventRule, MeasuredEvent> {
  const keyOf = ({ type, part, name }: EventRule | MeasuredEvent): string => `${type} ${part} ${name}`
  const left = new Map<string, MeasuredEvent[]>()
  for (const event of events) {
    const alike = left.get(keyOf(event))
    if (alike === undefined) left.set(keyOf(event), [event])
    else alike.push(event)
  }
  const partners = new Map<EventRule, MeasuredEvent>()
  for (const rule of rules) {
    const event = left.get(keyOf(rule))?.shift()
    if (event !== undefined) partners.set(rule, event)
  }
  return partners
}

function withEvent(rule: EventRule, { digest, isDataHashed }: MeasuredEvent): EventRule {
  const digests = rule.digests === null || rule.digests.includes(digest) ? rule.digests : [...rule.digests, digest]
  return { ...rule, digests, isDataHashed: rule.isDataHashed && isDataHashed }
}

/** Whether units may have any value here. Of code and of Secure Boot keys only what was seen is allowed. */
const isFree = (pcr: number, { type, digests, isDataHashed }: EventRule): boolean =>
  SETTINGS_PCRS.has(pcr) && digests !== null && digests.length > 1 && (isDataHashed || SETTINGS_TYPES.has(type))

function widened({ pcr, isUnordered, rules }: PcrRules): PcrRules {
  return { pcr, isUnordered, rules: rules.map((rule) => (isFree(pcr, rule) ? { ...rule, digests: null } : rule)) }
}

function tolerancesOf({ pcr, isUnordered, rules }: PcrRules): Tolerance[] {
  const tolerances: Tolerance[] = []
  if (isUnordered) tolerances.push({ pcr, name: 'order of the events', kind: 'any-order', values: rules.length })
  for (const rule of rules) {
    const values = rule.digests?.length ?? 0
    if (values !== 1)
      tolerances.push({ pcr, name: rule.name, kind: isFree(pcr, rule) ? 'any-value' : 'one-of', values })
    if (rule.isOptional) tolerances.push({ pcr, name: rule.name, kind: 'optional', values })
  }
  return tolerances
}

import type { HashFunction } from '../../crypto/crypto.ts'
import type { ReplayedLog } from '../types.ts'
import { align } from './align.ts'
import { EVENT_TYPE, IMA_PCR } from '../constants.ts'
import { MAX_RULES, measuredEvents, type MeasuredEvent } from './capture.ts'
import type { BootReference, EventDifference, EventRule, PcrRules } from './types.ts'

/** Whether an event of this digest is what the rule allows. */
export function allows(rule: EventRule, event: MeasuredEvent): boolean {
  if (rule.type !== event.type || (rule.isDataHashed && !event.isDataHashed)) return false
  // Where any digest is allowed, the name is all that tells the event from others.
  return rule.digests === null ? rule.name === event.name : rule.digests.includes(event.digest)
}

/**
 * How much speaks for an event being a rule's, whatever its digest: 0 for nothing. One that a required rule and an
 * optional one allow belongs to the required one.
 */
export function likeness(rule: EventRule, event: MeasuredEvent): number {
  if (allows(rule, event)) return rule.isOptional ? 8 : 9
  if (rule.type !== event.type || rule.part !== event.part) return 0
  return rule.name === event.name ? 2 : 1
}

/** Where a log departs from the rules of one PCR; empty if it does not. */
export function comparePcr({ pcr, isUnordered, rules }: PcrRules, events: readonly MeasuredEvent[]): EventDifference[] {
  if (!isUnordered) return compareSequence(pcr, false, rules, events)
  // What firmware measures and what runs after it never trade places: the separator stands between them.
  const [ruled, measured] = [splitAtSeparator(rules), splitAtSeparator(events)]
  return ruled.flatMap((side, index) => compareSequence(pcr, true, side, measured[index] ?? []))
}

/** The events before the first separator, and it with those behind. */
function splitAtSeparator<T extends { readonly type: number }>(
  list: readonly T[],
): [before: readonly T[], behind: readonly T[]] {
  const at = list.findIndex(({ type }) => type === EVENT_TYPE.EV_SEPARATOR)
  return at < 0 ? [list, []] : [list.slice(0, at), list.slice(at)]
}

function compareSequence(
  pcr: number,
  isUnordered: boolean,
  rules: readonly EventRule[],
  events: readonly MeasuredEvent[],
): EventDifference[] {
  const differences: EventDifference[] = []
  const leftRules = new Set(isUnordered ? [...rules].sort((a, b) => leniency(a) - leniency(b)) : rules)
  const leftEvents = new Set(events)
  const take = (rule: EventRule, event: MeasuredEvent): void => {
    leftRules.delete(rule)
    leftEvents.delete(event)
    if (!allows(rule, event)) differences.push(difference('changed', pcr, rule, event))
  }
  if (!isUnordered) {
    for (const [i, j] of align(rules, events, likeness, allows)) {
      const [rule, event] = [rules[i], events[j]]
      if (rule !== undefined && event !== undefined) take(rule, event)
    }
  }
  // What is left has no partner in the order. It is moved, or changed at another place, before it is new or gone.
  for (const { rule, event } of matchLeft(leftRules, leftEvents, isUnordered ? STAGES : STAGES.slice(0, 1))) {
    if (isUnordered) take(rule, event)
    else {
      leftRules.delete(rule)
      leftEvents.delete(event)
      differences.push(difference('moved', pcr, rule, event))
    }
  }
  for (const rule of leftRules) if (!rule.isOptional) differences.push(difference('removed', pcr, rule, undefined))
  for (const event of leftEvents) differences.push(difference('added', pcr, undefined, event))
  return differences
}

/** Strict rules choose first, so that a lenient one does not take the only event that they allow. */
const leniency = ({ digests, isOptional }: EventRule): number =>
  (isOptional ? 1e6 : 0) + (digests === null ? 1e5 : digests.length)

interface Stage {
  readonly ofRule: (rule: EventRule) => readonly string[]
  readonly ofEvent: (event: MeasuredEvent) => readonly string[]
}

/** By what rules and events find each other regardless of order, best first. Each takes one pass, whatever the number. */
const STAGES: readonly Stage[] = [
  {
    ofRule: ({ type, digests, name }) =>
      digests === null ? [`${type} any ${name}`] : digests.map((digest) => `${type} ${digest}`),
    ofEvent: ({ type, digest, name }) => [`${type} ${digest}`, `${type} any ${name}`],
  },
  {
    ofRule: ({ type, part, name }) => [`${type} ${part} ${name}`],
    ofEvent: ({ type, part, name }) => [`${type} ${part} ${name}`],
  },
  { ofRule: ({ type, part }) => [`${type} ${part}`], ofEvent: ({ type, part }) => [`${type} ${part}`] },
]

function* matchLeft(
  leftRules: ReadonlySet<EventRule>,
  leftEvents: ReadonlySet<MeasuredEvent>,
  stages: readonly Stage[],
): Generator<{ rule: EventRule; event: MeasuredEvent }> {
  for (const [index, { ofRule, ofEvent }] of stages.entries()) {
    const byKey = new Map<string, MeasuredEvent[]>()
    for (const event of leftEvents) {
      for (const key of ofEvent(event)) {
        const events = byKey.get(key)
        if (events === undefined) byKey.set(key, [event])
        else events.push(event)
      }
    }
    for (const events of byKey.values()) events.reverse()
    for (const rule of leftRules) {
      const event = ofRule(rule)
        .map((key) => nextLeft(byKey.get(key) ?? [], leftEvents))
        .find((candidate) => candidate !== undefined)
      if (event !== undefined && (index > 0 || allows(rule, event))) yield { rule, event }
    }
  }
}

function nextLeft(events: MeasuredEvent[], left: ReadonlySet<MeasuredEvent>): MeasuredEvent | undefined {
  let event = events.at(-1)
  while (event !== undefined && !left.has(event)) {
    events.pop()
    event = events.at(-1)
  }
  return event
}

function difference(
  kind: EventDifference['kind'],
  pcr: number,
  rule: EventRule | undefined,
  event: MeasuredEvent | undefined,
): EventDifference {
  const { part, name, isContainer } = event ?? rule ?? { part: 'other', name: '', isContainer: false }
  return {
    kind,
    pcr,
    part,
    name,
    isContainer,
    ...(rule === undefined ? {} : { before: { digests: rule.digests, description: rule.description } }),
    ...(event === undefined
      ? {}
      : { after: { digest: event.digest, description: event.description, sequence: event.sequence } }),
  }
}

/** The start of PCR 0 is proven by its value: no event tells it that could be compared. */
function localityDifference(before: number, after: number): EventDifference {
  const text = (locality: number): string => `TPM2_Startup from locality ${locality}`
  return {
    kind: 'changed',
    pcr: 0,
    part: 'firmware',
    name: 'startup locality',
    isContainer: false,
    before: { digests: null, description: text(before) },
    after: { digest: '', description: text(after), sequence: 0 },
  }
}

/** What is known of the PCRs that were asked for. */
export interface BootComparison {
  /** PCRs that the log and the rules both explain: their differences are all that there is to say. */
  readonly explained: ReadonlySet<number>
  readonly differences: readonly EventDifference[]
}

/**
 * Compares a proven log with reference events, for those PCRs that `wanted` names: hashing event data costs more than
 * everything else, so the caller leaves out PCRs that have their approved value. A PCR that only one of the two has
 * events for is explained too: all of them are removed, or added.
 */
export function compareBoot(
  reference: BootReference,
  log: ReplayedLog,
  wanted: ReadonlySet<number>,
  hash: HashFunction,
): BootComparison {
  const explained = new Set<number>()
  const differences: EventDifference[] = []
  if (reference.bank !== log.bank) return { explained, differences }
  const measured = measuredEvents(log, hash, (pcr) => wanted.has(pcr))
  const rules = new Map(reference.pcrs.map((pcrRules) => [pcrRules.pcr, pcrRules]))
  for (const pcr of wanted) {
    const status = log.pcrs.get(pcr)?.status
    const own = rules.get(pcr)
    // The kernel's list has PCR 10, whatever a firmware's log says of it.
    if (pcr === IMA_PCR || status === undefined || status === 'not-logged') continue
    if ((own === undefined && status === 'untouched') || (measured.get(pcr)?.length ?? 0) > MAX_RULES) continue
    explained.add(pcr)
    if (pcr === 0 && log.startupLocality !== reference.startupLocality) {
      differences.push(localityDifference(reference.startupLocality, log.startupLocality))
    }
    differences.push(...comparePcr(own ?? { pcr, isUnordered: false, rules: [] }, measured.get(pcr) ?? []))
  }
  return { explained, differences }
}

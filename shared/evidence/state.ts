import type { CborField } from '../cbor/fields.ts'
import type { CborKey, CborMap } from '../cbor/value.ts'
import { fitsUtf8, utf8 } from '../bytes/bytes.ts'

/** What differs per unit or per report, such as the age of the last update check. Bounded, and never in a section. */
export type State = ReadonlyMap<string, StateScalar>
export type StateScalar = number | boolean | string

/** Number of the newest result that the device holds: what a collector need not send again. */
export const HELD_RESULT = 'agent.result'

/** Seconds from one report to the next, of an agent that reports less often than is usual. */
export const REPORT_INTERVAL = 'agent.interval'

/**
 * Names that travel as integers, because they are in every evidence. A collector does not know a later label than its
 * own, so it is upgraded before its agents; from older agents it takes the names that got a label since as text.
 */
export const STATE_LABELS: ReadonlyMap<string, number> = new Map([
  ['update-channel.last-check-age', 1],
  ['update-channel.last-check-source', 2],
  ['sockets.own-addresses', 3],
  ['sockets.replaced-executables', 4],
  ['outbox.dropped', 5],
  ['outbox.refused', 6],
  ['outbox.waiting', 7],
  ['agent.rss-kib', 8],
  ['agent.cpu-ms', 9],
  ['agent.bytes-sent', 10],
  ['agent.restarts', 11],
  ['agent.helper', 12],
  ['agent.helper-cpu-ms', 13],
  [HELD_RESULT, 14],
  [REPORT_INTERVAL, 15],
  ['sockets.samples', 16],
  ['sockets.sample-seconds', 17],
  ['sockets.short-lived', 18],
  ['agent.helper-age', 19],
  ['tpm.lockout-counter', 20],
  ['system.stale-processes', 21],
  ['patch-level.metadata-age', 22],
  ['update-channel.key-expiry', 23],
  ['update-channel.last-install-age', 24],
  ['sockets.namespaces', 25],
  ['sockets.short-lived-places', 26],
  ['patch-level.slot', 27],
])
/** Those after it travelled as text once. */
const LAST_FIRST_LABEL = 13
const names: ReadonlyMap<CborKey, string> = new Map([...STATE_LABELS].map(([name, label]) => [label, name]))

/** Twice what all sensors can tell together. */
export const MAX_STATE_ENTRIES = 64
/** In bytes, as all sizes of texts. */
export const MAX_STATE_KEY = 32
export const MAX_STATE_TEXT = 256

export function stateToCbor(state: State): CborMap {
  return new Map([...state].map(([name, value]) => [STATE_LABELS.get(name) ?? name, value] as const))
}

/** Refuses the message under the field's own code. A name comes once, whichever way it is spelt. */
export function readState(map: CborField): State {
  const entries = new Map<string, StateScalar>()
  for (const [key, item] of map.entries({ max: MAX_STATE_ENTRIES })) {
    const name = names.get(key) ?? textKey(map, key)
    if (entries.has(name)) return item.refuse('the same name as text and as a label')
    const { value } = item
    if (typeof value === 'string' && !fitsUtf8(value, MAX_STATE_TEXT)) return item.refuse('a long text')
    entries.set(name, typeof value === 'string' || typeof value === 'boolean' ? value : item.integer())
  }
  return entries
}

/**
 * What a collector takes of these: the first that fit, texts cut where they are too long, and nothing that is no name
 * or no scalar of the wire. Otherwise one value of one sensor would have the whole message refused.
 */
export function boundedState(entries: Iterable<readonly [string, unknown]>): State {
  const state = new Map<string, StateScalar>()
  for (const [name, value] of entries) {
    if (!state.has(name) && state.size >= MAX_STATE_ENTRIES) continue
    if (name === '' || !fitsUtf8(name, MAX_STATE_KEY)) continue
    if (typeof value === 'string') state.set(name, cutText(value))
    else if (typeof value === 'boolean') state.set(name, value)
    // There is one zero on the wire.
    else if (Number.isSafeInteger(value)) state.set(name, (value as number) + 0)
  }
  return state
}

function cutText(text: string): string {
  // No character is shorter than a byte.
  let cut = text.slice(0, MAX_STATE_TEXT).replace(/\p{Surrogate}|^\ufeff/gu, '?')
  while (utf8(cut).length > MAX_STATE_TEXT) cut = cut.replace(/.$/su, '')
  return cut
}

function textKey(map: CborField, key: CborKey): string {
  if (typeof key !== 'string') return map.refuse(`label ${key} is not known`)
  const wasText = (STATE_LABELS.get(key) ?? Infinity) > LAST_FIRST_LABEL
  const isName = key !== '' && fitsUtf8(key, MAX_STATE_KEY) && wasText
  return isName ? key : map.refuse('a key is not a short text without a label')
}

import { decodeCbor, encodeCbor } from '../../shared/cbor/codec.ts'
import { field, type CborField } from '../../shared/cbor/fields.ts'
import type { CborMap, CborValue } from '../../shared/cbor/value.ts'
import { hash } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { readState, stateToCbor, type State } from '../../shared/evidence/state.ts'
import { decodeSection, encodeSection, MAX_SECTION_BYTES } from '../../shared/posture/canonical.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import { SECTION_IDS, type SectionId } from '../../shared/posture/sections.ts'
import { alreadyEncoded, failed } from '../sensors/sendable.ts'
import { LOGS, MAX_ANSWER_BYTES, PROTOCOL_VERSION, type LogProbe, type ProbeId } from './protocol.ts'

/** Tells which system was measured: an answer of another one must not be taken for this one's. */
export interface SystemIdentity {
  /** The kernel's boot id, 16 bytes. */
  readonly boot: Uint8Array
  /** Device and inode of the root directory. */
  readonly root: string
}

/** What every answer says. */
interface Answered extends SystemIdentity {
  /** Processor time of the helper and of the commands that it ran, in milliseconds. */
  readonly cpuMs: number
}

/** One section as the helper measured it. */
export interface HelperReading {
  readonly section: SectionId
  readonly reading: SectionReading
  /** The same in its wire form, where it is at hand. */
  readonly bytes?: Uint8Array
  /** Keys begin with the section's own name. */
  readonly state: State
  readonly cpuMs: number
  /** For the local log and the doctor command, where there is no content; empty otherwise. Not printable as it is. */
  readonly detail: string
}

export interface SectionsAnswer extends Answered {
  readonly readings: readonly HelperReading[]
}

export const LOG_STATUSES = ['found', 'absent', 'no-permission', 'too-large', 'unreadable'] as const

export type LogContent =
  | { readonly status: 'found'; readonly content: Uint8Array }
  | { readonly status: Exclude<(typeof LOG_STATUSES)[number], 'found'> }

export interface LogAnswer extends Answered {
  readonly log: LogContent
}

export const MAX_DETAIL = 512
const MAX_ROOT = 64
const BOOT_ID_BYTES = 16
const MAX_ITEMS = 4096
const HEAD = ['version', 'probe', 'boot', 'root', 'cpuMs'] as const

function head(probe: ProbeId, { boot, root, cpuMs }: Answered): [string, CborValue][] {
  return [
    ['version', PROTOCOL_VERSION],
    ['probe', probe],
    ['boot', boot],
    ['root', root],
    ['cpuMs', cpuMs],
  ]
}

/** Reads what every answer says; `key` is the one thing that this one says beside it. */
function open(
  bytes: Uint8Array,
  probe: ProbeId,
  key: string,
): { readonly answered: Answered; readonly rest: CborField } {
  const item = decodeCbor(bytes, { maxBytes: MAX_ANSWER_BYTES[probe], maxDepth: 5, maxItems: MAX_ITEMS })
  const answer = field(item, 'section.malformed', 'answer').requireOnly([...HEAD, key])
  answer.at('version').uint({ min: PROTOCOL_VERSION, max: PROTOCOL_VERSION })
  answer.at('probe').oneOf([probe])
  const answered = {
    boot: Uint8Array.from(answer.at('boot').bytes({ length: BOOT_ID_BYTES })),
    root: answer.at('root').text({ max: MAX_ROOT }),
    cpuMs: answer.at('cpuMs').uint(),
  }
  return { answered, rest: answer.at(key) }
}

export function encodeSectionsAnswer(answer: SectionsAnswer): Uint8Array {
  return encodeCbor(new Map([...head('sections', answer), ['readings', answer.readings.map(readingToCbor)]]))
}

function readingToCbor({ section, reading, bytes, state, cpuMs, detail }: HelperReading): CborMap {
  return new Map<string, CborValue>([
    ['section', section],
    ['reading', bytes ?? encodeSection(section, reading, hash).bytes],
    ['state', stateToCbor(state)],
    ['cpuMs', cpuMs],
    ['detail', detail],
  ])
}

/**
 * Readings are checked against the schemas of their sections: one that does not fit has failed, and takes nothing else
 * with it. Throws OutcomeError, for all of the answer: `section.*` or `cbor.*`.
 */
export function decodeSectionsAnswer(bytes: Uint8Array): SectionsAnswer {
  const { answered, rest } = open(bytes, 'sections', 'readings')
  const readings = rest.array({ max: SECTION_IDS.length }).map(readReading)
  const sections = new Set(readings.map(({ section }) => section))
  return sections.size === readings.length ? { ...answered, readings } : rest.refuse('a section comes twice')
}

function readReading(item: CborField): HelperReading {
  item.requireOnly(['section', 'reading', 'state', 'cpuMs', 'detail'])
  const section = item.at('section').oneOf(SECTION_IDS)
  const read = readSection(section, item.at('reading').bytes({ max: MAX_SECTION_BYTES }))
  const stateField = item.at('state')
  const state = readState(stateField)
  // Or the helper could speak for another part of the agent.
  for (const key of state.keys()) if (!key.startsWith(`${section}.`)) stateField.refuse('a key of another section')
  const cpuMs = item.at('cpuMs').uint()
  return { section, state, cpuMs, detail: item.at('detail').text({ max: MAX_DETAIL }), ...read }
}

function readSection(section: SectionId, bytes: Uint8Array): Pick<HelperReading, 'reading'> & { detail?: string } {
  try {
    const reading = decodeSection(section, bytes)
    alreadyEncoded(reading, Uint8Array.from(bytes))
    return { reading }
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    const { reading } = failed(section, error)
    return { reading: { status: 'failed', code: reading.code }, detail: reading.detail }
  }
}

export function encodeLogAnswer(probe: LogProbe, answer: LogAnswer): Uint8Array {
  const log = new Map<string, CborValue>([['status', answer.log.status]])
  if (answer.log.status === 'found') log.set('content', answer.log.content)
  return encodeCbor(new Map([...head(probe, answer), ['log', log]]))
}

/** Throws OutcomeError: `section.malformed` or `cbor.*`. */
export function decodeLogAnswer(probe: LogProbe, bytes: Uint8Array): LogAnswer {
  const { answered, rest } = open(bytes, probe, 'log')
  const status = rest.at('status').oneOf(LOG_STATUSES)
  rest.requireOnly(status === 'found' ? ['status', 'content'] : ['status'])
  if (status !== 'found') return { ...answered, log: { status } }
  return { ...answered, log: { status, content: rest.at('content').bytes({ max: LOGS[probe].maxBytes }) } }
}

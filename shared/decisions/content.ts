import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { cborToJson, jsonToCbor, type Json } from './json-cbor.ts'

/** What somebody decided, before it is signed. */
export interface DecisionContent {
  /** 16 random bytes that name the log: an entry of one log is void in every other. */
  readonly log: Uint8Array
  /** From 0, without gaps. */
  readonly index: number
  /** SHA-256 of the entry before it as it was signed; null for the first. */
  readonly previous: Uint8Array | null
  /** Seconds since 1970 by the clock of whoever signs. */
  readonly at: number
  /** One of ./kinds.ts. */
  readonly kind: string
  /** What it is about: the id of a certificate, a profile, a person. */
  readonly subject: string
  readonly detail: Json
}

export const ENTRY_LIMITS = { maxBytes: 65_536, maxDepth: 12, maxItems: 4096 }

/** [log, index, previous, at, kind, subject, detail] in deterministic CBOR. */
export const encodeContent = ({ log, index, previous, at, kind, subject, detail }: DecisionContent): Uint8Array =>
  encodeCbor([log, index, previous, at, kind, subject, jsonToCbor(detail)])

/** Throws OutcomeError `claims.malformed` or `cbor.*`, KeepsealError `log.malformed`. */
export function decodeContent(bytes: Uint8Array): DecisionContent {
  const payload = field(decodeCbor(bytes, ENTRY_LIMITS), 'claims.malformed', 'decision')
  const [log, index, previous, at, kind, subject, detail] = payload.tuple(
    'log',
    'index',
    'previous',
    'at',
    'kind',
    'subject',
    'detail',
  )
  return {
    log: log.bytes({ length: 16 }),
    index: index.uint(),
    previous: previous.nullable()?.bytes({ length: 32 }) ?? null,
    at: at.uint(),
    kind: kind.text({ min: 1, max: 64 }),
    subject: subject.text({ min: 1, max: 128 }),
    detail: cborToJson(detail.value),
  }
}

import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { parseSign1, signSign1, verifySign1, type Signer, type UnverifiedSign1 } from '../cose/sign1.ts'
import type { HashFunction, VerificationKey } from '../crypto/crypto.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { contentType, messageAad } from '../evidence/roles.ts'
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

/** An entry as it reads. Nobody has checked who signed it, or where it belongs. */
export interface UnverifiedEntry extends DecisionContent {
  readonly bytes: Uint8Array
  /** SHA-256 of `bytes`. */
  readonly hash: Uint8Array
  /** Thumbprint of the key that is said to have signed. */
  readonly keyId: Uint8Array
  readonly message: UnverifiedSign1
}

const LIMITS = { maxBytes: 65_536, maxDepth: 12, maxItems: 4096 }
const AAD = messageAad('decision', null)

/** keepseal.cddl, decision: [log, index, previous, at, kind, subject, detail] in a COSE_Sign1 by the author's key. */
export function signDecision(content: DecisionContent, signer: Signer): Promise<Uint8Array> {
  const { log, index, previous, at, kind, subject, detail } = content
  return signSign1({
    payload: encodeCbor([log, index, previous, at, kind, subject, jsonToCbor(detail)]),
    contentType: contentType('decision'),
    externalAad: AAD,
    signer,
  })
}

/** Throws KeepsealError `log.malformed`, which says why. */
export function parseDecision(bytes: Uint8Array, hash: HashFunction): UnverifiedEntry {
  try {
    const message = parseSign1(bytes, LIMITS)
    const payload = field(decodeCbor(message.unverifiedPayload, LIMITS), 'claims.malformed', 'decision')
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
      bytes,
      hash: new Uint8Array(hash('sha256', bytes)),
      keyId: message.keyId,
      message,
    }
  } catch (cause) {
    if (cause instanceof OutcomeError) throw new KeepsealError('log.malformed', cause.message, { cause })
    throw cause
  }
}

/** Throws KeepsealError `log.signature-invalid` unless this key has signed exactly these bytes as a decision. */
export function assertSignedBy(entry: UnverifiedEntry, key: VerificationKey, thumbprint: Uint8Array): void {
  try {
    verifySign1(entry.message, {
      key,
      keyId: thumbprint,
      externalAad: AAD,
      contentType: contentType('decision'),
    })
  } catch (cause) {
    if (cause instanceof OutcomeError) throw new KeepsealError('log.signature-invalid', cause.message, { cause })
    throw cause
  }
}

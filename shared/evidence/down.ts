import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import { createMac0, parseMac0, verifyMac0, type MacKey } from '../cose/mac0.ts'
import type { EqualFunction } from '../crypto/crypto.ts'
import { OutcomeError } from '../errors.ts'
import { ueidBytes, type Ueid } from './identifiers.ts'
import { readChallenge, type Challenge } from './challenge.ts'
import { contentType, messageAad } from './roles.ts'
import { equal as sameBytes } from '../bytes/bytes.ts'

/** What the collector has durably decided: the promise after which an agent may forget. */
export interface Receipt {
  /** Grows with each receipt of this device. */
  readonly number: number
  readonly sessions: readonly SessionReceipt[]
  readonly refused: readonly RefusedEvidence[]
}

export interface SessionReceipt {
  readonly session: Uint8Array
  /** All of 0..contiguousTo are held; -1 when 0 is not. */
  readonly contiguousTo: number
  readonly extra: readonly number[]
}

export interface RefusedEvidence {
  /** SHA-256 of the refused message. */
  readonly hash: Uint8Array
  readonly code: string
}

/** What the collector lacks in order to conclude. */
export interface ContentRequest {
  readonly posture: boolean
  readonly pcrs: boolean
  readonly contents: readonly Uint8Array[]
  /** The kernel's measurement list is to be sent from this entry on, or from an earlier one. */
  readonly ima: number | null
}

const MAX_LIST = 1024

export function createReceipt(ueid: Ueid, receipt: Receipt, key: MacKey): Uint8Array {
  const sessions = receipt.sessions.map(({ session, contiguousTo, extra }) => [session, contiguousTo, extra])
  const refused = receipt.refused.map(({ hash, code }) => [hash, code])
  const payload = encodeCbor([receipt.number, ueidBytes(ueid), sessions, refused])
  return createMac0({ payload, contentType: contentType('receipt'), externalAad: messageAad('receipt', ueid), key })
}

export function createRequest(ueid: Ueid, request: ContentRequest, key: MacKey): Uint8Array {
  const payload = encodeCbor([ueidBytes(ueid), request.posture, request.pcrs, request.contents, request.ima])
  return createMac0({ payload, contentType: contentType('request'), externalAad: messageAad('request', ueid), key })
}

export type DownMessage =
  | { readonly role: 'receipt'; readonly receipt: Receipt }
  | { readonly role: 'request'; readonly request: ContentRequest }
  | { readonly role: 'challenge'; readonly challenge: Challenge }

const ROLES = ['receipt', 'challenge'] as const

/**
 * Reads a message of the down topic. The content type says which one it is; the role in the authenticated context
 * makes sure that it tells the truth. Throws OutcomeError `cbor.*`, `cose.*`, `claims.malformed`.
 */
export function openDownMessage(bytes: Uint8Array, ueid: Ueid, key: MacKey, equal: EqualFunction): DownMessage {
  const message = parseMac0(bytes)
  const role = ROLES.find((each) => message.contentType === contentType(each)) ?? 'request'
  const { payload } = verifyMac0(message, {
    key,
    externalAad: messageAad(role, ueid),
    contentType: contentType(role),
    equal,
  })
  if (role === 'receipt') return { role, receipt: readReceipt(payload, ueid) }
  if (role === 'challenge') return { role, challenge: readChallenge(payload, ueid) }
  return { role, request: readRequest(payload, ueid) }
}

function assertAddressee(bytes: Uint8Array, ueid: Ueid): void {
  if (!sameBytes(bytes, ueidBytes(ueid))) throw new OutcomeError('claims.malformed', 'addressed to another device')
}

function readReceipt(payload: Uint8Array, ueid: Ueid): Receipt {
  const [number, addressee, sessions, refused] = field(decodeCbor(payload), 'claims.malformed', 'receipt').tuple(
    'number',
    'ueid',
    'sessions',
    'refused',
  )
  assertAddressee(addressee.bytes({ length: 17 }), ueid)
  return {
    number: number.uint(),
    sessions: sessions.array({ max: MAX_LIST }).map((item) => {
      const [session, contiguousTo, extra] = item.tuple('session', 'contiguous-to', 'extra')
      return {
        session: session.bytes({ length: 16 }),
        contiguousTo: contiguousTo.integer({ min: -1 }),
        extra: extra.array({ max: MAX_LIST }).map((seq) => seq.uint()),
      }
    }),
    refused: refused.array({ max: MAX_LIST }).map((item) => {
      const [hash, code] = item.tuple('hash', 'code')
      return { hash: hash.bytes({ length: 32 }), code: code.text({ min: 1, max: 64 }) }
    }),
  }
}

function readRequest(payload: Uint8Array, ueid: Ueid): ContentRequest {
  const [addressee, posture, pcrs, contents, ima] = field(decodeCbor(payload), 'claims.malformed', 'request').tuple(
    'ueid',
    'posture',
    'pcrs',
    'contents',
    'ima',
  )
  assertAddressee(addressee.bytes({ length: 17 }), ueid)
  return {
    posture: posture.boolean(),
    pcrs: pcrs.boolean(),
    contents: contents.array({ max: MAX_LIST }).map((digest) => digest.bytes({ length: 32 })),
    ima: ima.nullable()?.uint() ?? null,
  }
}

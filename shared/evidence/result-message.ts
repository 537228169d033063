import { equal } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field, type CborField } from '../cbor/fields.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../cose/sign1.ts'
import { OutcomeError } from '../errors.ts'
import { EAR_CONTENT_TYPE, EAR_LABEL as LABEL } from '../result/ear.ts'
import { tierOf, type Tier } from '../result/vector.ts'
import type { DeviceKey } from './evidence.ts'
import { ueidBytes, type Ueid } from './identifiers.ts'
import { contentType, messageAad } from './roles.ts'

/** What the collector tells a device about itself, whenever that has changed. */
export interface ResultMessage {
  /** 16 bytes. */
  readonly collectorId: Uint8Array
  /** Of the change that the result is about. Grows with each change of this device. */
  readonly number: number
  /** Seconds since 1970 by the collector's clock: when that change came about. */
  readonly since: number
  /** The attestation result (EAR) as CWT, signed by the collector for whoever is shown it. */
  readonly ear: Uint8Array
}

/** The same, read by the device that it is about. */
export interface DeviceResult extends ResultMessage {
  /** Seconds since 1970. */
  readonly issuedAt: number
  readonly expiresAt: number
  readonly status: Tier
  readonly latch: string
  readonly liveness: string
  readonly bootCoverage: string
  /** Codes of outcomes and findings, worst first. */
  readonly reasons: readonly string[]
}

const MAX_REASONS = 512
const word = (item: CborField): string => item.text({ min: 1, max: 64 })

export function createResultMessage(ueid: Ueid, message: ResultMessage, signer: Signer): Promise<Uint8Array> {
  const { collectorId, number, since, ear } = message
  return signSign1({
    payload: encodeCbor([collectorId, number, since, ear]),
    contentType: contentType('result'),
    externalAad: messageAad('result', ueid),
    signer,
  })
}

const SIGN1_TAG = 0xd2

/** Which of the messages of the down topic are signed by the collector's key; the others carry a MAC. */
export const isResultMessage = (bytes: Uint8Array): boolean => bytes[0] === SIGN1_TAG

export interface ResultReader {
  readonly ueid: Ueid
  readonly collector: {
    readonly id: Uint8Array
    readonly key: DeviceKey
    /** A result that was signed before the collector's key changed is handed on as it is. */
    readonly formerKeys?: readonly DeviceKey[]
  }
}

/**
 * The result that this collector has signed for this device. Both signatures are checked, and that both speak of it.
 * Throws OutcomeError `cbor.*`, `cose.*`, `claims.malformed`, `result.foreign`.
 */
export function openResultMessage(bytes: Uint8Array, { ueid, collector }: ResultReader): DeviceResult {
  const { key, thumbprint: keyId } = collector.key
  const { payload } = verifySign1(parseSign1(bytes), {
    key,
    keyId,
    externalAad: messageAad('result', ueid),
    contentType: contentType('result'),
  })
  const [collectorId, number, since, ear] = field(decodeCbor(payload), 'claims.malformed', 'result').tuple(
    'collector',
    'number',
    'since',
    'ear',
  )
  const message = {
    collectorId: collectorId.bytes({ length: 16 }),
    number: number.uint(),
    since: since.uint(),
    ear: ear.bytes({ min: 1, max: 65_536 }),
  }
  if (!equal(message.collectorId, collector.id)) throw new OutcomeError('result.foreign', 'by another collector')
  const signed = parseSign1(message.ear)
  const signer = collector.formerKeys?.find(({ thumbprint }) => equal(thumbprint, signed.keyId)) ?? collector.key
  const { payload: claims } = verifySign1(signed, {
    key: signer.key,
    keyId: signer.thumbprint,
    externalAad: new Uint8Array(0),
    contentType: EAR_CONTENT_TYPE,
  })
  return { ...message, ...readEar(field(decodeCbor(claims), 'claims.malformed', 'ear'), ueid) }
}

function readEar(claims: CborField, ueid: Ueid): Omit<DeviceResult, keyof ResultMessage> {
  const [appraisal] = claims
    .at(LABEL.submods, 'submods')
    .entries({ min: 1, max: 1 })
    .map(([, each]) => each)
  if (appraisal === undefined) return claims.refuse('nothing is appraised')
  const device = appraisal.at(LABEL.attesterClaims, 'attester claims').at(LABEL.ueid, 'ueid').bytes({ length: 17 })
  if (!equal(device, ueidBytes(ueid))) throw new OutcomeError('result.foreign', 'about another device')
  const ours = appraisal.at(LABEL.verifierClaims, 'verifier claims')
  return {
    issuedAt: claims.at(LABEL.iat, 'iat').uint(),
    expiresAt: claims.at(LABEL.exp, 'exp').uint(),
    status: tierOf(appraisal.at(LABEL.status, 'status').integer()),
    latch: word(ours.at(LABEL.latch, 'latch')),
    liveness: word(ours.at(LABEL.liveness, 'liveness')),
    bootCoverage: word(ours.at(LABEL.bootCoverage, 'boot coverage')),
    reasons: ours.at(LABEL.reasons, 'reasons').array({ max: MAX_REASONS }).map(word),
  }
}

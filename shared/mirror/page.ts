import { equal, toHex } from '../bytes/bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field, type CborField } from '../cbor/fields.ts'
import type { CborValue } from '../cbor/value.ts'
import { parseSign1, signSign1, verifySign1, type Signer } from '../cose/sign1.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import type { DeviceKey } from '../evidence/evidence.ts'
import { contentType, messageAad } from '../evidence/roles.ts'
import { enrolmentToCbor, readEnrolment, type MirroredEnrolment } from './enrolment.ts'
import { POSITION_NAMES, type Anchors, type Position } from './position.ts'

/** How many active units the vendor says there are of a product; null: he took it back. */
export interface UnitDeclaration {
  readonly vendor: string
  readonly model: string
  readonly declared: number | null
  /** Seconds since 1970. */
  readonly at: number
}

/** Kept evidence, and what the collector concluded from it. */
export interface MirroredEvidence {
  /** Seconds since 1970 by the collector's clock. */
  readonly receivedAt: number
  readonly outcome: string | null
  readonly verdict: string
  readonly bytes: Uint8Array
}

/** Messages that follow each other, most of them not kept. */
export interface MirroredRun {
  /** 17 bytes. */
  readonly ueid: Uint8Array
  readonly session: Uint8Array
  readonly first: number
  readonly last: number
  /** What the first one says to follow. */
  readonly firstPrevious: Uint8Array | null
  /** SHA-256 of the last one. */
  readonly headHash: Uint8Array
}

/** What has been added since a position, as the collector signs it for whoever has the page before. */
export interface MirrorPage {
  readonly collectorId: Uint8Array
  /** Who operates the collector; empty before its decision log begins. */
  readonly operator: string
  /** Seconds since 1970. */
  readonly at: number
  /** SHA-256 of the page before, as the puller has it; null for the first. */
  readonly previous: Uint8Array | null
  readonly after: Position
  readonly until: Position
  /** How far the collector's record goes. */
  readonly end: Position
  /** What stands at `after`, as the collector has it now. */
  readonly anchors: Anchors
  readonly enrolments: readonly MirroredEnrolment[]
  readonly declarations: readonly UnitDeclaration[]
  readonly decisions: readonly Uint8Array[]
  readonly evidence: readonly MirroredEvidence[]
  readonly runs: readonly MirroredRun[]
}

/** Items of each kind in a page. */
export const MAX_ITEMS = { enrolments: 100, declarations: 100, decisions: 50, evidence: 64, runs: 192 } as const
export const MAX_PAGE_BYTES = 16 * 1024 * 1024
const LIMITS = { maxBytes: MAX_PAGE_BYTES, maxDepth: 8, maxItems: 16_384 }
const DIGEST = { length: 32 }
const NAME = { max: 256 }
const TEXT = { max: 1024 }

function declarationToCbor({ vendor, model, declared, at }: UnitDeclaration): CborValue {
  return [vendor, model, declared, at]
}

export const encodeDeclaration = (declaration: UnitDeclaration): Uint8Array =>
  encodeCbor(declarationToCbor(declaration))

function pageToCbor(page: MirrorPage): CborValue {
  const { anchors } = page
  const position = (at: Position): CborValue => POSITION_NAMES.map((name) => at[name])
  return [
    page.collectorId,
    page.operator,
    page.at,
    page.previous,
    position(page.after),
    position(page.until),
    position(page.end),
    POSITION_NAMES.map((name) => anchors[name]),
    page.enrolments.map(enrolmentToCbor),
    page.declarations.map(declarationToCbor),
    page.decisions,
    page.evidence.map(({ receivedAt, outcome, verdict, bytes }) => [receivedAt, outcome, verdict, bytes]),
    page.runs.map((run) => [run.ueid, run.session, run.first, run.last, run.firstPrevious, run.headHash]),
  ]
}

/** keepseal.cddl, mirror-page, by the collector's key. */
export function signMirrorPage(page: MirrorPage, signer: Signer): Promise<Uint8Array> {
  return signSign1({
    payload: encodeCbor(pageToCbor(page)),
    contentType: contentType('mirror-page'),
    externalAad: messageAad('mirror-page', null),
    signer,
  })
}

/** A page, and which of the keys has signed it. */
export interface OpenedPage extends MirrorPage {
  readonly signer: DeviceKey
}

/** The page that one of these keys of the collector signed. Throws KeepsealError `mirror.page-invalid`, which says why. */
export function openMirrorPage(bytes: Uint8Array, collector: readonly DeviceKey[]): OpenedPage {
  return reading(() => {
    const message = parseSign1(bytes, LIMITS)
    const signer = collector.find(({ thumbprint }) => equal(thumbprint, message.keyId))
    if (signer === undefined) throw new KeepsealError('mirror.page-invalid', `signed by key ${toHex(message.keyId)}`)
    const { payload } = verifySign1(message, {
      key: signer.key,
      keyId: signer.thumbprint,
      externalAad: messageAad('mirror-page', null),
      contentType: contentType('mirror-page'),
    })
    return { ...readPage(field(decodeCbor(payload, LIMITS), 'claims.malformed', 'page')), signer }
  })
}

function reading<T>(action: () => T): T {
  try {
    return action()
  } catch (cause) {
    if (cause instanceof OutcomeError) throw new KeepsealError('mirror.page-invalid', cause.message, { cause })
    throw cause
  }
}

function readPage(page: CborField): MirrorPage {
  const parts = page.tuple(
    ...(['collector', 'operator', 'at', 'previous', 'after', 'until', 'end', 'anchors'] as const),
    ...(['enrolments', 'declarations', 'decisions', 'evidence', 'runs'] as const),
  )
  const [collector, operator, at, previous, after, until, end, anchors] = parts
  const [, , , , , , , , enrolments, declarations, decisions, evidence, runs] = parts
  return {
    collectorId: collector.bytes({ length: 16 }),
    operator: operator.text(TEXT),
    at: at.uint(),
    previous: digestOrNull(previous),
    after: readPosition(after),
    until: readPosition(until),
    end: readPosition(end),
    anchors: readAnchors(anchors),
    enrolments: enrolments.array({ max: MAX_ITEMS.enrolments }).map(readEnrolment),
    declarations: declarations.array({ max: MAX_ITEMS.declarations }).map(readDeclaration),
    decisions: decisions.array({ max: MAX_ITEMS.decisions }).map((entry) => entry.bytes({ min: 1, max: 131_072 })),
    evidence: evidence.array({ max: MAX_ITEMS.evidence }).map(readEvidence),
    runs: runs.array({ max: MAX_ITEMS.runs }).map(readRun),
  }
}

const digestOrNull = (item: CborField): Uint8Array | null => item.nullable()?.bytes(DIGEST) ?? null

function readPosition(item: CborField): Position {
  const [enrolments, declarations, decisions, evidence] = item.tuple(...POSITION_NAMES)
  return {
    enrolments: enrolments.uint(),
    declarations: declarations.uint(),
    decisions: decisions.uint(),
    evidence: evidence.uint(),
  }
}

function readAnchors(item: CborField): Anchors {
  const [enrolments, declarations, decisions, evidence] = item.tuple(...POSITION_NAMES)
  return {
    enrolments: digestOrNull(enrolments),
    declarations: digestOrNull(declarations),
    decisions: digestOrNull(decisions),
    evidence: digestOrNull(evidence),
  }
}

function readDeclaration(item: CborField): UnitDeclaration {
  const [vendor, model, declared, at] = item.tuple('vendor', 'model', 'declared', 'at')
  return {
    vendor: vendor.text(NAME),
    model: model.text(NAME),
    declared: declared.nullable()?.uint() ?? null,
    at: at.uint(),
  }
}

function readEvidence(item: CborField): MirroredEvidence {
  const [receivedAt, outcome, verdict, bytes] = item.tuple('received', 'outcome', 'verdict', 'message')
  return {
    receivedAt: receivedAt.uint(),
    outcome: outcome.nullable()?.text({ min: 1, max: 64 }) ?? null,
    verdict: verdict.text({ min: 1, max: 64 }),
    bytes: bytes.bytes({ min: 1, max: 65_536 }),
  }
}

function readRun(item: CborField): MirroredRun {
  const [ueid, session, first, last, previous, head] = item.tuple('ueid', 'session', 'first', 'last', 'prev', 'head')
  const start = first.uint()
  return {
    ueid: ueid.bytes({ length: 17 }),
    session: session.bytes({ length: 16 }),
    first: start,
    last: last.uint({ min: start }),
    firstPrevious: digestOrNull(previous),
    headHash: head.bytes(DIGEST),
  }
}

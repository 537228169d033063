import { toBase64Url, toHex } from '../../shared/bytes/bytes.ts'
import { encodeCoseKey } from '../../shared/cose/key.ts'
import { hash } from '../../shared/crypto/node.ts'
import { factsDigest } from '../../shared/decisions/cases/facts.ts'
import type { Json } from '../../shared/decisions/json-cbor.ts'
import { causeOf } from '../../shared/maturity/causes.ts'
import { fleetQuestion } from '../decisions/live-case-guards.ts'
import type { Decisions } from '../decisions/decision-book.ts'
import type { FindingOfDevice } from '../store/findings.ts'
import type { Store } from '../store/index.ts'

const FORMAT = 'keepseal case bundle, version 1'
const PAGE = 200
/** More findings, and more units, than anybody reads: what is left out is counted. */
const MAX_FINDINGS = 5_000
const MAX_UNITS = 10_000
/** Messages go into the bundle up to this many bytes; of the others the hash is there. */
const MAX_MESSAGE_BYTES = 4 * 1024 * 1024

interface Sources {
  readonly store: Store
  readonly decisions: Pick<Decisions, 'register' | 'entriesAbout'>
  readonly clock: () => number
  readonly keys: { readonly collectorId: Uint8Array }
}

type Part = { readonly [key: string]: Json }

const time = (ms: number): string => new Date(ms).toISOString()
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms))

/**
 * Everything that a case rests on, in one document without fractions, so that its JSON and its CBOR say the same. The
 * signed entries can be checked with the people in it; that none is missing only the whole log shows.
 */
export async function caseBundle(
  { store, decisions, clock, keys }: Sources,
  id: string,
): Promise<(Part & { format: string }) | undefined> {
  const found = (await store.cases.byId(id))?.case
  if (found === undefined) return undefined
  const register = await decisions.register()
  const decided = register.cases.get(id)
  const entries = await decisions.entriesAbout(id)
  const findings = await findingsOf(store, id)
  const certificate = register.certificates.get(found.certificateId)
  const authors = new Set(decided?.history.map(({ by }) => by))
  const { head } = register
  return {
    format: FORMAT,
    madeAt: time(clock()),
    collector: toHex(keys.collectorId),
    case: {
      id,
      trigger: found.trigger,
      cause: found.cause,
      title: causeOf(found.cause).title,
      product: found.productId,
      severity: found.severity,
      state: decided?.state ?? 'triggered',
      openedAt: time(found.openedAt),
      detectedAt: time(found.detectedAt),
    },
    facts: found.facts,
    factsDigest: factsDigest(found.facts, hash),
    // Never the one without the other.
    certificate:
      certificate === undefined
        ? null
        : {
            id: certificate.id,
            number: certificate.number,
            state: certificate.state,
            profile: { ...certificate.profile },
          },
    decisions: entries.map(({ index, bytes }) => ({
      index,
      hash: toHex(new Uint8Array(hash('sha256', bytes))),
      entry: toBase64Url(bytes),
    })),
    people: [...register.people.values()]
      .filter((person) => authors.has(person.id))
      .map(({ id: person, name, role, key, keyId }) => ({
        id: person,
        name,
        role,
        keyId,
        key: toHex(encodeCoseKey(key)),
      })),
    logHead: head === null ? null : { index: head.index, hash: toHex(head.hash) },
    findings: await findingParts(store, findings.items),
    findingsLeftOut: findings.leftOut,
    fleet: await fleetPart(store, id, register),
  }
}

async function findingsOf(store: Store, caseId: string) {
  const items: FindingOfDevice[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Store['findings']['list']>> = await store.findings.list(
      { limit: PAGE, cursor },
      { caseId },
    )
    items.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== null && items.length < MAX_FINDINGS)
  const all = (await store.cases.byId(caseId))?.findingIds.length ?? items.length
  return { items, leftOut: all - items.length }
}

async function findingParts(store: Store, findings: readonly FindingOfDevice[]): Promise<Part[]> {
  const parts: Part[] = []
  let room = MAX_MESSAGE_BYTES
  for (const { finding, ueid } of findings) {
    const message = await store.evidence.byHash(finding.deviceId, finding.evidenceHash)
    const isIncluded = message !== undefined && message.bytes.length <= room
    if (isIncluded) room -= message.bytes.length
    parts.push({
      id: finding.id,
      device: ueid,
      code: finding.code,
      subject: finding.subject,
      before: finding.before,
      after: finding.after,
      severity: finding.severity,
      state: finding.state,
      openedAt: time(finding.openedAt),
      lastSeenAt: time(finding.lastSeenAt),
      resolvedAt: timeOrNull(finding.resolvedAt),
      evidence: toHex(finding.evidenceHash),
      isKept: message !== undefined,
      message: isIncluded ? toBase64Url(message.bytes) : null,
    })
  }
  return parts
}

/** The newest evidence of each unit that shows the fix. */
async function fleetPart(
  store: Store,
  id: string,
  register: Awaited<ReturnType<Decisions['register']>>,
): Promise<Json> {
  const decided = register.cases.get(id)
  const question = decided === undefined || decided.proof !== 'fleet' ? undefined : await fleetQuestion(store, decided)
  if (question === undefined) return null
  const { declared, basis, enrolled, shown } = await store.fleetProof.ask(question)
  const units = await store.fleetProof.showing(question, MAX_UNITS)
  return {
    since: time(question.since),
    declared,
    basis,
    enrolled,
    shown,
    unitsLeftOut: Math.max(0, shown - units.length),
    units: units.map(({ ueid, lastFreshAt, evidenceHash }) => ({
      device: ueid,
      freshAt: timeOrNull(lastFreshAt),
      evidence: evidenceHash === null ? null : toHex(evidenceHash),
    })),
  }
}

import { sha256 } from '../../shared/crypto/node.ts'
import { encodeEnrolment } from '../../shared/mirror/enrolment.ts'
import { encodeDeclaration, MAX_ITEMS, type MirroredRun, type MirrorPage } from '../../shared/mirror/page.ts'
import type { Anchors, Position } from '../../shared/mirror/position.ts'
import type { Numbered } from '../store/mirror.ts'
import type { Store } from '../store/index.ts'

/** Bytes of evidence after which a page takes no more. */
const ENOUGH_BYTES = 1024 * 1024

export interface MirrorRequest {
  readonly after: Position
  readonly previous: Uint8Array | null
  readonly collectorId: Uint8Array
  readonly operator: string
  /** ms since 1970. */
  readonly now: number
}

/** What was added to the record after a position, as much as fits in one page. */
export async function mirrorPage(store: Store, request: MirrorRequest): Promise<MirrorPage> {
  const { after, previous, collectorId, operator, now } = request
  const end = await store.transaction((transaction) => transaction.mirror.end())
  const enrolments = await store.mirror.enrolments(after.enrolments, end.enrolments, MAX_ITEMS.enrolments)
  const declarations = await store.mirror.declarations(after.declarations, end.declarations, MAX_ITEMS.declarations)
  const upTo = Math.min(MAX_ITEMS.decisions, Math.max(0, end.decisions - after.decisions))
  const decisions = upTo === 0 ? [] : await store.decisions.from(after.decisions, upTo)
  // Devices come before what they have sent, so that it can be checked when it comes.
  const hasAllDevices = enrolments.length < MAX_ITEMS.enrolments
  const evidence = hasAllDevices ? await evidenceAfter(store, after.evidence, end.evidence) : []
  const runs = new Map<number, MirroredRun>()
  for (const { place } of evidence) {
    const found: readonly Numbered<MirroredRun>[] = await store.mirror.runsAt(place)
    for (const { id, item } of found) runs.set(id, item)
  }
  return {
    collectorId,
    operator,
    at: Math.floor(now / 1000),
    previous,
    after,
    until: {
      enrolments: enrolments.at(-1)?.id ?? after.enrolments,
      declarations: declarations.at(-1)?.id ?? after.declarations,
      decisions: after.decisions + decisions.length,
      evidence: evidence.at(-1)?.id ?? after.evidence,
    },
    end,
    anchors: await anchorsAt(store, after),
    enrolments: enrolments.map(({ item }) => item),
    declarations: declarations.map(({ item }) => item),
    decisions,
    evidence: evidence.map(({ item }) => item),
    runs: [...runs.values()],
  }
}

async function evidenceAfter(store: Store, after: number, end: number) {
  const rows = await store.mirror.evidence(after, end, MAX_ITEMS.evidence)
  let size = 0
  return rows.filter(({ item }, index) => {
    size += item.bytes.length
    return index === 0 || size <= ENOUGH_BYTES
  })
}

/** What stands in the last place before the position. */
async function anchorsAt(store: Store, after: Position): Promise<Anchors> {
  const enrolment = await store.mirror.enrolments(after.enrolments - 1, after.enrolments, 1)
  const declaration = await store.mirror.declarations(after.declarations - 1, after.declarations, 1)
  const decision = after.decisions === 0 ? [] : await store.decisions.from(after.decisions - 1, 1)
  const digest = <T>(item: T | undefined, encode: (item: T) => Uint8Array): Uint8Array | null =>
    item === undefined ? null : sha256(encode(item))
  return {
    enrolments: digest(enrolment[0]?.item, encodeEnrolment),
    declarations: digest(declaration[0]?.item, encodeDeclaration),
    decisions: digest(decision[0], (entry) => entry),
    evidence: await store.mirror.evidenceHash(after.evidence),
  }
}

import { toHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { parseDecision, type UnverifiedEntry } from '../../shared/decisions/entry.ts'
import { decisionKinds } from '../../shared/decisions/kinds.ts'
import type { Certificate } from '../../shared/decisions/certificate.ts'
import type { ReportedDecision } from './model.ts'
import { ofSeconds, type Making } from './sources.ts'

/** What was decided about these certificates within the period. */
export async function reportDecisions(
  { decisions, period, ledger }: Making,
  certificates: readonly Certificate[],
): Promise<readonly ReportedDecision[]> {
  const kinds = decisionKinds(hash)
  const entries = new Map<number, ReportedDecision>()
  for (const { id } of certificates) {
    const { entries: bytesOfAll, register } = await decisions.excerpt(id)
    const people = new Map([...register.people.values()].map((person) => [person.keyId, person]))
    for (const entry of bytesOfAll.map((bytes) => parseDecision(bytes, hash))) {
      if (!isWithin(entry, period)) continue
      const author = people.get(toHex(entry.keyId))
      entries.set(entry.index, {
        index: entry.index,
        at: ofSeconds(entry.at),
        kind: entry.kind,
        title: kinds.get(entry.kind)?.title ?? entry.kind,
        subject: entry.subject,
        author: author?.name ?? toHex(entry.keyId),
        role: author?.role ?? 'unknown',
        hash: ledger.add('decision', entry.hash, String(entry.index)),
      })
    }
  }
  return [...entries.values()].sort((a, b) => a.index - b.index)
}

const isWithin = ({ at }: UnverifiedEntry, { from, to }: Making['period']): boolean =>
  at * 1000 >= from && at * 1000 <= to

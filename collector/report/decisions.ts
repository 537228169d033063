import { toHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { parseDecision, type UnverifiedEntry } from '../../shared/decisions/entry.ts'
import { decisionKinds } from '../../shared/decisions/kinds.ts'
import type { Certificate } from '../../shared/decisions/certificate.ts'
import type { Register } from '../../shared/decisions/register.ts'
import type { ReportedDecision } from './model.ts'
import { ofSeconds, type Making } from './sources.ts'

/** What was decided within the period about these certificates, and about documents, roadmaps and practices of these products. */
export async function reportDecisions(
  { decisions, period, ledger, register: all }: Making,
  certificates: readonly Certificate[],
  products: readonly string[],
): Promise<readonly ReportedDecision[]> {
  const kinds = decisionKinds(hash)
  const entries = new Map<number, ReportedDecision>()
  const add = ({ index, at, kind, subject, hash: digest }: Entry, author: Author) => {
    if (!isWithin({ at }, period)) return
    entries.set(index, {
      index,
      at: ofSeconds(at),
      kind,
      title: kinds.get(kind)?.title ?? kind,
      subject,
      author: author.name,
      role: author.role,
      hash: ledger.add('decision', digest, String(index)),
    })
  }
  for (const { id } of certificates) {
    const { entries: bytesOfAll, register } = await decisions.excerpt(id)
    const people = new Map([...register.people.values()].map((person) => [person.keyId, person]))
    for (const entry of bytesOfAll.map((bytes) => parseDecision(bytes, hash))) {
      const keyId = toHex(entry.keyId)
      add(entry, people.get(keyId) ?? { name: keyId, role: 'unknown' })
    }
  }
  for (const entry of await decisions.entriesOf(subjectsAbout(all, products))) add(entry, entry.author)
  return [...entries.values()].sort((a, b) => a.index - b.index)
}

type Author = { readonly name: string; readonly role: string }
type Entry = Pick<UnverifiedEntry, 'index' | 'at' | 'kind' | 'subject' | 'hash'>

function subjectsAbout(
  { documents, documentRequests, recommendations, roadmap, nonconformities }: Register,
  products: readonly string[],
): ReadonlySet<string> {
  const all = [documents, documentRequests, recommendations, roadmap].flatMap((each) => [...each.values()])
  const about = all.filter((each) => each.products.some((name) => products.includes(name))).map(({ id }) => id)
  const confirmed = [...nonconformities.values()].filter(({ product }) => products.includes(product))
  return new Set([...about, ...confirmed.map(({ productId }) => productId)])
}

const isWithin = ({ at }: Pick<UnverifiedEntry, 'at'>, { from, to }: Making['period']): boolean =>
  at * 1000 >= from && at * 1000 <= to

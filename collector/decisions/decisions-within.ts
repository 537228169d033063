import { hash } from '../../shared/crypto/node.ts'
import { parseDecision } from '../../shared/decisions/entry.ts'
import type { Json } from '../../shared/decisions/json-cbor.ts'
import type { Register } from '../../shared/decisions/register.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Store } from '../store/index.ts'
import type { Decisions } from './decision-book.ts'

const PAGE = 500

/**
 * The decision log for somebody who is bound to a vendor: certificates for his products with their profiles, and of
 * people those who decide about everybody. He can append what concerns nobody else's. `store`: within his scope.
 */
export function decisionsWithin(decisions: Decisions, store: Store): Decisions {
  return {
    next: () => decisions.next(),
    register: async () => ownPart(await decisions.register(), await ownProducts(store)),
    append: async (bytes, now) => {
      const entry = parseDecision(bytes, hash)
      const own = await ownProducts(store)
      const all = await decisions.register()
      for (const text of [entry.subject, ...textsIn(entry.detail)]) assertOwn(text, all, own)
      return decisions.append(bytes, now)
    },
  }
}

async function ownProducts(store: Store): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Store['products']['list']>> = await store.products.list({ limit: PAGE, cursor })
    for (const { id } of page.items) ids.add(id)
    cursor = page.nextCursor
  } while (cursor !== null)
  return ids
}

function ownPart(all: Register, own: ReadonlySet<string>): Register {
  const certificates = [...all.certificates].filter(([, { products }]) => products.some((id) => own.has(id)))
  const profiles = new Set(certificates.map(([, { profile }]) => profile.id))
  return {
    ...all,
    people: new Map([...all.people].filter(([, { role }]) => role !== 'vendor' && role !== 'operator')),
    profiles: new Map([...all.profiles].filter(([id]) => profiles.has(id))),
    certificates: new Map(certificates),
  }
}

/** Error: request.not-found for what is known, and somebody else's. */
function assertOwn(text: string, all: Register, own: ReadonlySet<string>): void {
  const isForeign = (products: readonly string[]): boolean => !products.some((id) => own.has(id))
  const certificate = all.certificates.get(text)
  const users = [...all.certificates.values()].filter(({ profile }) => profile.id === text)
  const foreign =
    (text.startsWith('prd_') && !own.has(text)) ||
    (certificate !== undefined && isForeign(certificate.products)) ||
    (users.length > 0 && users.every(({ products }) => isForeign(products)))
  if (foreign) throw new KeepsealError('request.not-found', text)
}

function* textsIn(value: Json): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) yield* textsIn(each)
}

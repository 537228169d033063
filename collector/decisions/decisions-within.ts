import { hash } from '../../shared/crypto/node.ts'
import { parseDecision, type UnverifiedEntry } from '../../shared/decisions/entry.ts'
import type { Certificate } from '../../shared/decisions/certificate.ts'
import type { Json } from '../../shared/decisions/json-cbor.ts'
import { productName, vendorOf } from '../../shared/decisions/products.ts'
import type { Register } from '../../shared/decisions/register.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { VendorScope } from '../model/scope.ts'
import type { Store } from '../store/index.ts'
import type { Decisions } from './decision-book.ts'

type EntryText = Pick<UnverifiedEntry, 'kind' | 'subject' | 'detail'>

/**
 * The decision log for somebody who is bound to a vendor: certificates for his products with their profiles, and of
 * people those who decide about everybody. He can append what concerns nobody else's. `store`: within his scope.
 */
export function decisionsWithin(decisions: Decisions, scope: VendorScope, store: Store): Decisions {
  return {
    next: () => decisions.next(),
    register: async () => {
      const all = await decisions.register()
      return { ...ownPart(all, await ownProducts(scope, store)), cases: await ownCases(all, store) }
    },
    certificatesCovering: async (productId, now) =>
      (await store.products.byId(productId)) === undefined ? [] : decisions.certificatesCovering(productId, now),
    excerpt: async (id) => {
      const certificate = (await decisions.register()).certificates.get(id)
      if (certificate === undefined || !isOwn(certificate, await ownProducts(scope, store))) {
        throw new KeepsealError('request.not-found', `certificate ${id}`)
      }
      return decisions.excerpt(id)
    },
    append: async (bytes, now) => {
      await assertAllOwn(parseDecision(bytes, hash))
      return decisions.append(bytes, now)
    },
    rehearse: async (decision) => {
      await assertAllOwn(decision)
      return decisions.rehearse(decision)
    },
    entriesOf: async (subjects) => {
      const { documents, documentRequests, recommendations, roadmap, nonconformities } = ownPart(
        await decisions.register(),
        await ownProducts(scope, store),
      )
      const own = [documents, documentRequests, recommendations, roadmap].flatMap((each) => [...each.keys()])
      own.push(...[...nonconformities.values()].map(({ productId }) => productId))
      return decisions.entriesOf(new Set(own.filter((id) => subjects.has(id))))
    },
    entriesAbout: async (caseId) =>
      (await ownCases(await decisions.register(), store)).has(caseId) ? decisions.entriesAbout(caseId) : [],
  }

  async function assertAllOwn(entry: EntryText): Promise<void> {
    const all = await decisions.register()
    const own = await ownProducts(scope, store)
    assertOwnDocument(entry, all, own)
    for (const text of [entry.subject, ...textsIn(entry.detail)]) await assertOwn(text, all, own, store)
  }
}

/** A case is of whoever has the product that it is about. */
async function ownCases({ cases }: Register, store: Store): Promise<Register['cases']> {
  const own: Register['cases'] = new Map()
  for (const [id, found] of cases) {
    if ((await store.products.byId(found.product)) !== undefined) own.set(id, found)
  }
  return own
}

/** Whether a product, by its name, is one of his: all of his vendor's, or those few that he is bound to. */
type OwnProducts = (product: string) => boolean

async function ownProducts({ vendor, products }: VendorScope, store: Store): Promise<OwnProducts> {
  if (products === null) return (product) => vendorOf(product) === vendor
  const names = new Set<string>()
  for (const id of products) {
    const product = await store.products.byId(id)
    if (product !== undefined) names.add(productName(product))
  }
  return (product) => names.has(product)
}

/** A certificate is of everybody whose product it lists. */
const isOwn = ({ products }: Certificate, own: OwnProducts): boolean => products.some(({ product }) => own(product))

function ownPart(all: Register, own: OwnProducts): Register {
  const certificates = [...all.certificates].filter(([, certificate]) => isOwn(certificate, own))
  const documents = [...all.documents].filter(([, { products }]) => products.every(own))
  // Whether somebody who signed for him was revoked is his to know.
  const signers = new Set(documents.map(([, { submittedBy }]) => submittedBy))
  const profiles = new Set(certificates.map(([, { profile }]) => profile.id))
  return {
    ...all,
    people: new Map(
      [...all.people].filter(([id, { role }]) => (role !== 'vendor' && role !== 'operator') || signers.has(id)),
    ),
    documents: new Map(documents),
    recommendations: new Map([...all.recommendations].filter(([, { products }]) => products.every(own))),
    roadmap: new Map([...all.roadmap].filter(([, { products }]) => products.every(own))),
    nonconformities: new Map([...all.nonconformities].filter(([, { product }]) => own(product))),
    assessments: new Map([...all.assessments].filter(([id]) => certificates.some(([each]) => each === id))),
    documentRequests: new Map([...all.documentRequests].filter(([, { products }]) => products.every(own))),
    profileReviews: new Map([...all.profileReviews].filter(([id]) => profiles.has(id))),
    profiles: new Map([...all.profiles].filter(([id]) => profiles.has(id))),
    certificates: new Map(certificates),
  }
}

/** What says by itself which products it is about. */
const ABOUT_PRODUCTS = ['document.', 'recommendation.', 'roadmap.']

const aboutProducts = ({ documents, documentRequests, recommendations, roadmap }: Register, id: string) =>
  documents.get(id) ?? documentRequests.get(id) ?? recommendations.get(id) ?? roadmap.get(id)

/** These are about products of his alone, whether a certificate lists them or not. Error: request.not-found. */
function assertOwnDocument({ kind, subject, detail }: EntryText, all: Register, own: OwnProducts): void {
  if (!ABOUT_PRODUCTS.some((area) => kind.startsWith(area))) return
  const named = (detail as { products?: unknown }).products
  const products = Array.isArray(named) ? named.map(String) : (aboutProducts(all, subject)?.products ?? [])
  if (!products.every(own)) throw new KeepsealError('request.not-found', subject)
}

/** Error: request.not-found for what is known, and somebody else's. */
async function assertOwn(text: string, all: Register, own: OwnProducts, store: Store): Promise<void> {
  const known = [...all.certificates.values()]
  const certificate = all.certificates.get(text)
  const users = known.filter(({ profile }) => profile.id === text)
  const isListed = known.some(({ products }) =>
    products.some(({ product }) => !own(product) && (text === product || text.startsWith(`${product}@`))),
  )
  const document = aboutProducts(all, text)
  const reassessed = all.cases.get(text)
  const foreign =
    isListed ||
    (reassessed !== undefined && (await store.products.byId(reassessed.product)) === undefined) ||
    (document !== undefined && !document.products.every(own)) ||
    (certificate !== undefined && !isOwn(certificate, own)) ||
    (users.length > 0 && !users.some((user) => isOwn(user, own))) ||
    (text.startsWith('prd_') && (await store.products.byId(text)) === undefined)
  if (foreign) throw new KeepsealError('request.not-found', text)
}

function* textsIn(value: Json): Generator<string> {
  if (typeof value === 'string') yield value
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) yield* textsIn(each)
}

import { equal, fromHex, toHex } from '../../shared/bytes/bytes.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Product } from '../model/product.ts'
import type { Person, Release } from '../model/release.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import { digestOfDocument, encodeDocument, type ReleaseFile } from './document.ts'
import { contentsNamedBy, splitFile } from './file.ts'
import { activate, approve, countersign, retire, revoke, rewrite } from './lifecycle.ts'

/** Who decides, and when. */
export interface Decision {
  readonly by: Person
  readonly now: number
}

/** Error: request.not-found. */
export async function existingRelease(store: Store, id: string): Promise<Release> {
  const release = await store.releases.byId(id)
  if (release === undefined) throw new KeepsealError('request.not-found', `release ${id}`)
  return release
}

/**
 * Stores a release as a draft, or another version of a draft of its name; the same content again changes nothing.
 * Errors: request.conflict (the file is of another product), release.name-taken, release.content-unknown.
 */
export function writeDraft(
  store: Store,
  product: Product,
  file: ReleaseFile,
  { by, now }: Decision,
  random: RandomFunction,
): Promise<Release> {
  const { vendor, model } = file.product
  if (vendor !== product.vendor || model !== product.model) {
    throw new KeepsealError('request.conflict', `the release is of the product ${vendor} ${model}`, {
      remedy: 'Import it into that product, or correct `product` in the file.',
    })
  }
  const split = splitFile(file)
  const digest = digestOfDocument(split.document)
  const document = encodeDocument(split.document)
  return store.transaction(async (transaction) => {
    for (const [name, content] of split.contents) await transaction.sections.save(vendor, fromHex(name), content)
    const { bootReference } = split
    if (bootReference !== null) {
      await transaction.bootReferences.save(vendor, fromHex(bootReference.digest), bootReference.rules)
    }
    await assertKnown(transaction, vendor, split)
    const known = (await transaction.releases.ofProduct(product.id)).find(({ name }) => name === file.name)
    if (known !== undefined && known.state !== 'draft') throw new KeepsealError('release.name-taken', known.name)
    if (known !== undefined && equal(known.digest, digest)) return known
    const release =
      known === undefined ? draft(product, file.name, digest, { by, now }, random) : rewrite(known, digest, by)
    if (known === undefined) await transaction.releases.insert(release, document)
    else await transaction.releases.save(release, document)
    await audit(transaction, 'release.draft', release, { by, now })
    return release
  })
}

function draft(
  { id: productId }: Product,
  name: string,
  digest: Uint8Array,
  { by, now }: Decision,
  random: RandomFunction,
): Release {
  return {
    id: makeId('rel', now, random),
    productId,
    name,
    digest,
    state: 'draft',
    authors: [by],
    createdAt: now,
    approved: null,
    countersigned: null,
    order: null,
    activatedAt: null,
    supersededAt: null,
    acceptedUntil: null,
    revokedAt: null,
    isMinimum: false,
  }
}

/** A release by content that nobody has would be compared with nothing. */
async function assertKnown(store: Store, vendor: string, { document }: ReturnType<typeof splitFile>): Promise<void> {
  for (const { id, digest } of contentsNamedBy(document)) {
    if (!(await store.sections.has(vendor, digest))) {
      throw new KeepsealError('release.content-unknown', `section ${id}, ${toHex(digest)}`)
    }
  }
  const events = document.boot?.events?.digest
  if (events !== undefined && (await store.bootReferences.find(vendor, fromHex(events))) === undefined) {
    throw new KeepsealError('release.content-unknown', `events of the boot, ${events}`)
  }
}

/** Applies one step of the lifecycle, all of it or nothing, and enters it in the audit log. */
async function decide(
  store: Store,
  id: string,
  action: string,
  decision: Decision,
  step: (release: Release, store: Store) => Promise<readonly Release[]> | readonly Release[],
  detail: Readonly<Record<string, unknown>> = {},
): Promise<Release> {
  return store.transaction(async (transaction) => {
    const [release, ...others] = await step(await existingRelease(transaction, id), transaction)
    if (release === undefined) throw new Error('a decision without a release')
    // What is superseded goes first: two cannot be active.
    for (const each of [...others, release]) await transaction.releases.save(each)
    await audit(transaction, action, release, decision, { ...detail, superseded: others.map(({ name }) => name) })
    return release
  })
}

const audit = (
  store: Store,
  action: string,
  { id, name, digest }: Release,
  { by, now }: Decision,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> =>
  store.auditLog.append({
    at: now,
    actor: by.tokenId,
    action,
    subject: id,
    detail: { name, digest: toHex(digest), person: by.name, ...detail },
  })

export const approveRelease = (store: Store, id: string, seen: Uint8Array, decision: Decision): Promise<Release> =>
  decide(store, id, 'release.approve', decision, (release) => [
    approve(release, { by: decision.by, at: decision.now }, seen),
  ])

/** For the role of the certifier alone: the API sees to that. */
export const countersignRelease = (store: Store, id: string, seen: Uint8Array, decision: Decision): Promise<Release> =>
  decide(store, id, 'release.countersign', decision, (release) => [
    countersign(release, { by: decision.by, at: decision.now }, seen),
  ])

export interface ActivationRequest {
  readonly acceptedUntil: number | null
  readonly isMinimum: boolean
  /** Whether a certificate is in force for the product: then its certifier has to have countersigned. */
  readonly isCertified: boolean
}

/** What a release and its predecessor would be after an activation; nothing is stored. */
export async function plannedActivation(
  store: Store,
  release: Release,
  { acceptedUntil, isMinimum, isCertified }: ActivationRequest,
  now: number,
): Promise<readonly Release[]> {
  const others = (await store.releases.ofProduct(release.productId)).filter(({ id }) => id !== release.id)
  return activate(release, others, { now, acceptedUntil, isMinimum, isCertified })
}

export const activateRelease = (
  store: Store,
  id: string,
  request: ActivationRequest,
  decision: Decision,
): Promise<Release> =>
  decide(
    store,
    id,
    'release.activate',
    decision,
    (release, transaction) => plannedActivation(transaction, release, request, decision.now),
    { ...request },
  )

export const retireRelease = (store: Store, id: string, until: number, decision: Decision): Promise<Release> =>
  decide(store, id, 'release.retire', decision, (release) => [retire(release, decision.now, until)], { until })

export const revokeRelease = (store: Store, id: string, reason: string, decision: Decision): Promise<Release> =>
  decide(store, id, 'release.revoke', decision, (release) => [revoke(release, decision.now)], { reason })

import { equal, fromHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { parseDecision } from '../../shared/decisions/entry.ts'
import { vendorOf } from '../../shared/decisions/products.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Store } from '../store/index.ts'

/** Decisions after which devices with a release can count as covered. */
const COVERING = ['release.classify', 'release.assess']

/**
 * What the collector knows and the log does not: a release cannot become covered while devices that run it have critical
 * findings that nobody resolved, nor by the digest of something else. Errors: release.critical-open, release.changed.
 */
export async function assertMayBeCovered(store: Store, bytes: Uint8Array): Promise<void> {
  const { kind, subject, detail } = parseDecision(bytes, hash)
  if (!COVERING.includes(kind)) return
  const at = subject.lastIndexOf('@')
  const [product, name] = [subject.slice(0, at), subject.slice(at + 1)]
  const vendor = vendorOf(product)
  const owner = await store.products.byVendorModel(vendor, product.slice(vendor.length + 1))
  const releases = owner === undefined ? [] : await store.releases.ofProduct(owner.id)
  const release = releases.find((each) => each.name === name)
  if (release === undefined) throw new KeepsealError('request.not-found', `release ${subject}`)
  const digest = typeof detail === 'object' && detail !== null && 'digest' in detail ? detail.digest : null
  if (typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest) || !equal(fromHex(digest), release.digest)) {
    throw new KeepsealError('release.changed', subject)
  }
  const critical = await store.findings.criticalOf(release.id)
  if (critical > 0) throw new KeepsealError('release.critical-open', `${critical} on devices with ${subject}`)
}

import { concat, equal } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import { OutcomeError } from '../../shared/errors.ts'
import { authenticateSectionPart, parseSectionMessage, type SectionPart } from '../../shared/evidence/section-part.ts'
import type { UpstreamTopic } from '../../shared/evidence/topics.ts'
import type { Device } from '../model/device.ts'
import type { Store } from '../store/index.ts'
import type { SectionChunk } from '../store/sections.ts'
import { inflate } from './inflate.ts'
import type { KeyCache } from './known-devices.ts'
import type { RateLimiter } from './rate-limiter.ts'
import type { ReceivedMessage } from './evidence-handler.ts'

export interface SectionLimits {
  /** Largest content, after decompression, in bytes. */
  readonly contentBytes: number
  /** What a device may have under way in incomplete contents, in bytes. */
  readonly pendingBytes: number
  /** What a device may send of contents in a day, in bytes: what is complete stays stored. */
  readonly budget?: RateLimiter
}

export interface HandledSection {
  readonly device: Device
  readonly digest: Uint8Array
  /** The content is whole now, and was not before. */
  readonly completed: boolean
}

/**
 * Stores one part of a content. Parts are idempotent rows, so that any replica may take any of them; whoever sees the
 * last one missing assembles the whole, decompresses it within its bound and checks it against its digest. A device's
 * parts are put together with its own alone: another one's false part would spoil them.
 * Throws OutcomeError for a message that is not this device's or not usable.
 */
export async function handleSection(
  store: Store,
  message: ReceivedMessage,
  topic: UpstreamTopic,
  keys: KeyCache,
  limits: SectionLimits,
): Promise<HandledSection> {
  const device = await store.devices.byUeid(topic.ueid)
  if (device === undefined) throw new OutcomeError('identity.unknown-device', topic.ueid)
  if (device.enrolment === 'revoked') throw new OutcomeError('identity.revoked')
  const part = authenticateSectionPart(parseSectionMessage(message.bytes), topic.ueid, keys.keysOf(device).deviceKey)
  const { vendor } = device
  const { digest } = part
  if (await store.sections.has(vendor, digest)) return { device, digest, completed: false }
  if (part.size > limits.contentBytes) throw new OutcomeError('section.too-large', `${part.size} bytes`)
  // What it takes of the store counts, not what it took on the way: each part pays its share of the whole.
  const share = Math.max(part.part.length, Math.ceil(part.size / part.count))
  if (limits.budget !== undefined && limits.budget.take(device.ueid, share, message.receivedAt) > 0) {
    throw new OutcomeError('section.too-large', 'more content than a day allows')
  }
  await makeRoom(store, device, part, limits)

  const chunks = await withPart(store, device, part)
  if (chunks.length < part.count) return { device, digest, completed: false }
  const content = assemble(chunks, part)
  if (content === undefined) {
    // Parts of different makings, or a false digest: nothing of it can be kept.
    await store.sections.deleteChunks(vendor, digest, device.id)
    throw new OutcomeError('section.digest-mismatch')
  }
  await store.sections.save(vendor, digest, content)
  await store.sections.deleteChunks(vendor, digest)
  return { device, digest, completed: true }
}

/** What is under way and was never completed, of a posture that has changed meanwhile, must not shut a device out. */
async function makeRoom(store: Store, device: Device, part: SectionPart, limits: SectionLimits): Promise<void> {
  const fits = async (): Promise<boolean> =>
    (await store.sections.bytesHeldBy(device.id)) + part.part.length <= limits.pendingBytes
  if (await fits()) return
  await store.sections.deleteOtherChunks(device.id, part.digest)
  if (!(await fits())) throw new OutcomeError('section.too-large', 'too much under way')
}

async function withPart(store: Store, device: Device, part: SectionPart): Promise<readonly SectionChunk[]> {
  const { vendor } = device
  const { digest, index, count, size, encoding } = part
  await store.sections.saveChunk({
    vendor,
    digest,
    index,
    count,
    size,
    encoding: encoding === 0 ? 'identity' : 'deflate',
    bytes: part.part,
    deviceId: device.id,
  })
  return store.sections.chunksOf(vendor, digest, device.id)
}

/** The content, or undefined when the parts do not make it. Never allocates more than the announced size. */
function assemble(chunks: readonly SectionChunk[], { size, digest, count }: SectionPart): Uint8Array | undefined {
  const [first] = chunks
  const alike = chunks.every(
    (chunk) => chunk.count === count && chunk.size === size && chunk.encoding === first?.encoding,
  )
  if (first === undefined || !alike) return undefined
  const encoded = concat(...chunks.map((chunk) => chunk.bytes))
  const content = first.encoding === 'deflate' ? inflate(encoded, size) : encoded
  return content !== undefined && content.length === size && equal(sha256(content), digest) ? content : undefined
}

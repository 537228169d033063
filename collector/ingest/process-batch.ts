import { toHex } from '../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../shared/errors.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { parseUpstreamTopic, type UpstreamTopic } from '../../shared/evidence/topics.ts'
import type { Device } from '../model/device.ts'
import type { Store } from '../store/index.ts'
import type { CollectorKeys } from '../trust/keys.ts'
import {
  handleEvidence,
  refuse,
  type EvidenceDependencies,
  type Handled,
  type ReceivedMessage,
} from './evidence-handler.ts'
import {
  makeReceipt,
  receiptFor,
  requestFor,
  type DownPublication,
  type KnownReceipts,
  type Owed,
  type OwedSession,
} from './receipts.ts'
import { reconsider } from './reconsider.ts'
import { handleSection, type SectionLimits } from './section-handler.ts'
import { SteadyBatch } from './steady/steady-batch.ts'
import type { IssuedReceipt } from '../store/receipts.ts'

export interface IngestDependencies extends EvidenceDependencies {
  readonly collectorKeys: CollectorKeys
  readonly sectionLimits: SectionLimits
  readonly messageBytes: number
  readonly receiptIntervalMs: number
}

/** What a batch has durably decided, and what is to be told now that it is. */
export interface BatchResult {
  readonly handled: readonly Handled[]
  readonly publications: readonly DownPublication[]
}

/**
 * Decides a batch of messages in one transaction: all of it is stored when this resolves, or nothing when it rejects.
 * Answers are returned, to be sent after the commit and never before.
 */
export async function processBatch(
  store: Store,
  messages: readonly ReceivedMessage[],
  deps: IngestDependencies,
  now: number,
): Promise<BatchResult> {
  const devices = devicesOf(messages)
  const result = await store.transactionOf(devices, async (transaction) => {
    const steady = await SteadyBatch.load(transaction, deps, devices)
    const handled: Handled[] = []
    for (const message of messages) handled.push(...(await handleMessage(transaction, message, deps, steady)))
    const publications = await answers(transaction, handled, deps, now, steady)
    await steady.flush()
    return { handled, publications, steady }
  })
  // Only now it is certain that what was read is stored.
  result.steady.remember()
  for (const { known, appraisal } of result.handled) {
    if (known !== null && appraisal !== null) deps.shared.learn(known, appraisal)
  }
  return result
}

function devicesOf(messages: readonly ReceivedMessage[]): readonly Ueid[] {
  return [...new Set(messages.flatMap(({ topic }) => parseUpstreamTopic(topic)?.ueid ?? []))]
}

async function handleMessage(
  store: Store,
  message: ReceivedMessage,
  deps: IngestDependencies,
  steady: SteadyBatch,
): Promise<Handled[]> {
  const topic = parseUpstreamTopic(message.topic)
  if (topic === undefined || topic.kind === 'presence') return []
  if (topic.kind === 'evidence' && message.bytes.length <= deps.messageBytes) {
    const handled = await steady.handle(message, topic.ueid)
    if (handled !== undefined) return [handled]
  }
  await steady.flush()
  steady.forget(topic.ueid)
  return handleAlone(store, message, topic, deps)
}

async function handleAlone(
  store: Store,
  message: ReceivedMessage,
  topic: UpstreamTopic,
  deps: IngestDependencies,
): Promise<Handled[]> {
  try {
    if (message.bytes.length > deps.messageBytes)
      throw new OutcomeError('message.too-large', `${message.bytes.length} bytes`)
    if (topic.kind === 'evidence') return [await handleEvidence(store, message, topic, deps)]
    const section = await handleSection(store, message, topic, deps.keys, deps.sectionLimits)
    const appraised = section.completed ? await reconsider(store, section.device, deps, message.receivedAt) : undefined
    return appraised === undefined ? [] : [appraised]
  } catch (error) {
    if (!(error instanceof OutcomeError)) throw error
    const device = (await store.devices.byUeid(topic.ueid)) ?? null
    return [await refuse(store, message, device, error)]
  }
}

async function answers(
  store: Store,
  handled: readonly Handled[],
  deps: IngestDependencies,
  now: number,
  steady: SteadyBatch,
): Promise<DownPublication[]> {
  const publications: DownPublication[] = []
  const issued: IssuedReceipt[] = []
  const steadyReceipt = (owed: Owed, known: KnownReceipts): DownPublication | undefined => {
    const made = makeReceipt(deps.collectorKeys, owed, known, now, deps.receiptIntervalMs)
    if (made === undefined) return undefined
    issued.push(made.receipt)
    steady.sentReceipt(owed.device.ueid, made.receipt)
    return made.publication
  }
  for (const owed of owedTo(handled)) {
    const known = steady.receiptsOf(owed.device.ueid)
    const receipt =
      known === undefined
        ? await receiptFor(store, deps.collectorKeys, owed, now, deps.receiptIntervalMs)
        : steadyReceipt(owed, known)
    const request = requestFor(deps.collectorKeys, owed)
    for (const publication of [receipt, request]) if (publication !== undefined) publications.push(publication)
  }
  await store.receipts.insert(issued)
  return publications
}

/** One answer for each device of a batch, with the newest state of each of its sessions. */
function owedTo(handled: readonly Handled[]): Iterable<Owed> {
  const owed = new Map<number, Owed>()
  const of = (device: Device): Owed => {
    const entry = owed.get(device.id) ?? { device, sessions: new Map(), refused: [], request: null, urgent: false }
    owed.set(device.id, entry)
    return entry
  }
  for (const { device, session, sequence, result, hash, code, request, urgent } of handled) {
    if (device === null) continue // nobody to authenticate an answer to
    const entry = of(device)
    if (session !== null) {
      const name = toHex(session.session)
      const owedSession: OwedSession = { session, decided: entry.sessions.get(name)?.decided ?? new Set() }
      if (sequence !== null) owedSession.decided.add(sequence)
      entry.sessions.set(name, owedSession)
    }
    if (result === 'refused' && code !== null) entry.refused.push({ hash, code })
    entry.request = request ?? entry.request
    entry.urgent ||= urgent
  }
  return owed.values()
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AttestationSession } from '../../../agent/attest/session.ts'
import type { ReceivedMessage } from '../../../collector/ingest/evidence-handler.ts'
import { SharedKnowledgeCache } from '../../../collector/ingest/steady/shared-knowledge.ts'
import type { Finding } from '../../../collector/model/finding.ts'
import { openStore, type Store } from '../../../collector/store/index.ts'
import { processBatch } from '../../../collector/ingest/process-batch.ts'
import { failingStore } from '../../support/failing-store.ts'
import { goodBoot } from '../../support/eventlog-builder.ts'
import { IngestingCollector, PERIOD_MS, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { SoftwareDevice, socketsWith, GOOD_READINGS } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

const keys = useCollectorKeys()

/** Knows nothing, so that every message is looked at by itself. */
class NoKnowledge extends SharedKnowledgeCache {
  override find(): undefined {
    return undefined
  }
}

/** Counts how many messages were taken with the others. */
class CountingKnowledge extends SharedKnowledgeCache {
  found = 0
  override find(...name: Parameters<SharedKnowledgeCache['find']>) {
    const known = super.find(...name)
    if (known !== undefined) this.found += 1
    return known
  }
}

/** Claims another place in its chain than the next one, in evidence that is quoted and signed as any other. */
class DisplacedSession extends AttestationSession {
  readonly #sequence: number
  constructor(id: Uint8Array, { sequence, previous }: { sequence: number; previous: Uint8Array }) {
    super(id, previous)
    this.#sequence = sequence
  }
  override get next() {
    return { ...super.next, sequence: this.#sequence }
  }
}

const ANY_STEP = fc.oneof(
  { arbitrary: fc.record({ kind: fc.constant('report' as const), device: fc.nat(2) }), weight: 40 },
  { arbitrary: fc.record({ kind: fc.constant('epoch' as const) }), weight: 10 },
  { arbitrary: fc.record({ kind: fc.constant('batch' as const), size: fc.integer({ min: 1, max: 9 }) }), weight: 14 },
  { arbitrary: fc.record({ kind: fc.constant('again' as const), message: fc.nat() }), weight: 2 },
  { arbitrary: fc.record({ kind: fc.constant('swap' as const) }), weight: 1 },
  {
    arbitrary: fc.record({
      kind: fc.constant('outage' as const),
      device: fc.nat(2),
      reports: fc.integer({ min: 2, max: 6 }),
      isNewestFirst: fc.boolean(),
    }),
    weight: 3,
  },
  { arbitrary: fc.record({ kind: fc.constant('restart' as const), device: fc.nat(2) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('reboot' as const), device: fc.nat(2) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('listen' as const), device: fc.nat(2) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('lie' as const), device: fc.nat(2) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('approve' as const), device: fc.nat(2) }), weight: 1 },
  { arbitrary: fc.record({ kind: fc.constant('damage' as const) }), weight: 1 },
)
type Step = typeof ANY_STEP extends fc.Arbitrary<infer T> ? T : never

const orderOf = ({ code, subject, openedAt }: Pick<Finding, 'code' | 'subject' | 'openedAt'>): string =>
  `${code} ${subject} ${openedAt}`

/** Everything that is stored about a device, but for ids that are drawn at random. */
async function toldOf(store: Store, device: SoftwareDevice) {
  const row = await store.devices.byUeid(device.ueid)
  if (row === undefined) throw new Error('not enrolled')
  const findings = await store.findings.list({ limit: 200 }, { deviceUeid: device.ueid })
  return {
    state: { ...(await store.devices.stateOf(row.id)) },
    sessions: await store.sessions.recentlyFresh(row.id, 50),
    runs: (await store.evidenceRuns.list(row.id, { limit: 200 })).items.map((run) => ({ ...run, id: 0 })),
    evidence: (await store.evidence.list(row.id, { limit: 200 })).items,
    newest: await store.evidence.latestFresh(row.id),
    recent: await store.evidence.recentHashes(row.id),
    receipt: await store.receipts.latest(row.id),
    findings: findings.items
      .map(({ finding }) => ({ ...finding, id: '', deviceId: 0 }))
      .sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1)),
    refusals: await store.refusals.countsByCode({ ueid: device.ueid }),
  }
}

describeStore('reports that tell nothing new', (createStore) => {
  async function fleet(collector: IngestingCollector): Promise<readonly SoftwareDevice[]> {
    await collector.product()
    await collector.epoch()
    return Promise.all(Array.from({ length: 3 }, () => collector.device()))
  }

  test('are taken together, as the others would be one by one', async () => {
    const shared = new CountingKnowledge()
    const collector = new IngestingCollector(createStore(), keys(), { shared })
    const devices = await fleet(collector)
    for (const device of devices) {
      await collector.report(device)
      await collector.content(device)
      await collector.approve(device)
    }
    for (let round = 0; round < 4; round++) {
      await collector.epoch(...devices)
      const messages: ReceivedMessage[] = []
      for (const device of devices) {
        const made = await device.report()
        device.acknowledged = made
        messages.push(collector.message(device, made.bytes))
      }
      const { handled } = await collector.receive(...messages)
      expect(handled.map(({ result, code }) => [result, code])).toEqual(devices.map(() => ['accepted', null]))
    }
    // The first two rounds bring the posture, and what nobody has been found healthy by yet.
    expect(shared.found).toBeGreaterThanOrEqual(6)
    for (const device of devices) {
      const { state, runs, newest } = await toldOf(collector.store, device)
      expect(state).toMatchObject({ verdict: 'affirming', freshSequence: 4 })
      expect(newest?.seq).toBe(4)
      expect(runs.at(0)?.lastSeq).toBe(4)
    }
  })

  /** A device whose reports are taken with the others by now. */
  async function steady(shared: CountingKnowledge) {
    const collector = new IngestingCollector(createStore(), keys(), { shared })
    const [device] = await fleet(collector)
    if (device === undefined) throw new Error('not enrolled')
    await collector.report(device)
    await collector.content(device)
    await collector.approve(device)
    for (let round = 1; round <= 4; round++) {
      await collector.epoch(device)
      const made = await device.report()
      device.acknowledged = made
      await collector.receive(collector.message(device, made.bytes))
    }
    expect(shared.found).toBeGreaterThan(0)
    const { newest } = await toldOf(collector.store, device)
    if (newest === undefined) throw new Error('no evidence')
    return { collector, device, newest }
  }

  test.each([
    ['leaves a number out', 6, { code: null, latch: 'none', extra: [[6, 6]], findings: [] }, 1],
    [
      'bears a number for the second time',
      4,
      { code: 'link.fork', latch: 'failed', extra: [], findings: ['identity.clone'] },
      0,
    ],
  ] as const)(
    'do not hide one that %s, although it names the newest as its previous',
    async (_, sequence, expected, taken) => {
      const shared = new CountingKnowledge()
      const { collector, device, newest } = await steady(shared)
      const { found } = shared
      const session = new DisplacedSession(device.session, { sequence, previous: newest.hash })
      const made = await device.report({}, { session })
      const { handled } = await collector.receive(collector.message(device, made.bytes))
      const { state, sessions, findings } = await toldOf(collector.store, device)
      expect({
        code: handled[0]?.code,
        latch: state.latch,
        extra: sessions[0]?.extra,
        findings: findings.map(({ code }) => code),
      }).toEqual(expected)
      expect(shared.found).toBe(found + taken)
    },
  )

  test('are taken together also where they queued up for hours, the newest of them before the others', async () => {
    const shared = new CountingKnowledge()
    const { collector, device, newest } = await steady(shared)
    const { found } = shared
    const queued: Uint8Array[] = []
    for (let index = 0; index < 12; index++) {
      await collector.epoch(device)
      queued.push((await device.report()).bytes)
    }
    const inOrder = [...queued.slice(-1), ...queued.slice(0, -1)]
    const operations: string[] = []
    const store = failingStore(collector.store, (repository, operation) =>
      operations.push(`${repository}.${operation}`),
    )
    const messages = inOrder.map((bytes) => collector.message(device, bytes))
    const { handled, publications } = await processBatch(store, messages, collector.deps, collector.now)
    expect(handled.map(({ result, code }) => [result, code])).toEqual(
      // The one before the newest is within the window still, and so is the one before that.
      inOrder.map((_, index) => ['accepted', index === 0 || index > 9 ? null : 'freshness.late']),
    )
    expect(shared.found).toBe(found + 12)
    expect(publications).toHaveLength(1)
    // An epoch each, and for the batch as a whole what one message would take.
    expect(operations.filter((name) => name !== 'epochs.byNonce').length).toBeLessThan(12)
    const { state, sessions, runs } = await toldOf(collector.store, device)
    expect(state).toMatchObject({ verdict: 'affirming', freshSequence: newest.seq + 12 })
    expect(sessions[0]).toMatchObject({ contiguousTo: newest.seq + 12, extra: [] })
    expect(runs.map(({ firstSeq, lastSeq, fresh }) => [firstSeq, lastSeq, fresh]).slice(0, 3)).toEqual([
      [newest.seq + 10, newest.seq + 11, true],
      [newest.seq + 1, newest.seq + 9, false],
      [newest.seq + 12, newest.seq + 12, true],
    ])
  })

  test('do not take over one of another session that names the newest of this one as its previous', async () => {
    const shared = new CountingKnowledge()
    const { collector, device, newest } = await steady(shared)
    const { found } = shared
    const other = new Uint8Array(16).fill(7)
    const session = new DisplacedSession(other, { sequence: newest.seq + 1, previous: newest.hash })
    const made = await device.report({}, { session })
    await collector.receive(collector.message(device, made.bytes))
    const { runs } = await toldOf(collector.store, device)
    expect(runs[0]).toMatchObject({ firstSeq: newest.seq + 1, lastSeq: newest.seq + 1 })
    expect(runs[0]?.session).toEqual(other)
    expect(shared.found).toBe(found)
  })
})

describe('whatever a fleet sends', () => {
  test('a collector that takes steady reports together stores the same as one that takes each by itself', async () => {
    let taken = 0
    await fc.assert(
      fc.asyncProperty(fc.array(ANY_STEP, { minLength: 10, maxLength: 80 }), async (steps) => {
        const directory = mkdtempSync(join(tmpdir(), 'keepseal-steady-'))
        const opened = await Promise.all(['a.db', 'b.db'].map((name) => openStore({ path: join(directory, name) })))
        try {
          const counting = new CountingKnowledge()
          const [one, other] = opened.map(
            ({ store }, index) =>
              new IngestingCollector(store, keys(), {
                shared: index === 0 ? counting : new NoKnowledge(),
                history: { keepOneIn: 3 },
              }),
          ) as [IngestingCollector, IngestingCollector]
          const devices = await run(steps, one, other)
          taken += counting.found
          for (const device of devices) {
            expect(await toldOf(one.store, device)).toEqual(await toldOf(other.store, device))
          }
        } finally {
          for (const { close } of opened) await close()
          rmSync(directory, { recursive: true })
        }
      }),
      { numRuns: 20 },
    )
    // Otherwise this would compare nothing.
    expect(taken).toBeGreaterThan(60)
  }, 120_000)
})

async function run(steps: readonly Step[], one: IngestingCollector, other: IngestingCollector) {
  const both = [one, other]
  for (const each of both) await each.product()
  const firstEpoch = await one.epoch()
  await other.store.epochs.insert({ nonce: firstEpoch.nonce, issuedAt: firstEpoch.issuedAt })
  const devices = Array.from(
    { length: 3 },
    () => new SoftwareDevice({ collectorId: one.deps.policy.collectorId, nonce: firstEpoch.nonce }),
  )
  const events = goodBoot()
  for (const device of devices) {
    device.reboot(events)
    for (const each of both) await each.store.devices.insert(device.enrolled(each.productId))
  }
  const sent: ReceivedMessage[] = []
  let waiting: ReceivedMessage[] = []
  const receive = async (messages: readonly ReceivedMessage[]): Promise<void> => {
    for (const each of both) await each.receive(...messages)
  }
  const report = async (device: SoftwareDevice, lies = {}): Promise<void> => {
    const made = await device.report(lies)
    device.acknowledged = made
    waiting.push(one.message(device, made.bytes))
  }
  const deliver = async (size = waiting.length): Promise<void> => {
    const batch = waiting.slice(0, size)
    waiting = waiting.slice(size)
    sent.push(...batch)
    if (batch.length > 0) await receive(batch)
  }
  const content = async (device: SoftwareDevice): Promise<void> => {
    const parts = await Promise.all([device.logParts(), ...[...device.sections.keys()].map((id) => device.parts(id))])
    for (const part of parts.flat()) await receive([one.message(device, part, 'section')])
  }
  const approve = async (device: SoftwareDevice): Promise<void> => {
    for (const each of both) await each.approve(device).catch(() => undefined)
  }
  for (const device of devices) {
    await report(device)
    await deliver()
    await content(device)
    await approve(device)
  }
  for (const step of steps) {
    const device = 'device' in step ? (devices[step.device] as SoftwareDevice) : (devices[0] as SoftwareDevice)
    switch (step.kind) {
      case 'report':
        await report(device)
        break
      case 'epoch': {
        const { nonce, issuedAt } = await one.epoch(...devices)
        other.now += PERIOD_MS
        await other.store.epochs.insert({ nonce, issuedAt })
        break
      }
      case 'batch':
        await deliver(step.size)
        break
      case 'outage': {
        const queued: Uint8Array[] = []
        for (let index = 0; index < step.reports; index++) {
          const { nonce, issuedAt } = await one.epoch(device)
          other.now += PERIOD_MS
          await other.store.epochs.insert({ nonce, issuedAt })
          queued.push((await device.report()).bytes)
        }
        const inOrder = step.isNewestFirst ? [...queued.slice(-1), ...queued.slice(0, -1)] : queued
        waiting.push(...inOrder.map((bytes) => one.message(device, bytes)))
        break
      }
      case 'again': {
        const message = sent[step.message % Math.max(1, sent.length)]
        if (message !== undefined) waiting.push({ ...message, receivedAt: one.now })
        break
      }
      case 'swap':
        waiting = waiting.toReversed()
        break
      case 'restart':
        device.restart()
        break
      case 'reboot':
        device.reboot()
        break
      case 'listen':
        device.readings = {
          ...GOOD_READINGS,
          sockets: device.readings === GOOD_READINGS ? socketsWith(22, 4444) : socketsWith(22),
        }
        await content(device)
        device.acknowledged = { postureDigest: null, pcrDigest: null }
        break
      case 'lie':
        await report(device, { extraData: new Uint8Array(32) })
        break
      case 'approve':
        await deliver()
        await approve(device)
        break
      case 'damage': {
        const last = waiting.at(-1)
        if (last !== undefined)
          waiting.push({ ...last, bytes: last.bytes.map((byte, i) => (i === 90 ? byte ^ 1 : byte)) })
        break
      }
    }
  }
  await deliver()
  return devices
}

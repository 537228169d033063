import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { openStore, type Store } from '../../../collector/store/index.ts'
import type { PostgresSettings } from '../../../collector/store/postgres/pool.ts'
import type { SweepTimes } from '../../../collector/store/sweep.ts'
import { evidence, finding, storedDevice } from '../../collector/store/samples.ts'
import { usePostgres } from '../../support/postgres-backend.ts'
import { postgresName, postgresPrograms, query } from '../../support/postgres.ts'

const NEVER: SweepTimes = { evidence: 0, history: 0, refusals: 0, findings: 0, pcrValues: 0 }
const [JANUARY, FEBRUARY, MARCH, APRIL, MAY] = [0, 1, 2, 3, 4].map((month) => Date.UTC(2026, month)) as [
  number,
  number,
  number,
  number,
  number,
]
const DAY = 86_400_000

describe.skipIf(postgresPrograms === undefined)(`the messages of a month (${postgresName})`, () => {
  const server = usePostgres()
  const opened = async () => {
    const settings = await server().createDatabase()
    return { settings, ...(await openStore({ postgres: settings })) }
  }
  const sizes = async (settings: PostgresSettings): Promise<Record<string, number>> => {
    const tables = await query(
      settings,
      `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'evidence_messages'::regclass order by 1`,
    )
    const counted = tables.map(async ({ name }) => {
      const [row] = await query(settings, `select count(*)::int as rows from ${String(name)}`)
      return [String(name).replace('evidence_messages_', ''), Number(row?.['rows'])] as const
    })
    return Object.fromEntries(await Promise.all(counted))
  }
  const received = (store: Store, deviceId: number, seq: number, receivedAt: number) =>
    store.evidence.insert(evidence(deviceId, seq, { receivedAt }))
  const seqs = async (store: Store, deviceId: number) =>
    (await store.evidence.list(deviceId, { limit: 100 })).items.map(({ seq }) => seq).sort((one, other) => one - other)

  it('are in a partition of their own, made ahead of its time, once, whoever asks', async () => {
    const { store, settings, close } = await opened()
    const made = await Promise.all([1, 2].map(() => store.evidencePartitions.prepare(JANUARY + DAY, 0)))
    expect(new Set(made.flat())).toEqual(
      new Set(['evidence_messages_2026_01', 'evidence_messages_2026_02', 'evidence_messages_2026_03']),
    )
    expect(await store.evidencePartitions.prepare(JANUARY + 2 * DAY, 0)).toEqual([])
    const { id } = await storedDevice(store)
    for (const [seq, at] of [JANUARY, FEBRUARY - 1, FEBRUARY, MARCH, APRIL, JANUARY - 1].entries())
      await received(store, id, seq, at)
    expect(await sizes(settings)).toEqual({ '2026_01': 2, '2026_02': 1, '2026_03': 1, default: 2 })
    expect(await seqs(store, id)).toEqual([0, 1, 2, 3, 4, 5])
    await close()
  })

  it('are moved into it when they came before it was made, and are the same messages', async () => {
    const { store, settings, close } = await opened()
    const { id } = await storedDevice(store)
    for (const [seq, at] of [JANUARY, FEBRUARY + DAY, MARCH].entries()) await received(store, id, seq, at)
    // The collector was away for long, or its clock was wrong; what is old by now gets no partition any more.
    expect(await store.evidencePartitions.prepare(MAY, FEBRUARY)).toContain('evidence_messages_2026_02')
    expect(await sizes(settings)).toMatchObject({ '2026_02': 1, '2026_03': 1, '2026_05': 0, default: 1 })
    for (const [seq, receivedAt] of [JANUARY, FEBRUARY + DAY, MARCH].entries()) {
      const record = evidence(id, seq, { receivedAt })
      expect(await store.evidence.byHash(id, record.hash)).toEqual(record)
    }
    await close()
  })

  it('are counted once, when the same message comes again in another month', async () => {
    const { store, settings, close } = await opened()
    await store.evidencePartitions.prepare(JANUARY, 0)
    const { id } = await storedDevice(store)
    expect(await received(store, id, 0, JANUARY)).toBe(true)
    expect(await received(store, id, 0, MARCH)).toBe(false)
    expect(await sizes(settings)).toEqual({ '2026_01': 1, '2026_02': 0, '2026_03': 0, default: 0 })
    await close()
  })

  it('go with their month when that is over and old, but none that an open finding is about; that one goes later', async () => {
    const { store, settings, close } = await opened()
    await store.evidencePartitions.prepare(JANUARY, 0)
    const { id } = await storedDevice(store)
    for (const [seq, at] of [JANUARY, JANUARY + DAY, FEBRUARY, FEBRUARY + DAY].entries())
      await received(store, id, seq, at)
    const open = finding(id, { evidenceHash: evidence(id, 1).hash })
    await store.findings.insert(open)
    await store.sweep({ ...NEVER, evidence: FEBRUARY + 1 }, 100)
    const dropped = await Promise.all([1, 2].map(() => store.evidencePartitions.drop(FEBRUARY + 1)))
    expect(dropped.flat()).toEqual(['evidence_messages_2026_01'])
    expect(await sizes(settings)).toEqual({ '2026_02': 2, '2026_03': 0, default: 1 })
    // Of February one is old; its month is not over.
    expect(await seqs(store, id)).toEqual([1, 3])
    expect((await store.evidence.byHash(id, open.evidenceHash))?.bytes).toEqual(evidence(id, 1).bytes)
    // No partition is made for what has outlived its own.
    expect(await store.evidencePartitions.prepare(MARCH, FEBRUARY + 1)).not.toContain('evidence_messages_2026_01')
    await query(settings, "update findings set state = 'resolved'")
    await store.sweep({ ...NEVER, evidence: FEBRUARY + 1 }, 100)
    expect(await sizes(settings)).toMatchObject({ default: 0 })
    await close()
  })

  it('stay while more of them than can be moved at once are not removed from the list', async () => {
    const { store, settings, close } = await opened()
    await store.evidencePartitions.prepare(JANUARY, 0)
    const { id } = await storedDevice(store)
    const records = Array.from({ length: 10_001 }, (_, seq) => evidence(id, seq, { receivedAt: JANUARY }))
    while (records.length > 0) await store.evidence.insertAll(records.splice(0, 1000))
    expect(await store.evidencePartitions.drop(MAY)).not.toContain('evidence_messages_2026_01')
    await store.sweep({ ...NEVER, evidence: MAY }, 2)
    expect(await store.evidencePartitions.drop(MAY)).toContain('evidence_messages_2026_01')
    expect(await sizes(settings)).toEqual({ default: 9_999 })
    expect(await seqs(store, id)).toHaveLength(100)
    await close()
  })

  it('wait for whoever reads for long, and let nobody else wait', async () => {
    const { store, settings, close } = await opened()
    const { id } = await storedDevice(store)
    let isReading = true
    const reading = query(settings, 'begin; select * from evidence_messages; select pg_sleep(20); commit').then(
      () => (isReading = false),
    )
    await new Promise((resolve) => setTimeout(resolve, 500))
    await expect(store.evidencePartitions.prepare(JANUARY, 0)).rejects.toMatchObject({ code: 'state.busy' })
    expect(await received(store, id, 0, JANUARY)).toBe(true)
    expect(isReading).toBe(true)
    await reading
    expect(await store.evidencePartitions.prepare(JANUARY, 0)).toHaveLength(3)
    expect(await seqs(store, id)).toEqual([0])
    await close()
  })

  it('are what they would be in one table, whatever comes, is swept and is dropped in which order', async () => {
    const { store, close } = await opened()
    let run = 0
    const step = fc.oneof(
      fc.record({ kind: fc.constant('receive' as const), day: fc.integer({ min: 0, max: 150 }) }),
      fc.record({ kind: fc.constant('prepare' as const), day: fc.integer({ min: 0, max: 150 }) }),
      fc.record({ kind: fc.constant('remove' as const), day: fc.integer({ min: 0, max: 150 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const { id } = await storedDevice(store, `run ${run++}`)
        let expected: { seq: number; at: number }[] = []
        let seq = 0
        let old = 0
        for (const { kind, day } of steps) {
          const at = JANUARY + day * DAY
          if (kind === 'prepare') await store.evidencePartitions.prepare(at, old)
          else if (kind === 'receive') {
            await received(store, id, seq, at)
            expected.push({ seq: seq++, at })
          } else {
            old = at
            await store.sweep({ ...NEVER, evidence: at }, 1000)
            await store.evidencePartitions.drop(at)
            expected = expected.filter((each) => each.at >= at)
          }
        }
        expect(await seqs(store, id)).toEqual(expected.map((each) => each.seq))
      }),
      { numRuns: 20 },
    )
    await close()
  })

  it('are found in one partition alone', async () => {
    const { store, settings, close } = await opened()
    await store.evidencePartitions.prepare(JANUARY, 0)
    const { id } = await storedDevice(store)
    await received(store, id, 0, FEBRUARY)
    // With tables this small reading all of them would cost less.
    for (const plan of ['hashjoin', 'mergejoin', 'seqscan'])
      await query(settings, `alter database ${settings.database} set enable_${plan} = off`)
    const rows = await query(
      settings,
      `explain (analyze, costs off, timing off, summary off) select bytes from evidence join evidence_messages on
        evidence_messages.evidence_id = evidence.id and evidence_messages.received_at = evidence.received_at
        where device_id = ${id} and hash = '\\x${Buffer.from(evidence(id, 0).hash).toString('hex')}'`,
    )
    const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n')
    expect(plan.match(/never executed/g)?.length, plan).toBeGreaterThanOrEqual(3)
    await close()
  })
})

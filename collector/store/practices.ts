import type { ConditionState } from '../../shared/maturity/conformity/conditions.ts'
import type { Sample } from '../../shared/maturity/conformity/sample.ts'
import type { PracticeStatus, Reason } from '../../shared/maturity/conformity/status.ts'
import type { Waiting } from '../../shared/maturity/conformity/waiting.ts'
import type { PracticeId } from '../../shared/maturity/practices.ts'
import type { SignalId } from '../../shared/maturity/signals.ts'
import type { Confirmation, PracticeState, PracticeTransition, ProductUnits } from '../model/practice.ts'
import type { Executor } from './database.ts'
import { integerCursor, rowsToRead, toPage, type Page, type PageRequest } from './paging.ts'

/** Rows of one statement: SQLite takes a bounded number of values. */
const ROWS = 100

type SampleDetail = Pick<Sample, 'idle' | 'percentiles' | 'apart'>

/** The newest evaluation of a product: its time slot, and what it found beside the practices. */
export interface StoredEvaluation {
  readonly slot: number
  readonly evaluatedAt: number
  /** JSON: FleetSummary. */
  readonly fleet: string
  /** Limitations and assumptions of the profiles in force. */
  readonly conditions: readonly ConditionState[]
}

export type PracticesRepository = ReturnType<typeof practicesRepository>

/** What is watched about practices of a product: samples of signals, states, and their changes. */
export function practicesRepository(db: Executor) {
  return {
    async units(productId: string): Promise<ProductUnits | undefined> {
      const row = await db
        .selectFrom('product_units')
        .selectAll()
        .where('product_id', '=', productId)
        .executeTakeFirst()
      return (
        row && { declared: row.declared, retireAfterDays: row.retire_after_days, setAt: row.set_at, setBy: row.set_by }
      )
    },

    async setUnits(productId: string, units: ProductUnits): Promise<void> {
      const values = {
        declared: units.declared,
        retire_after_days: units.retireAfterDays,
        set_at: units.setAt,
        set_by: units.setBy,
      }
      await db
        .insertInto('product_units')
        .values({ product_id: productId, ...values })
        .onConflict((conflict) => conflict.column('product_id').doUpdateSet(values))
        .execute()
      // Others are shown what was said before as well.
      await db
        .insertInto('unit_declarations')
        .values({ product_id: productId, declared: units.declared, declared_at: units.setAt })
        .execute()
    },

    /** The slot in which a product was evaluated last, and what its fleet was. */
    async evaluation(productId: string): Promise<StoredEvaluation | undefined> {
      const row = await db
        .selectFrom('practice_evaluations')
        .selectAll()
        .where('product_id', '=', productId)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const conditions = JSON.parse(row.conditions) as StoredEvaluation['conditions']
      return { slot: row.slot, evaluatedAt: row.evaluated_at, fleet: row.fleet, conditions }
    },

    async setEvaluation(productId: string, { slot, evaluatedAt, fleet, conditions }: StoredEvaluation): Promise<void> {
      const values = { slot, evaluated_at: evaluatedAt, fleet, conditions: JSON.stringify(conditions) }
      await db
        .insertInto('practice_evaluations')
        .values({ product_id: productId, ...values })
        .onConflict((conflict) => conflict.column('product_id').doUpdateSet(values))
        .execute()
    },

    /** Of the days from `from` on, oldest first. */
    async samples(productId: string, from: number, signal?: SignalId): Promise<ReadonlyMap<SignalId, Sample[]>> {
      let query = db
        .selectFrom('signal_samples')
        .selectAll()
        .where('product_id', '=', productId)
        .where('sampled_day', '>=', from)
        .orderBy('signal')
        .orderBy('sampled_day')
      if (signal !== undefined) query = query.where('signal', '=', signal)
      const all = new Map<SignalId, Sample[]>()
      for (const row of await query.execute()) {
        const { value, good, known, denominator } = row
        const detail = JSON.parse(row.detail) as SampleDetail
        const sample = { day: row.sampled_day, value, good, known, denominator, ...detail }
        const list = all.get(row.signal)
        if (list === undefined) all.set(row.signal, [sample])
        else list.push(sample)
      }
      return all
    },

    /** The newest of a day stands for it. */
    async saveSamples(productId: string, samples: ReadonlyMap<SignalId, Sample>): Promise<void> {
      const rows = [...samples].map(([signal, { day, value, good, known, denominator, ...detail }]) => ({
        product_id: productId,
        signal,
        sampled_day: day,
        value,
        good,
        known,
        denominator,
        detail: JSON.stringify(detail satisfies SampleDetail),
      }))
      for (let at = 0; at < rows.length; at += ROWS) {
        await db
          .insertInto('signal_samples')
          .values(rows.slice(at, at + ROWS))
          .onConflict((conflict) =>
            conflict.columns(['product_id', 'signal', 'sampled_day']).doUpdateSet((eb) => ({
              value: eb.ref('excluded.value'),
              good: eb.ref('excluded.good'),
              known: eb.ref('excluded.known'),
              denominator: eb.ref('excluded.denominator'),
              detail: eb.ref('excluded.detail'),
            })),
          )
          .execute()
      }
    },

    /** By advisory: how many units began to run its fix on which day. */
    async progress(productId: string): Promise<ReadonlyMap<string, ReadonlyMap<number, number>>> {
      const rows = await db.selectFrom('advisory_progress').selectAll().where('product_id', '=', productId).execute()
      const all = new Map<string, Map<number, number>>()
      for (const { advisory, fixed_day: day, units } of rows) {
        const days = all.get(advisory) ?? new Map<number, number>()
        all.set(advisory, days.set(day, units))
      }
      return all
    },

    async saveProgress(productId: string, advisory: string, days: ReadonlyMap<number, number>): Promise<void> {
      await db
        .deleteFrom('advisory_progress')
        .where('product_id', '=', productId)
        .where('advisory', '=', advisory)
        .execute()
      const rows = [...days].map(([day, units]) => ({ product_id: productId, advisory, fixed_day: day, units }))
      for (let at = 0; at < rows.length; at += ROWS) {
        await db
          .insertInto('advisory_progress')
          .values(rows.slice(at, at + ROWS))
          .execute()
      }
    },

    async states(productId: string): Promise<ReadonlyMap<PracticeId, PracticeState>> {
      const rows = await db.selectFrom('practice_states').selectAll().where('product_id', '=', productId).execute()
      return new Map(
        rows.map(({ practice, status, since, waiting, confirmed, explanation }) => [
          practice,
          {
            status,
            since,
            waiting: JSON.parse(waiting) as Waiting,
            confirmed: confirmed === null ? null : (JSON.parse(confirmed) as Confirmation),
            explanation: JSON.parse(explanation) as PracticeState['explanation'],
          },
        ]),
      )
    },

    async saveState(productId: string, practice: PracticeId, state: PracticeState): Promise<void> {
      const values = {
        status: state.status,
        since: state.since,
        waiting: JSON.stringify(state.waiting),
        confirmed: state.confirmed === null ? null : JSON.stringify(state.confirmed),
        explanation: JSON.stringify(state.explanation),
      }
      await db
        .insertInto('practice_states')
        .values({ product_id: productId, practice, ...values })
        .onConflict((conflict) => conflict.columns(['product_id', 'practice']).doUpdateSet(values))
        .execute()
    },

    async addTransition(
      productId: string,
      practice: PracticeId,
      change: {
        readonly from: PracticeStatus | null
        readonly to: PracticeStatus
        readonly at: number
        readonly reasons: readonly Reason[]
      },
    ): Promise<void> {
      const { from, to, at, reasons } = change
      await db
        .insertInto('practice_transitions')
        .values({
          product_id: productId,
          practice,
          from_status: from,
          to_status: to,
          changed_at: at,
          explanation: JSON.stringify(reasons),
        })
        .execute()
    },

    /** Newest first. */
    async transitions(productId: string, page: PageRequest, practice?: PracticeId): Promise<Page<PracticeTransition>> {
      const cursor = integerCursor(page)
      let query = db
        .selectFrom('practice_transitions')
        .selectAll()
        .where('product_id', '=', productId)
        .orderBy('id', 'desc')
        .limit(rowsToRead(page))
      if (practice !== undefined) query = query.where('practice', '=', practice)
      if (cursor !== undefined) query = query.where('id', '<', cursor)
      return toPage(
        await query.execute(),
        page,
        ({ id }) => id,
        (row) => ({
          practice: row.practice,
          from: row.from_status,
          to: row.to_status,
          at: row.changed_at,
          reasons: JSON.parse(row.explanation) as Reason[],
        }),
      )
    },
  }
}

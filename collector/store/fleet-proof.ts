import type { FindingCode } from '../../shared/codes/findings.ts'
import { UNRESOLVED } from '../model/finding.ts'
import type { Executor } from './database.ts'

/** What units are asked to show. */
export interface FleetQuestion {
  readonly productId: string
  /** The finding that has to be gone; null where the cause is no finding: then nothing may be wrong that latches. */
  readonly code: FindingCode | null
  /** ms since 1970: evidence from then on counts. */
  readonly since: number
  /** Place of the release that brings the fix, or of a later one; null where no release does. */
  readonly releaseOrder: number | null
}

export interface FleetAnswer {
  /** What shares are of: the units that the vendor declares, or those that are enrolled where more are, or none was declared. */
  readonly declared: number
  readonly basis: 'declared' | 'enrolled'
  /** Active units here. */
  readonly enrolled: number
  /** Of those that show it by fresh evidence. Whatever is not appraised shows nothing. */
  readonly shown: number
}

export type FleetProofRepository = ReturnType<typeof fleetProofRepository>

/** How many units of a product show that something is mended. */
export function fleetProofRepository(db: Executor) {
  const units = (productId: string) =>
    db.selectFrom('devices').where('devices.product_id', '=', productId).where('devices.enrolment', '=', 'active')

  /** Those that show it by fresh evidence. */
  const showing = ({ productId, code, since, releaseOrder }: FleetQuestion) =>
    units(productId)
      .innerJoin('device_states', 'device_states.device_id', 'devices.id')
      .where('device_states.last_fresh_at', '>=', since)
      .where('device_states.verdict', '<>', 'not-appraised')
      .where((expression) => {
        const { eb, not, exists, selectFrom } = expression
        if (code === null) return eb('device_states.verdict', '<>', 'contraindicated')
        return not(
          exists(
            selectFrom('findings')
              .select('findings.id')
              .whereRef('findings.device_id', '=', 'devices.id')
              .where('findings.code', '=', code)
              .where('findings.state', 'in', UNRESOLVED),
          ),
        )
      })
      .$if(releaseOrder !== null, (query) =>
        query.where('device_states.release_id', 'in', (from) =>
          from
            .selectFrom('releases')
            .select('releases.id')
            .where('releases.product_id', '=', productId)
            .where('releases.release_order', '>=', releaseOrder),
        ),
      )

  /** A vendor who enrols his good units alone has the others in the denominator; who declares too few gains nothing. */
  const denominator = async (productId: string, enrolled: number): Promise<Omit<FleetAnswer, 'shown'>> => {
    const row = await db
      .selectFrom('product_units')
      .select('declared')
      .where('product_id', '=', productId)
      .executeTakeFirst()
    const said = row?.declared ?? null
    return said !== null && said >= enrolled
      ? { declared: said, basis: 'declared', enrolled }
      : { declared: enrolled, basis: 'enrolled', enrolled }
  }

  return {
    async ask(question: FleetQuestion): Promise<FleetAnswer> {
      const enrolled = await units(question.productId)
        .select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
      const shown = await showing(question)
        .select(({ fn }) => fn.countAll().as('count'))
        .executeTakeFirstOrThrow()
      return { ...(await denominator(question.productId, Number(enrolled.count))), shown: Number(shown.count) }
    },

    /** The units that show it, each with its newest evidence. */
    async showing(question: FleetQuestion, limit: number) {
      return showing(question)
        .leftJoin('newest_evidence', 'newest_evidence.device_id', 'devices.id')
        .select([
          'devices.ueid as ueid',
          'device_states.last_fresh_at as lastFreshAt',
          'newest_evidence.hash as evidenceHash',
        ])
        .orderBy('devices.id')
        .limit(limit)
        .execute()
    },

    /** Units that have reported at or after `since`, of all that are declared. */
    async coverage(productId: string, since: number): Promise<FleetAnswer> {
      const row = await db
        .selectFrom('devices')
        .leftJoin('device_states', (join) =>
          join.onRef('device_states.device_id', '=', 'devices.id').on('device_states.last_fresh_at', '>=', since),
        )
        .select(({ fn }) => [fn.countAll().as('enrolled'), fn.count('device_states.device_id').as('shown')])
        .where('devices.product_id', '=', productId)
        .where('devices.enrolment', '=', 'active')
        .executeTakeFirstOrThrow()
      return { ...(await denominator(productId, Number(row.enrolled))), shown: Number(row.shown) }
    },
  }
}

import type { ExpressionBuilder, ExpressionWrapper, SqlBool } from 'kysely'
import type { Database } from './schema.ts'

/** Since when who was not seen is stale. ms since 1970. */
export interface StaleMoments {
  readonly stale: number
  /** The same for devices that report less often than is usual; `reportInterval` in seconds, as in their state. */
  readonly staleAt: readonly { readonly reportInterval: number; readonly before: number }[]
}

export const staleBefore = ({ stale, staleAt }: StaleMoments, reportInterval: number | null): number =>
  staleAt.find((each) => each.reportInterval === reportInterval)?.before ?? stale

/** The same of a row. Comparisons of columns alone, so that both databases know the type of every value. */
export function isStale<T extends 'device_states'>(
  builder: ExpressionBuilder<Database, T>,
  { stale, staleAt }: StaleMoments,
): ExpressionWrapper<Database, T, SqlBool> {
  // A builder of more tables has all that one of this table has.
  const eb = builder as unknown as ExpressionBuilder<Database, 'device_states'>
  const seenBefore = (moment: number) => eb('device_states.last_fresh_at', '<', moment)
  const others = staleAt.map(({ reportInterval }) => reportInterval)
  const isUsual = eb.or([
    eb('device_states.report_interval', 'is', null),
    ...(others.length === 0 ? [] : [eb('device_states.report_interval', 'not in', others)]),
  ])
  const rare = staleAt.map(({ reportInterval, before }) =>
    eb.and([eb('device_states.report_interval', '=', reportInterval), seenBefore(before)]),
  )
  const all = others.length === 0 ? seenBefore(stale) : eb.or([eb.and([isUsual, seenBefore(stale)]), ...rare])
  return all as unknown as ExpressionWrapper<Database, T, SqlBool>
}

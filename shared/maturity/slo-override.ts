import * as v from 'valibot'

const upTo = (max: number) => v.pipe(v.number(), v.integer('a whole number is wanted'), v.minValue(0), v.maxValue(max))

/** What a profile wants otherwise than the default of a signal; what is not here stays the default. */
export const sloOverrideSchema = v.pipe(
  v.strictObject({
    /** In the unit of the signal. */
    objective: v.optional(upTo(1_000_000_000)),
    windowDays: v.optional(v.pipe(upTo(366), v.minValue(1))),
    /** Share of the window, or of the devices, that may miss the objective. */
    budgetPermille: v.optional(upTo(1000)),
    /** Share of the declared units that has to be seen for the signal to say anything. */
    coveragePercent: v.optional(upTo(100)),
  }),
  v.check((override) => Object.values(override).some((value) => value !== undefined), 'it overrides nothing'),
)
export type SloOverride = v.InferOutput<typeof sloOverrideSchema>

import * as v from 'valibot'

const upTo = (max: number) => v.pipe(v.number(), v.integer('a whole number is wanted'), v.minValue(0), v.maxValue(max))

/** What a profile wants otherwise than the default objective of a signal; what is not here stays the default. */
export const sloOverrideSchema = v.pipe(
  v.strictObject({
    /** Of a signal in days, hours or a count: at most this much. */
    target: v.optional(upTo(1_000_000)),
    /** Of a signal that is a share: at least so much of a thousand. */
    targetPermille: v.optional(upTo(1000)),
    windowDays: v.optional(v.pipe(upTo(366), v.minValue(1))),
    /** Of a duration: which percentile is compared with the target. */
    percentile: v.optional(v.pipe(upTo(100), v.minValue(50))),
    /** Of a share: how much of a thousand units has to be known for it to count. */
    coveragePermille: v.optional(upTo(1000)),
  }),
  v.check((override) => Object.values(override).some((value) => value !== undefined), 'it overrides nothing'),
)
export type SloOverride = v.InferOutput<typeof sloOverrideSchema>

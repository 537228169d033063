import * as v from 'valibot'
import type { ValueType } from '../../../shared/config/value-types.ts'

const RFC3339 = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z)?$/

/** A time of the option's text: a day, or a minute, is its beginning. */
export function checkedTime(): ValueType<string> {
  return {
    schema: v.pipe(v.string(), v.isoTimestamp()),
    requirement: 'a time in UTC, as 2026-12-01 or 2026-12-01T12:00:00Z',
    fromText: (text) => {
      const ms = RFC3339.test(text) ? Date.parse(text) : Number.NaN
      return Number.isNaN(ms) ? text : new Date(ms).toISOString()
    },
  }
}

import * as v from 'valibot'
import type { ValueType } from '../../../shared/config/value-types.ts'
import { checkedTime } from './time-option.ts'

const DAYS = /^([1-9][0-9]{0,2})d$/

/** A time, or so many days from now: `30d`. What is refused is said by the collector, whose clock counts. */
export function until(now: () => number = Date.now): ValueType<string> {
  const time = checkedTime()
  return {
    schema: v.pipe(v.string(), v.isoTimestamp()),
    requirement: `days from now, as 30d, or ${time.requirement}`,
    fromText: (text) => {
      const days = DAYS.exec(text)?.[1]
      if (days !== undefined) return new Date(now() + Number(days) * 86_400_000).toISOString()
      return time.fromText(text)
    },
  }
}

import { OutcomeError } from '../errors.ts'

/** `eventlog.malformed` with the place: `offset` in bytes from the start of the log. */
export function malformedAt(offset: number, detail: string): OutcomeError {
  return new OutcomeError('eventlog.malformed', `at byte ${offset}: ${detail}`)
}

import { OutcomeError } from '../errors.ts'

/** `ima.malformed` with the place: `sequence` is the position of the entry in the whole list. */
export function malformedEntry(sequence: number, detail: string): OutcomeError {
  return new OutcomeError('ima.malformed', `entry ${sequence}: ${detail}`)
}

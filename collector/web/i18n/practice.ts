import { PRACTICES } from '../../../shared/maturity/practices.ts'
import { codeTitle } from './text.ts'

/** What the model calls a practice, or its German name. An id that is newer than these pages stays as it is. */
export function practiceName(id: string): string {
  const english = Object.hasOwn(PRACTICES, id) ? PRACTICES[id as keyof typeof PRACTICES].name : id
  return codeTitle(id, english)
}

import { standingOfRequest } from '../../../shared/decisions/documents/request.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { dayText, productsText, type Reminder } from './reminder.ts'

/** Documents that somebody owes. `at`: seconds since 1970. */
export const requestReminders = (register: Register, at: number): readonly Reminder[] =>
  [...register.documentRequests.values()].flatMap((request) => {
    const standing = standingOfRequest(request, register, at)
    if (standing !== 'due-soon' && standing !== 'overdue') return []
    const { id, kind, from, until, products } = request
    const who = 'person' in from ? (register.people.get(from.person)?.name ?? from.person) : from.capacity
    // It is overdue from the end of the day that was named.
    const text = `${who} owes the document ${kind} (${id}) by ${dayText(until - 1)}, for ${productsText(products)}`
    const told =
      standing === 'overdue'
        ? ({ stage: 2, severity: 'high', text: `overdue: ${text}` } as const)
        : ({ stage: 1, severity: 'medium', text } as const)
    return [{ kind: 'request.due', date: `request ${id}`, subject: id, products, ...told }]
  })

import type { AttestedDocument } from '../../../shared/decisions/documents/document.ts'
import { standingOfDocument, type DocumentStanding } from '../../../shared/decisions/documents/standing.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { dayText, productsText, type Reminder } from './reminder.ts'

type Told = Pick<Reminder, 'stage' | 'severity'> & { readonly says: string }

/** What nobody relied on, or was replaced or ended by a decision, reminds of nothing. */
const TOLD: Readonly<Partial<Record<DocumentStanding, Told>>> = {
  expiring: { stage: 1, severity: 'medium', says: 'ends soon' },
  'in-grace': { stage: 2, severity: 'medium', says: 'has ended, and counts for 14 days more' },
  expired: { stage: 3, severity: 'high', says: 'has ended, and counts no more' },
}

/** Accepted documents that end soon or have ended. `at`: seconds since 1970. */
export const documentReminders = (register: Register, at: number): readonly Reminder[] =>
  [...register.documents.values()].flatMap((document) => {
    const told = document.acceptedBy === null ? undefined : TOLD[standingOfDocument(document, register, at).standing]
    return told === undefined ? [] : [reminderOf(document, told)]
  })

function reminderOf({ id, kind, validUntil, products }: AttestedDocument, { says, ...told }: Told): Reminder {
  const text = `the document ${kind} (${id}) ${says}: it is good until ${dayText(validUntil)}, for ${productsText(products)}`
  return { kind: 'document.due', date: `document ${id}`, subject: id, text, products, ...told }
}

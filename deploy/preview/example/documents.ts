import { createHash } from 'node:crypto'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import type { PracticeId } from '../../../shared/maturity/practices.ts'
import type { ProfileDocument } from '../../../shared/maturity/profile.ts'
import type { ExamplePeople } from './people.ts'

/** One that is missing, so that there is something to see. */
const LEFT_OUT = ['key-management-policy']
const DAY_SECONDS = 86_400
const MONTH_DAYS = 30

/** Hands in what the targets of a profile ask of people, and has the certifier accept it. */
export async function attest(people: ExamplePeople, profile: ProfileDocument, products: string[]): Promise<void> {
  const issued = Math.floor(Date.now() / 1000)
  for (const [kind, { title, months, practices }] of Object.entries(defaultCatalogue.documents)) {
    const asked = (Object.entries(practices) as [PracticeId, { from: number }][])
      .filter(([practice, { from }]) => (profile.practices[practice]?.target.level ?? 0) >= from)
      .map(([practice]) => practice)
    if (asked.length === 0 || LEFT_OUT.includes(kind)) continue
    const content = `EXAMPLE. ${title}. There is no such document.\n`
    await people.decide('vendor', 'document.submit', `doc_${kind}`, {
      kind,
      practices: asked,
      criterion: `${title} (example)`,
      statement: 'It is in force, in an example.',
      file: { name: `${kind}.txt`, sha256: createHash('sha256').update(content).digest('hex') },
      capacity: 'head of development',
      products,
      issued,
      validUntil: issued + months * MONTH_DAYS * DAY_SECONDS,
      supersedes: null,
    })
    await people.decide('certifier', 'document.accept', `doc_${kind}`, { reason: 'an example' })
  }
}

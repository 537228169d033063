import type { Certificate } from '../../../shared/decisions/certificate.ts'
import type { CatalogueVersions } from '../../store/catalogue-versions.ts'
import { dateOf, days, daysBetween, type Call } from './rule.ts'

const once = { isOnce: true, releaseId: null } as const

/** Nine months, as the rules of certification schemes have it. */
const EXPIRY_DAYS = 274
/** A yearly review is called for so long before its day. */
const REVIEW_DAYS = 30

type Dates = Pick<Certificate, 'number' | 'validUntil' | 'supportUntil' | 'issuedAt'>

/** T16: the certificate ends soon, or a year has passed since it was issued. `now`: seconds. */
export function certificateReviews({ number, validUntil, issuedAt }: Dates, now: number): readonly Call[] {
  const ends: readonly Call[] =
    now >= validUntil || now < validUntil - days(EXPIRY_DAYS)
      ? []
      : [
          {
            ...once,
            cause: 'certificate.expires-soon',
            subject: dateOf(validUntil),
            summary: `${number} ends on ${dateOf(validUntil)}`,
            details: { validUntil },
          },
        ]
  if (issuedAt === null) return ends
  const soon = new Date((now + days(REVIEW_DAYS)) * 1000)
  const years = yearsSince(new Date(issuedAt * 1000), soon)
  if (years < 1) return ends
  const due = yearsAfter(issuedAt, years)
  const review: Call = {
    ...once,
    cause: 'certificate.anniversary',
    subject: `year ${years}`,
    summary: `review of year ${years} of ${number}, due on ${dateOf(due)}`,
    details: { year: years, due },
  }
  return [...ends, review]
}

function yearsSince(from: Date, to: Date): number {
  const years = to.getUTCFullYear() - from.getUTCFullYear()
  return yearsAfter(from.getTime() / 1000, years) * 1000 > to.getTime() ? years - 1 : years
}

function yearsAfter(from: number, years: number): number {
  const date = new Date(from * 1000)
  date.setUTCFullYear(date.getUTCFullYear() + years)
  return Math.floor(date.getTime() / 1000)
}

/** How far the vendor still supports the product, as it is seen from outside. */
export interface SupportLife {
  /** When the last update was released; null where none was ever. */
  readonly lastUpdateAt: number | null
  /** Since when a critical vulnerability is open; null where none is. */
  readonly criticalOpenSince: number | null
}

const SUPPORT_ENDS_DAYS = 90
const SILENT_DAYS = 90

/** T7: support has ended, ends soon, or has stopped: no update for long while a critical vulnerability is open. */
export function supportEnds({ supportUntil }: Dates, life: SupportLife, now: number): readonly Call[] {
  const details = { supportUntil }
  const subject = dateOf(supportUntil)
  if (now >= supportUntil) {
    return [{ ...once, cause: 'support.ended', subject, summary: `support ended on ${subject}`, details }]
  }
  const calls: Call[] = []
  if (now >= supportUntil - days(SUPPORT_ENDS_DAYS)) {
    calls.push({ ...once, cause: 'support.ends-soon', subject, summary: `support ends on ${subject}`, details })
  }
  const { lastUpdateAt, criticalOpenSince } = life
  if (criticalOpenSince !== null && now >= Math.max(lastUpdateAt ?? 0, criticalOpenSince) + days(SILENT_DAYS)) {
    const open = daysBetween(criticalOpenSince, now)
    const summary = `a critical vulnerability is open since ${open} days, and no update came`
    const last = { lastUpdateAt, criticalOpenSince }
    calls.push({ isOnce: false, releaseId: null, cause: 'support.stopped', subject: '', summary, details: last })
  }
  return calls
}

/** Something that people have signed, or agreed to do, with a day on which it is no longer good. */
export interface DatedDocument {
  readonly id: string
  readonly title: string
  readonly kind: 'document' | 'review'
  /** The day on which it ends, or ended before its time. */
  readonly validUntil: number
}

/** T8: documents that have expired, and reviews that are overdue. The same one once, until it is renewed. */
export const documentsExpired = (documents: readonly DatedDocument[], now: number): readonly Call[] =>
  documents
    .filter(({ validUntil }) => now >= validUntil)
    .map(({ id, title, kind, validUntil }) => ({
      ...once,
      cause: kind === 'document' ? 'document.expired' : 'review.overdue',
      subject: `${id} ${dateOf(validUntil)}`,
      summary: `${title}, good until ${dateOf(validUntil)}`,
      details: { document: id, validUntil },
    }))

/** T8: who signed a document that still counts may sign no more: somebody looks whether it is to be relied on. */
export const signersRevoked = (documents: readonly Pick<DatedDocument, 'id' | 'title'>[]): readonly Call[] =>
  documents.map(({ id, title }) => ({
    ...once,
    cause: 'document.signer-revoked',
    subject: id,
    summary: `${title}: who signed it may sign no more`,
    details: { document: id },
  }))

/** A key by which updates are trusted. */
export interface UpdateKey {
  readonly keyId: string
  readonly expiresAt: number
}

const KEY_EXPIRES_DAYS = 60

/** T6: a key that signs updates expires soon. What devices report of their update channels opens cases as findings do. */
export const updateKeysExpire = (keys: readonly UpdateKey[], now: number): readonly Call[] =>
  keys
    .filter(({ expiresAt }) => now >= expiresAt - days(KEY_EXPIRES_DAYS))
    .map(({ keyId, expiresAt }) => ({
      ...once,
      cause: 'update-key.expires-soon',
      subject: `${keyId} ${dateOf(expiresAt)}`,
      summary: `the key ${keyId} expires on ${dateOf(expiresAt)}`,
      details: { key: keyId, expiresAt },
    }))

/** T17: the catalogue, or a standard that it maps to, is of another version than when the certificate was issued. */
export const catalogueChanged = (assessedBy: CatalogueVersions, current: CatalogueVersions): readonly Call[] =>
  Object.entries(current)
    .filter(([name, version]) => assessedBy[name] !== version)
    .map(([name, version]) => ({
      ...once,
      cause: 'catalogue.changed',
      subject: `${name} ${version}`,
      summary: `${name}: assessed by ${assessedBy[name] ?? 'none'}, and there is ${version}`,
      details: { name, assessedBy: assessedBy[name] ?? null, current: version },
    }))

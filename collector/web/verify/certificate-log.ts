import { toHex } from '../../../shared/bytes/bytes.ts'
import { decodeCertificateFile } from '../../../shared/certificate/file.ts'
import type { Certificate } from '../../../shared/decisions/certificate.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { DecisionLog, type VerifiedEntry } from '../../../shared/decisions/log.ts'
import { decisionKinds } from '../../../shared/decisions/kinds.ts'
import type { Register } from '../../../shared/decisions/register.ts'
import { hash } from './crypto.ts'
import { checkLog } from './log-crypto.ts'

/** One decision, which its author has signed and whose guards held: both were checked here. */
export interface LoggedDecision {
  readonly index: number
  /** Seconds since 1970, by the clock of its author. */
  readonly at: number
  readonly kind: string
  readonly title: string
  readonly subject: string
  readonly author: { readonly name: string; readonly role: string; readonly keyId: string; readonly isPasskey: boolean }
  /** In the words of whoever decided; empty where he gave none. */
  readonly reason: string
  /** What it was decided on. */
  readonly facts: readonly (readonly [name: string, value: string])[]
  readonly hash: string
  /** It names the one above it by its hash; `gap`: what is between them is about other things, and is not here. */
  readonly link: 'first' | 'follows' | 'gap'
}

export interface CheckedLog {
  readonly log: string
  /** As those decisions have left it, and the profiles that they name. */
  readonly certificate: Certificate | undefined
  readonly profiles: Register['profiles']
  readonly headIndex: number
  readonly decisions: readonly LoggedDecision[]
}

/**
 * The decisions of a certificate file, each checked as the collector checked it. Throws KeepsealError for the first one
 * that does not hold, and says which.
 */
export function logOfCertificate(bytes: Uint8Array): Promise<CheckedLog> {
  const { entries, certificate, head } = decodeCertificateFile(bytes)
  return readEntries(entries, certificate, { hasGaps: true, headIndex: head.index })
}

/** The same from a whole log, for a certificate that has no file yet: one that was not issued. */
export function logOfDraft(entries: readonly Uint8Array[], certificate: string): Promise<CheckedLog> {
  return readEntries(entries, certificate, { hasGaps: false, headIndex: entries.length - 1 })
}

interface Read {
  readonly hasGaps: boolean
  readonly headIndex: number
}

function readEntries(
  bytes: readonly Uint8Array[],
  certificate: string,
  { hasGaps, headIndex }: Read,
): Promise<CheckedLog> {
  const titles = decisionKinds(hash)
  return checkLog((crypto) => {
    const log = new DecisionLog(crypto, { hasGaps })
    const all = bytes.map((entry) => log.append(entry))
    const entries = hasGaps ? all : all.filter(({ subject }) => subject === certificate)
    const { certificates, profiles } = log.register
    return {
      certificate: certificates.get(certificate),
      profiles,
      log: toHex(log.id ?? new Uint8Array()),
      headIndex,
      decisions: entries.map((entry, place) => decisionOf(entry, entries[place - 1], titles)),
    }
  })
}

function decisionOf(
  entry: VerifiedEntry,
  before: VerifiedEntry | undefined,
  titles: ReadonlyMap<string, { readonly title: string }>,
): LoggedDecision {
  const { index, at, kind, subject, author, detail } = entry
  const { reason, ...facts } = detail as Record<string, Json>
  return {
    index,
    at,
    kind,
    title: titles.get(kind)?.title ?? kind,
    subject,
    author: { name: author.name, role: author.role, keyId: author.keyId, isPasskey: author.relyingParty !== null },
    reason: typeof reason === 'string' ? reason : '',
    facts: Object.entries(facts).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
    hash: toHex(entry.hash),
    link: before === undefined ? (index === 0 ? 'first' : 'gap') : before.index === index - 1 ? 'follows' : 'gap',
  }
}

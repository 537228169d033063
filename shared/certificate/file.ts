import { decodeCbor, encodeCbor } from '../cbor/codec.ts'
import { field } from '../cbor/fields.ts'
import type { CborValue } from '../cbor/value.ts'
import { decodeCoseKey, encodeCoseKey, type CoseKey } from '../cose/key.ts'
import type { DecisionLog, VerifiedEntry } from '../decisions/log.ts'
import { namesOf } from '../decisions/products.ts'
import type { Register } from '../decisions/register.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'

/** A certificate with what it takes to check it without asking anybody: certificate.cddl, certificate-file. */
export interface CertificateFile {
  readonly certificate: string
  /** Signed entries of the decision log about it, its profile, and the people who have signed: in order. */
  readonly entries: readonly Uint8Array[]
  /** Newest entry of the whole log when the file was made. */
  readonly head: { readonly index: number; readonly hash: Uint8Array }
  /** The profile's document, in its one encoding; null where nobody had it. */
  readonly profile: Uint8Array | null
  /** Signed status of that time, and the key that it is checked with. */
  readonly status: Uint8Array
  readonly collectorKey: CoseKey & { readonly curve: 'Ed25519' }
}

const TITLE = 'keepseal certificate'
const LIMITS = { maxBytes: 16 * 1024 * 1024, maxDepth: 4, maxItems: 100_000 }

export function encodeCertificateFile(file: CertificateFile): Uint8Array {
  const { certificate, entries, head, profile, status, collectorKey } = file
  const place: CborValue = [head.index, head.hash]
  return encodeCbor([TITLE, 1, certificate, [...entries], place, profile, status, encodeCoseKey(collectorKey)])
}

/** Throws KeepsealError `certificate.file-invalid`, which names the place. */
export function decodeCertificateFile(bytes: Uint8Array): CertificateFile {
  try {
    const [title, version, certificate, entries, head, profile, status, key] = field(
      decodeCbor(bytes, LIMITS),
      'claims.malformed',
      'file',
    ).tuple('title', 'version', 'certificate', 'entries', 'head', 'profile', 'status', 'collectorKey')
    title.oneOf([TITLE])
    version.uint({ min: 1, max: 1 })
    const [index, hash] = head.tuple('index', 'hash')
    const collectorKey = decodeCoseKey(key.bytes({ min: 1, max: 256 }))
    if (collectorKey.curve !== 'Ed25519') return key.refuse('an Ed25519 key is wanted')
    return {
      certificate: certificate.text({ min: 1, max: 128 }),
      entries: entries.array({ min: 1, max: 50_000 }).map((entry) => entry.bytes({ min: 1, max: 65_536 })),
      head: { index: index.uint(), hash: hash.bytes({ length: 32 }) },
      profile: profile.nullable()?.bytes({ min: 1, max: 524_288 }) ?? null,
      status: status.bytes({ min: 1, max: 262_144 }),
      collectorKey,
    }
  } catch (cause) {
    if (cause instanceof OutcomeError) throw new KeepsealError('certificate.file-invalid', cause.message, { cause })
    throw cause
  }
}

/** Every certificate that this one has replaced, or that has replaced it, itself among them. */
function versionsOf({ certificates }: Register, id: string): ReadonlySet<string> {
  const all = new Set([id])
  for (let before = certificates.get(id)?.supersedes ?? null; before !== null;) {
    all.add(before)
    before = certificates.get(before)?.supersedes ?? null
  }
  // Later ones come later in the log: one pass finds them all.
  for (const { id: later, supersedes } of certificates.values()) {
    if (supersedes !== null && all.has(supersedes)) all.add(later)
  }
  return all
}

/** These profiles, and the templates that they are made after: a profile is approved only after its template. */
function withTemplates({ profiles }: Register, ids: readonly string[]): ReadonlySet<string> {
  const all = new Set<string>()
  const wanted = [...ids]
  for (let id = wanted.pop(); id !== undefined; id = wanted.pop()) {
    if (all.has(id)) continue
    all.add(id)
    wanted.push(...(profiles.get(id) ?? []).flatMap(({ basedOn }) => basedOn?.id ?? []))
  }
  return all
}

/**
 * The entries that say everything about one certificate: of other certificates, which may be other vendors', there is
 * nothing, and of cases only what a lowered profile stands on. `log`: the whole one, and what it has read.
 */
export function excerptOf(log: DecisionLog, entries: readonly VerifiedEntry[], id: string): readonly Uint8Array[] {
  const { register } = log
  const versions = versionsOf(register, id)
  const profiles = withTemplates(
    register,
    [...versions].flatMap((each) => register.certificates.get(each)?.profile.id ?? []),
  )
  const products = namesOf([...versions].flatMap((each) => register.certificates.get(each)?.products ?? []))
  // A profile may have been lowered for a nonconformity: then the decisions of its case are the proof.
  const changes = [...profiles].flatMap((each) => register.profiles.get(each) ?? []).map(({ change }) => change)
  const proving = new Set(changes.flatMap((change) => ('case' in change ? [change.case] : [])))
  const isAbout = ({ kind, subject }: VerifiedEntry): boolean => {
    const [area] = kind.split('.', 1)
    if (area === 'log' || area === 'person') return true
    if (area === 'certificate') return versions.has(subject)
    if (area === 'release') return products.some((product) => subject.startsWith(`${product}@`))
    if (area === 'profile') return profiles.has(subject)
    return area === 'case' && proving.has(subject)
  }
  return entries.filter(isAbout).map(({ bytes }) => bytes)
}

import * as v from 'valibot'
import type { Store } from '../../collector/store/index.ts'
import { fromHex } from '../../shared/bytes/bytes.ts'
import { hash } from '../../shared/crypto/node.ts'
import { ProfileDocument } from '../../shared/maturity/profile.ts'
import { digestOfProfile, encodeProfile } from '../../shared/maturity/profile-encoding.ts'
import {
  acceptDocument,
  certificate,
  certified,
  DecidingPeople,
  issueCertificate,
  PROFILE,
  type Signatory,
} from './decision-log.ts'

export type ProfileInput = Partial<v.InferInput<typeof ProfileDocument>>

/** Patch management at level 3 and access control at level 2. */
export const profileDocument = (over: ProfileInput = {}): ProfileDocument =>
  v.parse(ProfileDocument, {
    schema: 1,
    id: PROFILE,
    version: 1,
    kind: 'individual',
    title: 'Gateway',
    practices: {
      'patch-management': { target: { level: 3, scope: 'system' }, priority: 'must' },
      'access-control': { target: { level: 2, scope: 'industry' }, priority: 'must' },
    },
    review: { everyDays: 180 },
    ...over,
  })

/** What the catalogue asks for at the levels of this profile. */
const DOCUMENTS = ['patch-policy', 'emergency-patch-procedure']

export interface Certifying {
  readonly profile?: ProfileDocument
  /** Whether the collector has the profile that the log names. */
  readonly isHere?: boolean
  /** Kinds of accepted documents about patch management. */
  readonly documents?: readonly string[]
  /** What the certificate agreement says besides. */
  readonly agreement?: object
}

/** A collector with a certificate in force, its profile by digest, and accepted documents. `now`: seconds. */
export async function certifyByProfile(
  store: Pick<Store, 'decisions' | 'profileDocuments'>,
  product: string,
  now: number,
  { profile = profileDocument(), isHere = true, documents = DOCUMENTS, agreement = {} }: Certifying = {},
): Promise<DecidingPeople> {
  const people = await DecidingPeople.begin(now)
  const digest = digestOfProfile(profile, hash)
  const { id, version } = profile
  const targets = Object.fromEntries(Object.entries(profile.practices).map(([each, { target }]) => [each, target]))
  await people.decide(people.vendor, 'profile.submit', id, { version, digest, targets, change: { kind: 'initial' } })
  await people.decide(people.certifier, 'profile.approve', id, { version, digest })
  const agreed = { ...certificate(people).agreement, ...agreement }
  const over = { products: [certified(product)], line: null, profile: { id, version, digest }, agreement: agreed }
  await issueCertificate(people, 'crt_1', over)
  for (const kind of documents) await acceptDocument(people, `doc_${kind}`, { kind, products: [product] })
  for (const [index, entry] of people.entries.entries()) await store.decisions.append(index, entry, now * 1000)
  if (isHere) await store.profileDocuments.save(fromHex(digest), encodeProfile(profile), now * 1000)
  return people
}

/** Decided, and in the collector's log. */
export async function decideIn(
  store: Pick<Store, 'decisions'>,
  people: DecidingPeople,
  ...[by, kind, subject, detail]: [Signatory, string, string, object]
): Promise<void> {
  await people.decide(by, kind, subject, detail)
  const entry = people.entries.at(-1)
  if (entry !== undefined) await store.decisions.append(people.entries.length - 1, entry, people.now * 1000)
}

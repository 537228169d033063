import type { Store } from '../../collector/store/index.ts'
import { encodeCbor } from '../../shared/cbor/codec.ts'
import type { CoseKey } from '../../shared/cose/key.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import * as nodeCrypto from '../../shared/crypto/node.ts'
import { signDecision } from '../../shared/decisions/entry.ts'
import type { Json } from '../../shared/decisions/json-cbor.ts'
import type { CertifiedProduct } from '../../shared/decisions/products.ts'
import { DecisionLog, type VerifiedEntry } from '../../shared/decisions/log.ts'
import { newPerson, type PersonRole } from '../../shared/decisions/person.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import { ed25519Signer } from './node-signer.ts'

export interface Signatory {
  readonly id: string
  readonly role: PersonRole
  readonly signer: Signer
  readonly key: CoseKey
}

export function signatory(id: string, role: PersonRole): Signatory {
  const { signer, x } = ed25519Signer(nodeCrypto.sha256(encodeCbor(id)))
  return { id, role, signer, key: { curve: 'Ed25519', x } }
}

export const DAY = 86_400
export const BEGIN = Date.UTC(2026, 0, 1) / 1000

/** A decision log with people who sign, and a clock that only tests move. */
export class DecidingPeople {
  readonly log = new DecisionLog(nodeCrypto)
  readonly id = new Uint8Array(16).fill(0x1d)
  readonly entries: Uint8Array[] = []
  readonly certifier = signatory('per_certifier', 'certifier')
  readonly second = signatory('per_second', 'certifier')
  readonly vendor = signatory('per_vendor', 'vendor')
  now = BEGIN

  /** Those whose log this is, begun by `begin`; they decide from `now` on. */
  static of(entries: readonly Uint8Array[], now: number): DecidingPeople {
    const people = new DecidingPeople()
    people.now = now
    for (const entry of entries) people.log.append(entry)
    people.entries.push(...entries)
    return people
  }

  /** Begun, with a second certifier and somebody of the vendor. */
  static async begin(now = BEGIN): Promise<DecidingPeople> {
    const people = new DecidingPeople()
    people.now = now
    const { certifier } = people
    const detail = { operator: 'Example Certifier', certifier: newPerson('Ada', 'certifier', certifier.key) }
    await people.decide(certifier, 'log.begin', certifier.id, detail)
    for (const each of [people.second, people.vendor]) {
      await people.decide(certifier, 'person.add', each.id, newPerson(each.id, each.role, each.key))
    }
    return people
  }

  /** Signed in the place that is next; appended nowhere. */
  sign(by: Signatory, kind: string, subject: string, detail: unknown): Promise<Uint8Array> {
    const content = { log: this.id, ...this.log.next(), at: this.now, kind, subject, detail: detail as Json }
    return signDecision(content, by.signer)
  }

  async decide(by: Signatory, kind: string, subject: string, detail: unknown): Promise<VerifiedEntry> {
    const bytes = await this.sign(by, kind, subject, detail)
    const entry = this.log.append(bytes)
    this.entries.push(bytes)
    return entry
  }

  days(count: number): void {
    this.now += count * DAY
  }
}

export const PROFILE = 'pro_gateway'
export const digestOf = (text: string): string => toHex(nodeCrypto.sha256(encodeCbor(text)))

export const profile = (version: number, level: number, change: Json = { kind: 'initial' }) => ({
  version,
  digest: digestOf(`profile ${version}`),
  targets: {
    'patch-management': { level, scope: 'system' },
    'access-control': { level: 2, scope: 'industry' },
  },
  change,
})

/** A profile that the vendor has submitted and the first certifier has approved. */
export async function approveProfile(people: DecidingPeople, version: number, level: number, change?: Json) {
  const submitted = profile(version, level, change)
  await people.decide(people.vendor, 'profile.submit', PROFILE, submitted)
  const { digest } = submitted
  await people.decide(people.certifier, 'profile.approve', PROFILE, { version, digest })
}

/** A product of a certificate, in every revision and release unless the test says otherwise. */
export const certified = (product: string, representative = false, over: Partial<CertifiedProduct> = {}) => ({
  product,
  hardwareRevisions: ['*'],
  firmwareLines: ['*'],
  representative,
  rationale: representative ? 'has every interface' : 'a subset of the representative',
  ...over,
})

const LINE = { name: 'Gate', codeBase: 'one image for all', hardware: 'the same board, with fewer ports' }

export const certificate = (people: DecidingPeople, over: object = {}) => ({
  number: 'KS-2026-001',
  products: [certified('Acme/Gate 7', true), certified('Acme/Gate 7 Mini')],
  line: LINE,
  profile: { id: PROFILE, version: 1, digest: digestOf('profile 1') },
  agreement: { publicConformity: 'none', claimsWhileSuspended: false, closingShare: 95 },
  validFrom: people.now,
  validUntil: people.now + 1000 * DAY,
  supportUntil: people.now + 2000 * DAY,
  supersedes: null,
  isReduction: false,
  ...over,
})

/** What somebody states by a document. */
export const exampleDocument = (people: DecidingPeople, over: object = {}) => ({
  kind: 'patch-policy',
  practices: ['patch-management'],
  criterion: 'there is a policy for regular and emergency patches',
  statement: 'The policy is in force.',
  file: { name: 'policy.pdf', sha256: digestOf('policy') },
  capacity: 'head of development',
  products: ['Acme/Gate 7'],
  issued: people.now,
  validUntil: people.now + 365 * DAY,
  supersedes: null,
  ...over,
})

/** What a certifier recommends. */
export const exampleRecommendation = (over: object = {}) => ({
  title: 'Sign the update channel',
  text: 'Updates are checked by their length alone: sign them, and pin the key.',
  practice: 'patch-management',
  products: ['Acme/Gate 7'],
  case: null,
  like: null,
  ...over,
})

/** A step of a roadmap. */
export const exampleStep = (people: DecidingPeople, over: object = {}) => ({
  title: 'Signed updates in release 1.2',
  practice: 'patch-management',
  products: ['Acme/Gate 7'],
  fromLevel: 1,
  toLevel: 3,
  owner: 'Olga',
  due: people.now + 60 * DAY,
  evidence: 'the section update-channel says signed',
  recommendation: null,
  case: null,
  ...over,
})

/** That the drift of a practice is a nonconformity. */
export const exampleNonconformity = (over: object = {}) => ({
  practice: 'access-control',
  product: 'Acme/Gate 7',
  status: 'drift',
  since: BEGIN,
  reason: 'seen on site',
  ...over,
})

/** What somebody asks for. */
export const exampleRequest = (people: DecidingPeople, over: object = {}) => ({
  kind: 'patch-policy',
  practice: 'patch-management',
  products: ['Acme/Gate 7'],
  from: { capacity: 'head of development' },
  until: people.now + 60 * DAY,
  reason: 'the assessment of 2026',
  ...over,
})

/** An approved profile, and a certificate in force for it. */
export async function issueCertificate(people: DecidingPeople, id = 'crt_1', over: object = {}): Promise<void> {
  await people.decide(people.certifier, 'certificate.draft', id, certificate(people, over))
  await people.decide(people.certifier, 'certificate.issue', id, { reason: 'the assessment of 2026' })
}

/** A document that somebody of the vendor has submitted and the second certifier has accepted. */
export async function acceptDocument(people: DecidingPeople, id: string, over: object = {}): Promise<void> {
  await people.decide(people.vendor, 'document.submit', id, exampleDocument(people, over))
  await people.decide(people.second, 'document.accept', id, { reason: 'read' })
}

/** A collector's decision log in which a certificate is in force for this product alone. */
export async function certify(store: Pick<Store, 'decisions'>, product: string, now = BEGIN): Promise<DecidingPeople> {
  const people = await DecidingPeople.begin(now)
  await approveProfile(people, 1, 3)
  await issueCertificate(people, 'crt_1', { products: [certified(product)], line: null })
  for (const [index, entry] of people.entries.entries()) await store.decisions.append(index, entry, now * 1000)
  return people
}

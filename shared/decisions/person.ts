import * as v from 'valibot'
import { fromHex, toHex } from '../bytes/bytes.ts'
import { coseKeyThumbprint, decodeCoseKey, encodeCoseKey, type CoseKey } from '../cose/key.ts'
import type { HashFunction } from '../crypto/crypto.ts'
import { isAcceptableEd25519Key } from '../crypto/ed25519.ts'
import { KeepsealError, OutcomeError } from '../errors.ts'
import { relyingPartySchema, type RelyingParty } from '../webauthn/relying-party.ts'
import { defineKind, longText, refuse, shortText, type DecisionKind } from './kind.ts'
import type { Register } from './register.ts'

/** `collector`: the program, which records what it has found and decides nothing. */
export const PERSON_ROLES = ['vendor', 'operator', 'certifier', 'auditor', 'collector'] as const
export type PersonRole = (typeof PERSON_ROLES)[number]

/** Somebody who may sign entries of one log. */
export interface Person {
  readonly id: string
  readonly name: string
  readonly role: PersonRole
  readonly key: CoseKey
  /** Thumbprint of the key, in hexadecimal. */
  readonly keyId: string
  /** Where the key is a passkey, whom it is for; null: an Ed25519 key of the command line. */
  readonly relyingParty: RelyingParty | null
  /** Seconds since 1970; null while he may sign. */
  readonly revokedAt: number | null
}

const keySchema = v.pipe(v.string(), v.regex(/^[0-9a-f]{2,512}$/))

const personSchema = v.strictObject({
  name: shortText,
  role: v.picklist(PERSON_ROLES),
  /** COSE_Key in hexadecimal: of an Ed25519 key (RFC 9053 section 7.2), or of a passkey, then also on P-256. */
  key: keySchema,
  passkey: v.optional(relyingPartySchema),
})
type NewPerson = v.InferOutput<typeof personSchema>

/** What `person.add` says, as JSON. */
export type PersonDetail = { name: string; role: PersonRole; key: string; passkey?: { id: string; origins: string[] } }

export const newPerson = (name: string, role: PersonRole, key: CoseKey, passkey?: RelyingParty): PersonDetail => ({
  name,
  role,
  key: toHex(encodeCoseKey(key)),
  ...(passkey === undefined ? {} : { passkey: { id: passkey.id, origins: [...passkey.origins] } }),
})

function readKey(text: string, isPasskey: boolean): CoseKey {
  try {
    const key = decodeCoseKey(fromHex(text))
    // Whether a point is on P-256 is found out by the import, before anything is taken that it has signed.
    if (key.curve === 'Ed25519' ? isAcceptableEd25519Key(key.x) : isPasskey) return key
  } catch (cause) {
    if (!(cause instanceof OutcomeError)) throw cause
  }
  throw new KeepsealError('log.malformed', `the key of a person is no ${isPasskey ? 'passkey' : 'Ed25519 key'}`)
}

function personOf(id: string, { name, role, key: text, passkey }: NewPerson, hash: HashFunction): Person {
  const key = readKey(text, passkey !== undefined)
  const keyId = toHex(coseKeyThumbprint(key, hash))
  return { id, name, role, key, keyId, relyingParty: passkey ?? null, revokedAt: null }
}

function add({ people }: Register, person: Person): void {
  if (people.has(person.id)) refuse('decision.exists-already', person.id)
  // One key signs for one person: otherwise a second role would be a second pair of eyes that is none.
  const holder = [...people.values()].find(({ keyId }) => keyId === person.keyId)
  if (holder !== undefined) refuse('decision.exists-already', `the key is the one of ${holder.name}`)
  people.set(person.id, person)
}

const beginSchema = v.strictObject({
  /** Who operates the collector: a vendor who watches himself says so. */
  operator: shortText,
  certifier: personSchema,
})

/** Who begins a log with this detail. Throws KeepsealError `log.malformed`. */
export const firstPerson = (id: string, detail: unknown, hash: HashFunction): Person =>
  personOf(id, v.parse(beginSchema, detail).certifier, hash)

/** The kinds of decision about people. The first entry names the first certifier, who signs it. */
export const personKinds = (hash: HashFunction) => ({
  'log.begin': defineKind({
    title: 'The log begins',
    roles: ['certifier'],
    schema: beginSchema,
    apply: (register, { subject, detail }) => {
      if (register.head !== null) refuse('decision.wrong-state', 'the log has begun already')
      if (detail.certifier.role !== 'certifier') refuse('decision.role', 'the first person of a log is a certifier')
      add(register, personOf(subject, detail.certifier, hash))
      register.operator = detail.operator
    },
  } satisfies DecisionKind<v.InferOutput<typeof beginSchema>>),

  'person.add': defineKind({
    title: 'Somebody may sign',
    roles: ['certifier'],
    schema: personSchema,
    apply: (register, { subject, detail }) => add(register, personOf(subject, detail, hash)),
  } satisfies DecisionKind<NewPerson>),

  'person.revoke': defineKind({
    title: 'Somebody may sign no more',
    roles: ['certifier'],
    schema: v.strictObject({ reason: longText }),
    apply: (register, { subject, at }) => {
      const person = register.people.get(subject) ?? refuse('decision.no-such-subject', subject)
      if (person.revokedAt !== null) refuse('decision.wrong-state', `${person.name} is revoked`)
      const certifiers = [...register.people.values()].filter(
        ({ role, revokedAt }) => role === 'certifier' && revokedAt === null,
      )
      if (certifiers.length === 1 && certifiers[0]?.id === subject) refuse('person.last-certifier', person.name)
      register.people.set(subject, { ...person, revokedAt: at })
    },
  } satisfies DecisionKind<{ reason: string }>),
})

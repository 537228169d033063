import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat } from '../../../shared/bytes/bytes.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { signDecision } from '../../../shared/decisions/entry.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { entriesOfExport, exportLog } from '../../../shared/decisions/export.ts'
import { DecisionLog, readLog } from '../../../shared/decisions/log.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
import { finishWebAuthnEntry, prepareWebAuthnEntry } from '../../../shared/decisions/webauthn-entry.ts'
import type { Assertion } from '../../../shared/webauthn/assertion.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { DecidingPeople, signatory } from '../../support/decision-log.ts'
import { codeOf } from '../../support/keepseal-error.ts'
import { SoftwareAuthenticator, type Tampering } from '../../support/software-authenticator.ts'

const CURVES = ['P-256', 'Ed25519'] as const

/** A log in which a certifier signs with a passkey. */
async function withPasskey(curve: (typeof CURVES)[number]) {
  const people = await DecidingPeople.begin()
  const passkey = new SoftwareAuthenticator(curve)
  const detail = newPerson('Cleo', 'certifier', passkey.key, passkey.relyingParty)
  await people.decide(people.certifier, 'person.add', 'per_cleo', detail)
  return { people, passkey }
}
type Deciding = Awaited<ReturnType<typeof withPasskey>>

const somebody = signatory('per_new', 'auditor')
const NEW = newPerson('New', 'auditor', somebody.key)

function content({ people }: Deciding, subject = somebody.id, detail: Json = { ...NEW }) {
  return { log: people.id, ...people.log.next(), at: people.now, kind: 'person.add', subject, detail }
}

function entryOf(deciding: Deciding, tampering: Tampering = {}, damage = (assertion: Assertion) => assertion) {
  const prepared = prepareWebAuthnEntry(content(deciding), deciding.passkey.key, nodeCrypto.hash)
  return finishWebAuthnEntry(prepared, damage(deciding.passkey.get(prepared.challenge, tampering)))
}

describe.each(CURVES)('a decision that a passkey on %s has signed', (curve) => {
  test('is appended, and an export with it is read offline', async () => {
    const deciding = await withPasskey(curve)
    const { people } = deciding
    const entry = entryOf(deciding)
    expect(people.log.append(entry)).toMatchObject({ author: { id: 'per_cleo' }, subject: 'per_new' })
    const exported = exportLog([...people.entries, entry])
    expect(readLog(entriesOfExport(exported), nodeCrypto).register).toEqual(people.log.register)
  })

  test.each<[string, Tampering]>([
    ['another site', { rpId: 'evil.example' }],
    ['another origin', { clientData: { origin: 'https://evil.example' } }],
    ['an origin that only begins alike', { clientData: { origin: 'https://keepseal.example.evil.example' } }],
    ['a frame of another site', { clientData: { crossOrigin: true } }],
    ['a frame, named', { clientData: { topOrigin: 'https://evil.example' } }],
    ['a registration', { clientData: { type: 'webauthn.create' } }],
    ['another challenge', { clientData: { challenge: 'AAAA' } }],
    ['no challenge', { clientData: { challenge: undefined } }],
    ['no verified person', { flags: 0x01 }],
    ['no person there', { flags: 0x04 }],
    ['extensions', { flags: 0x85, trailing: Uint8Array.of(0xa0) }],
    ['bytes that say nothing', { trailing: Uint8Array.of(0) }],
  ])('for %s is refused, and the log is as before', async (_, tampering) => {
    const deciding = await withPasskey(curve)
    const before = deciding.people.log.next()
    const entry = entryOf(deciding, tampering)
    expect(codeOf(() => deciding.people.log.append(entry))).toBe('log.signature-invalid')
    expect(deciding.people.log.next()).toEqual(before)
  })

  test('is refused for another decision than the one that was shown', async () => {
    const deciding = await withPasskey(curve)
    const shown = prepareWebAuthnEntry(content(deciding), deciding.passkey.key, nodeCrypto.hash)
    const other = prepareWebAuthnEntry(content(deciding, 'per_eve'), deciding.passkey.key, nodeCrypto.hash)
    const swapped = finishWebAuthnEntry(other, deciding.passkey.get(shown.challenge))
    expect(codeOf(() => deciding.people.log.append(swapped))).toBe('log.signature-invalid')
  })

  test('with any bit changed is refused', async () => {
    const deciding = await withPasskey(curve)
    const entry = entryOf(deciding)
    fc.assert(
      fc.property(fc.nat(entry.length - 1), fc.nat(7), (at, bit) => {
        const damaged = Uint8Array.from(entry)
        damaged[at] = (damaged[at] as number) ^ (1 << bit)
        const log = readLog(deciding.people.entries, nodeCrypto)
        expect(codeOf(() => log.append(damaged))).toMatch(/^log\./)
      }),
      { numRuns: 150 },
    )
  })

  test('is refused when the counter of the authenticator has not grown', async () => {
    const deciding = await withPasskey(curve)
    const { people, passkey } = deciding
    const decide = (subject: string, tampering: Tampering = {}) => {
      const person = signatory(subject, 'auditor')
      const decided = content(deciding, subject, { ...newPerson(subject, 'auditor', person.key) })
      const prepared = prepareWebAuthnEntry(decided, passkey.key, nodeCrypto.hash)
      return people.log.append(finishWebAuthnEntry(prepared, passkey.get(prepared.challenge, tampering)))
    }
    decide('per_a', { counter: 7 })
    for (const counter of [7, 6, 0]) {
      expect(codeOf(() => decide('per_b', { counter }))).toBe('log.signature-invalid')
    }
    decide('per_b', { counter: 8 })
  })

  test('needs no counter of an authenticator that never counts', async () => {
    const deciding = await withPasskey(curve)
    deciding.people.log.append(entryOf(deciding, { counter: 0 }))
    const other = signatory('per_other', 'auditor')
    const decided = content(deciding, other.id, { ...newPerson('Other', 'auditor', other.key) })
    const prepared = prepareWebAuthnEntry(decided, deciding.passkey.key, nodeCrypto.hash)
    const entry = finishWebAuthnEntry(prepared, deciding.passkey.get(prepared.challenge, { counter: 0 }))
    expect(deciding.people.log.append(entry)).toMatchObject({ subject: 'per_other' })
  })
})

describe('a key', () => {
  test('of the command line never signs as a passkey, nor a passkey as it', async () => {
    const { people } = await withPasskey('Ed25519')
    // The same Ed25519 key, once on the command line and once said to be a passkey.
    const { signer, x } = ed25519Signer(nodeCrypto.sha256(Uint8Array.of(7)))
    const key = { curve: 'Ed25519' as const, x }
    const passkey = { id: 'keepseal.example', origins: ['https://keepseal.example'] }
    await people.decide(people.certifier, 'person.add', 'per_key', newPerson('Key', 'certifier', key, passkey))
    const decided = { log: people.id, ...people.log.next(), at: people.now, kind: 'person.add', subject: somebody.id }
    const entry = await signDecision({ ...decided, detail: { ...NEW } }, signer)
    expect(codeOf(() => people.log.append(entry))).toBe('log.signature-invalid')
    const prepared = prepareWebAuthnEntry({ ...decided, detail: { ...NEW } }, people.certifier.key, nodeCrypto.hash)
    const form = finishWebAuthnEntry(prepared, new SoftwareAuthenticator('Ed25519').get(prepared.challenge))
    expect(codeOf(() => people.log.append(form))).toBe('log.signature-invalid')
  })

  test('on P-256 has to be a passkey, and of a host over TLS', async () => {
    const people = await DecidingPeople.begin()
    const { key } = new SoftwareAuthenticator('P-256')
    const add = (passkey?: { id: string; origins: string[] }) =>
      people.sign(people.certifier, 'person.add', 'per_p', newPerson('P', 'auditor', key, passkey))
    const wrong = [
      undefined,
      { id: 'keepseal.example', origins: ['http://keepseal.example'] },
      { id: 'keepseal.example', origins: ['https://evil.example'] },
      { id: 'keepseal.example', origins: ['https://keepseal.example/path'] },
      { id: 'Keepseal.example', origins: ['https://Keepseal.example'] },
      { id: 'keepseal.example', origins: [] },
    ]
    for (const passkey of wrong) {
      const entry = await add(passkey)
      expect(codeOf(() => people.log.append(entry))).toBe('log.malformed')
    }
    const good = { id: 'localhost', origins: ['http://localhost:8080', 'https://localhost:8443'] }
    people.log.append(await add(good))
  })

  test('that is no point of its curve signs nothing', async () => {
    const people = await DecidingPeople.begin()
    const passkey = new SoftwareAuthenticator('P-256')
    const off = { curve: 'P-256' as const, x: passkey.key.x, y: passkey.key.x }
    await people.decide(people.certifier, 'person.add', 'per_o', newPerson('O', 'certifier', off, passkey.relyingParty))
    const decided = { log: people.id, ...people.log.next(), at: people.now, kind: 'person.add', subject: somebody.id }
    const prepared = prepareWebAuthnEntry({ ...decided, detail: { ...NEW } }, off, nodeCrypto.hash)
    const entry = finishWebAuthnEntry(prepared, passkey.get(prepared.challenge))
    expect(codeOf(() => people.log.append(entry))).toBe('log.signature-invalid')
  })

  test('of a passkey may begin a log', () => {
    const passkey = new SoftwareAuthenticator('P-256')
    const certifier = newPerson('Ada', 'certifier', passkey.key, passkey.relyingParty)
    const detail = { operator: 'Example', certifier }
    const place = { log: new Uint8Array(16), index: 0, previous: null, at: 1 }
    const begin = { ...place, kind: 'log.begin', subject: 'per_1', detail }
    const prepared = prepareWebAuthnEntry(begin, passkey.key, nodeCrypto.hash)
    const entry = finishWebAuthnEntry(prepared, passkey.get(prepared.challenge))
    expect(new DecisionLog(nodeCrypto).append(entry)).toMatchObject({ author: { id: 'per_1' } })
    const longer = concat(entry, Uint8Array.of(0))
    expect(codeOf(() => new DecisionLog(nodeCrypto).append(longer))).toBe('log.malformed')
  })
})

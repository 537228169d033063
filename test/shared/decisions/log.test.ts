import * as fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { signDecision } from '../../../shared/decisions/entry.ts'
import { DecisionLog, readLog } from '../../../shared/decisions/log.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { approveProfile, DAY, DecidingPeople, issueCertificate, signatory } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'

let whole: DecidingPeople
beforeAll(async () => {
  whole = await DecidingPeople.begin()
  await approveProfile(whole, 1, 3)
  await issueCertificate(whole)
  whole.days(1)
  await whole.decide(whole.second, 'certificate.condition', 'crt_1', { reason: 'patch', until: whole.now + 9 * DAY })
})

function codeOf(entries: readonly Uint8Array[]): string {
  try {
    readLog(entries, nodeCrypto)
    return 'read'
  } catch (error) {
    if (error instanceof KeepsealError) return error.code
    throw error
  }
}

describe('an exported decision log', () => {
  test('is read without anything else, and says the same', () => {
    const log = readLog(whole.entries, nodeCrypto)
    expect(log.register).toEqual(whole.log.register)
    expect(log.next()).toEqual(whole.log.next())
  })

  test('names the first entry that does not hold', () => {
    const [, , third] = whole.entries
    const cut = whole.entries.filter((entry) => entry !== third)
    expect(() => readLog(cut, nodeCrypto)).toThrow(/: entry 2: entry 3 where 2 is next$/)
  })

  test('with any bit changed is refused', () => {
    fc.assert(
      fc.property(fc.nat(whole.entries.length - 1), fc.nat(), fc.nat(7), (index, position, bit) => {
        const entries = whole.entries.map((entry) => Uint8Array.from(entry))
        const entry = entries[index] as Uint8Array
        const at = position % entry.length
        entry[at] = (entry[at] as number) ^ (1 << bit)
        expect(codeOf(entries)).not.toBe('read')
      }),
      { numRuns: 500 },
    )
  })

  test('that is not whole, in order and once from its start is refused, but for its end', () => {
    const places = fc.subarray([...whole.entries.keys()], { minLength: 1 })
    fc.assert(
      fc.property(
        places.chain((kept) => fc.shuffledSubarray(kept, { minLength: kept.length })),
        (order) => {
          const isPrefix = order.every((place, index) => place === index)
          const entries = order.map((place) => whole.entries[place] as Uint8Array)
          expect(codeOf(entries) === 'read').toBe(isPrefix)
        },
      ),
    )
  })

  test('has no entry twice', () => {
    const [first] = whole.entries
    expect(codeOf([...whole.entries, ...whole.entries.slice(-1)])).toBe('log.broken-link')
    expect(codeOf([first as Uint8Array, first as Uint8Array])).toBe('log.broken-link')
  })

  test.each([
    ['nothing', new Uint8Array()],
    ['no CBOR', new Uint8Array([0xff])],
  ])('with %s as an entry is refused', (_, bytes) => {
    expect(codeOf([bytes])).toBe('log.malformed')
  })
})

describe('an entry', () => {
  const anyEntry = { kind: 'certificate.withdraw', subject: 'crt_1', detail: { reason: 'r' } }
  const place = () => ({ log: whole.id, ...whole.log.next(), at: whole.now, ...anyEntry })
  const refused = async (over: object, by = whole.certifier) =>
    (await refusalOf(signDecision({ ...place(), ...over }, by.signer).then((bytes) => whole.log.append(bytes)))).code

  test.each([
    ['of a kind that nobody knows', { kind: 'certificate.bless' }, 'log.malformed'],
    ['with a detail more', { detail: { reason: 'r', more: 1 } }, 'log.malformed'],
    ['without its reason', { detail: {} }, 'log.malformed'],
    ['of another log', { log: new Uint8Array(16) }, 'log.broken-link'],
    ['in another place', { index: 3 }, 'log.broken-link'],
    ['that names another one before it', { previous: new Uint8Array(32) }, 'log.broken-link'],
    ['that names none before it', { previous: null }, 'log.broken-link'],
    ['from the day before', { at: 1 }, 'log.time-reversed'],
    ['about nothing that is known', { subject: 'crt_9' }, 'decision.no-such-subject'],
    ['that begins the log again', { kind: 'log.begin', detail: beginning() }, 'decision.wrong-state'],
  ])('%s is refused and changes nothing', async (_, over, code) => {
    const before = structuredClone(whole.log.register)
    expect(await refused(over)).toBe(code)
    expect(whole.log.register).toEqual(before)
  })

  function beginning() {
    return { operator: 'o', certifier: newPerson('x', 'certifier', signatory('other', 'certifier').key) }
  }

  test('by somebody who is not in the log is refused', async () => {
    expect(await refused({}, signatory('per_stranger', 'certifier'))).toBe('log.unknown-author')
  })

  test('by somebody who says to be somebody else is refused', async () => {
    const { signer } = signatory('per_stranger', 'certifier')
    const posing = { ...whole.certifier, signer: { ...signer, keyId: whole.certifier.signer.keyId } }
    expect(await refused({}, posing)).toBe('log.signature-invalid')
  })

  test('by somebody who was revoked is refused, and what he signed before stands', async () => {
    const people = await DecidingPeople.begin()
    await approveProfile(people, 1, 3)
    await people.decide(people.second, 'person.revoke', people.certifier.id, { reason: 'left' })
    const approve = people.decide(people.certifier, 'person.revoke', people.second.id, { reason: 'no, he' })
    expect((await refusalOf(approve)).code).toBe('log.revoked-author')
    const last = people.decide(people.second, 'person.revoke', people.second.id, { reason: 'the last one' })
    expect((await refusalOf(last)).code).toBe('person.last-certifier')
    expect(readLog(people.entries, nodeCrypto).register).toEqual(people.log.register)
  })

  test('that brings a key for a second person is refused', async () => {
    const detail = newPerson('twin', 'vendor', whole.certifier.key)
    expect(await refused({ kind: 'person.add', subject: 'per_twin', detail })).toBe('decision.exists-already')
  })

  test('that was signed for a place which somebody else has taken meanwhile is refused', async () => {
    const people = await DecidingPeople.begin()
    const [one, other] = await Promise.all([
      people.sign(people.certifier, 'person.revoke', people.vendor.id, { reason: 'r' }),
      people.sign(people.second, 'person.revoke', people.vendor.id, { reason: 'r' }),
    ])
    people.log.append(one)
    expect(() => people.log.append(other)).toThrow(expect.objectContaining({ code: 'log.broken-link' }))
  })
})

test('a log is begun by its first certifier alone, with his own key', async () => {
  const certifier = signatory('per_a', 'certifier')
  const other = signatory('per_b', 'certifier')
  const begin = (by: typeof certifier, person: object) =>
    signDecision(
      {
        log: new Uint8Array(16),
        index: 0,
        previous: null,
        at: 5,
        kind: 'log.begin',
        subject: 'per_a',
        detail: { operator: 'o', certifier: person as never },
      },
      by.signer,
    )
  const code = async (bytes: Promise<Uint8Array>) => codeOf([await bytes])
  expect(await code(begin(certifier, newPerson('a', 'certifier', certifier.key)))).toBe('read')
  expect(await code(begin(other, newPerson('a', 'certifier', certifier.key)))).toBe('log.unknown-author')
  expect(await code(begin(certifier, newPerson('a', 'vendor', certifier.key)))).toBe('decision.role')
  expect(await code(begin(certifier, { name: 'a', role: 'certifier', key: 'a0' }))).toBe('log.malformed')
  expect(new DecisionLog(nodeCrypto).id).toBeUndefined()
})

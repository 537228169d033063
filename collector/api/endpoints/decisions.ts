import * as v from 'valibot'
import { fromBase64Url, fromHex, toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { encodeCoseKey } from '../../../shared/cose/key.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { assertMayBeCovered } from '../../releases/coverage-gate.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, HexBytes, Time, toTime } from '../schemas.ts'
import { CERTIFIER, READERS } from './roles.ts'

const EntryText = v.pipe(v.string(), v.maxLength(100_000), v.regex(/^[\w-]+$/, 'base64url'))
const Index = v.pipe(v.string(), v.regex(/^[0-9]{1,9}$/), v.transform(Number))
const PAGE = 500

const next = defineEndpoint({
  method: 'GET',
  path: '/decisions/next',
  operationId: 'getNextDecision',
  summary: 'Where the next entry of the decision log belongs, for whoever signs it',
  roles: READERS,
  scope: 'common',
  response: v.strictObject({
    /** null before the first entry, which brings it. */
    log: v.nullable(HexBytes),
    index: v.number(),
    previous: v.nullable(Digest),
  }),
  run: async ({ decisions }) => {
    const { log, index, previous } = await decisions.next()
    return { log: log === null ? null : toHex(log), index, previous: previous === null ? null : toHex(previous) }
  },
})

const append = defineEndpoint({
  method: 'POST',
  path: '/decisions',
  operationId: 'appendDecision',
  summary: 'Append a signed decision: its signature says who decides, whatever the token',
  roles: READERS,
  scope: 'own',
  body: v.strictObject({ entry: EntryText }),
  bodyBytes: 128 * 1024,
  status: 201,
  response: v.strictObject({ index: v.number(), hash: Digest, author: v.string() }),
  run: async ({ store, decisions, clock }, { body, actor }) => {
    // The first entry is signed by the key that it brings: there is nobody yet whose signature says anything.
    if ((await decisions.next()).log === null && !CERTIFIER.includes(actor.role)) {
      throw new KeepsealError('auth.forbidden', `role ${actor.role} begins no log`)
    }
    const bytes = fromBase64Url(body.entry)
    await assertMayBeCovered(store, bytes)
    const { index, hash, author } = await decisions.append(bytes, Math.floor(clock() / 1000))
    return { index, hash: toHex(hash), author: author.id }
  },
})

const check = defineEndpoint({
  method: 'POST',
  path: '/decisions/check',
  operationId: 'checkDecision',
  summary: 'Which guards of a decision hold that nobody has signed yet; changes nothing',
  roles: READERS,
  scope: 'own',
  body: v.strictObject({ kind: v.string(), subject: v.string(), detail: v.unknown(), keyId: Digest }),
  bodyBytes: 128 * 1024,
  response: v.strictObject({
    guards: v.array(v.strictObject({ code: v.string(), wants: v.string(), wrong: v.nullable(v.string()) })),
  }),
  run: async ({ decisions, clock }, { body }) => {
    const { kind, subject, detail, keyId } = body
    const at = Math.floor(clock() / 1000)
    const guards = await decisions.rehearse({ kind, subject, detail: detail as Json, at, keyId: fromHex(keyId) })
    return { guards: guards.map((guard) => ({ ...guard })) }
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/decisions',
  operationId: 'listDecisions',
  summary: 'Entries of the decision log as they were signed, in order',
  roles: READERS,
  scope: 'unbound',
  query: v.strictObject({ from: v.optional(Index, '0') }),
  response: v.strictObject({ entries: v.array(EntryText), nextFrom: v.nullable(v.number()) }),
  run: async ({ store }, { query: { from } }) => {
    const entries = await store.decisions.from(from, PAGE)
    return { entries: entries.map(toBase64Url), nextFrom: entries.length < PAGE ? null : from + PAGE }
  },
})

const PersonJson = v.strictObject({
  id: v.string(),
  name: v.string(),
  role: v.string(),
  keyId: Digest,
  /** Public COSE_Key in hexadecimal. */
  key: v.string(),
  /** Where the key is a passkey: the host that it is for, and the pages on which it signs. */
  passkey: v.nullable(v.strictObject({ id: v.string(), origins: v.array(v.string()) })),
  revokedAt: v.nullable(Time),
})

const people = defineEndpoint({
  method: 'GET',
  path: '/people',
  operationId: 'listPeople',
  summary: 'Who may sign decisions, as the log says',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ operator: v.string(), items: v.array(PersonJson) }),
  run: async ({ decisions }) => {
    const { operator, people: known } = await decisions.register()
    const items = [...known.values()].map(({ id, name, role, keyId, key, relyingParty, revokedAt }) => ({
      id,
      name,
      role,
      keyId,
      key: toHex(encodeCoseKey(key)),
      passkey: relyingParty && { id: relyingParty.id, origins: [...relyingParty.origins] },
      revokedAt: revokedAt === null ? null : toTime(revokedAt * 1000),
    }))
    return { operator, items }
  },
})

export const decisionEndpoints: readonly Endpoint[] = [next, append, check, list, people]

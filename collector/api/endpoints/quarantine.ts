import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { QuarantinedMessage } from '../../model/quarantine.ts'
import type { Store } from '../../store/index.ts'
import { CborBytes, defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, pageOf, pageQuery, Time, toTime, UeidText } from '../schemas.ts'
import { FLEET, READERS } from './roles.ts'

const MessageJson = v.strictObject({
  id: v.number(),
  topic: v.string(),
  /** Of the topic: nobody has checked that it is from that device. */
  ueid: v.nullable(v.string()),
  hash: Digest,
  size: v.number(),
  reason: v.string(),
  detail: v.string(),
  tries: v.number(),
  receivedAt: Time,
  lastFailedAt: Time,
})

function toJson({ hash, bytes, receivedAt, lastFailedAt, ...message }: QuarantinedMessage) {
  const times = { receivedAt: toTime(receivedAt), lastFailedAt: toTime(lastFailedAt) }
  return { ...message, hash: toHex(hash), size: bytes.length, ...times }
}

const params = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/, 'the number of a message'), v.transform(Number)),
})

async function existing(store: Store, id: number): Promise<QuarantinedMessage> {
  const message = await store.quarantine.byId(id)
  if (message === undefined) throw new KeepsealError('request.not-found', `no message ${id} is in quarantine`)
  return message
}

const list = defineEndpoint({
  method: 'GET',
  path: '/quarantine',
  operationId: 'listQuarantine',
  summary: 'List messages that could not be decided by a fault of the collector, newest first',
  roles: READERS,
  scope: 'unbound',
  query: v.strictObject({ ...pageQuery, ueid: v.optional(UeidText) }),
  response: pageOf(MessageJson),
  run: async ({ store }, { query }) => {
    const page = await store.quarantine.list(query, query)
    return { ...page, items: page.items.map(toJson) }
  },
})

const show = defineEndpoint({
  method: 'GET',
  path: '/quarantine/:id',
  operationId: 'getQuarantinedMessage',
  summary: 'A message that could not be decided, without its bytes',
  roles: READERS,
  scope: 'unbound',
  params,
  response: MessageJson,
  run: async ({ store }, { params: { id } }) => toJson(await existing(store, id)),
})

const bytes = defineEndpoint({
  method: 'GET',
  path: '/quarantine/:id/bytes',
  operationId: 'getQuarantinedBytes',
  summary: 'A message that could not be decided, as it was received',
  roles: READERS,
  scope: 'unbound',
  params,
  response: CborBytes,
  run: async ({ store }, { params: { id } }) => (await existing(store, id)).bytes,
})

const retry = defineEndpoint({
  method: 'POST',
  path: '/quarantine/:id/retry',
  operationId: 'retryQuarantinedMessage',
  summary: 'Try again to decide a message, which leaves quarantine when it is decided',
  roles: FLEET,
  scope: 'unbound',
  params,
  response: v.strictObject({
    decided: v.boolean(),
    /** What became of it; null where it was not decided, or concerns no device. */
    result: v.nullable(v.string()),
    code: v.nullable(v.string()),
  }),
  run: async ({ store, clock, decideAgain }, { params: { id }, actor }) => {
    const message = await existing(store, id)
    if (decideAgain === undefined) throw new KeepsealError('internal.failure', 'nothing here decides messages')
    const handled = await decideAgain(message)
    const answer = {
      decided: handled !== undefined,
      result: handled?.[0]?.result ?? null,
      code: handled?.[0]?.code ?? null,
    }
    const subject = toHex(message.hash)
    await store.auditLog.append({ at: clock(), actor: actor.id, action: 'quarantine.retry', subject, detail: answer })
    return answer
  },
})

const remove = defineEndpoint({
  method: 'POST',
  path: '/quarantine/:id/remove',
  operationId: 'removeQuarantinedMessage',
  summary: 'Remove a message from quarantine undecided; its device sends it again',
  roles: FLEET,
  scope: 'unbound',
  params,
  response: v.strictObject({ removed: v.boolean() }),
  run: async ({ store, clock }, { params: { id }, actor }) =>
    store.transaction(async (transaction) => {
      const { hash, topic, reason } = await existing(transaction, id)
      const removed = await transaction.quarantine.remove(id)
      const about = { action: 'quarantine.remove', subject: toHex(hash), detail: { topic, reason } }
      await transaction.auditLog.append({ at: clock(), actor: actor.id, ...about })
      return { removed }
    }),
})

export const quarantineEndpoints: readonly Endpoint[] = [list, show, bytes, retry, remove]

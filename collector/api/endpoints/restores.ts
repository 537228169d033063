import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { HexBytes, pageOf, pageQuery, Time, toTime, toTimeOrNull, UeidText } from '../schemas.ts'
import { READERS } from './roles.ts'

const list = defineEndpoint({
  method: 'GET',
  path: '/restores',
  operationId: 'listRestores',
  summary: 'When the database was put back from a backup, newest first',
  roles: READERS,
  scope: 'unbound',
  response: v.strictObject({
    items: v.array(
      v.strictObject({
        /** Of the restore point that devices are told by. */
        number: v.number(),
        restoredAt: Time,
        /** What was decided after this is lost; null where the backup knew of no receipt. */
        newestReceiptAt: v.nullable(Time),
        firstEpoch: v.number(),
        /** When devices could first learn of it; null: not yet. */
        publishedAt: v.nullable(Time),
      }),
    ),
  }),
  run: async ({ store }) => {
    const points = await store.restorePoints.list()
    const items = points.map(({ number, restoredAt, newestReceiptAt, firstEpoch, publishedAt }) => ({
      number,
      restoredAt: toTime(restoredAt),
      newestReceiptAt: toTimeOrNull(newestReceiptAt),
      firstEpoch,
      publishedAt: toTimeOrNull(publishedAt),
    }))
    return { items }
  },
})

const gaps = defineEndpoint({
  method: 'GET',
  path: '/restores/:number/gaps',
  operationId: 'listRestoredGaps',
  summary: 'Reports that are not held because the database was put back then. A page can be empty and not the last one',
  roles: READERS,
  scope: 'unbound',
  params: v.strictObject({
    number: v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/, 'the number of a restore point'), v.transform(Number)),
  }),
  query: v.strictObject(pageQuery),
  response: pageOf(
    v.strictObject({
      ueid: UeidText,
      session: HexBytes,
      /** Of the reports of that session, both included. */
      first: v.number(),
      last: v.number(),
      /** When the report before them arrived; null where none of the session is held from before. */
      before: v.nullable(Time),
      after: Time,
    }),
  ),
  run: async ({ store }, { params: { number }, query }) => {
    const point = (await store.restorePoints.list()).find((each) => each.number === number)
    if (point === undefined) throw new KeepsealError('request.not-found', `no restore point ${number}`)
    const page = await store.restorePoints.gaps(point, query)
    const items = page.items.map(({ ueid, session, first, last, before, after }) => ({
      ueid,
      session: toHex(session),
      first,
      last,
      before: toTimeOrNull(before),
      after: toTime(after),
    }))
    return { ...page, items }
  },
})

export const restoreEndpoints: readonly Endpoint[] = [list, gaps]

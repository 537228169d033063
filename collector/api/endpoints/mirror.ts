import * as v from 'valibot'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import { positionOfText, START, samePosition } from '../../../shared/mirror/position.ts'
import { signMirrorPage } from '../../../shared/mirror/page.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { ApiRole } from '../../model/product.ts'
import { mirrorPage } from '../../tracking/mirror.ts'
import { CborBytes, defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest } from '../schemas.ts'

const MIRRORS: readonly ApiRole[] = ['certifier', 'auditor']

const page = defineEndpoint({
  method: 'GET',
  path: '/mirror',
  operationId: 'getMirrorPage',
  summary: 'What was added to the record after a position, signed for whoever has the page before: docs/mirror.md',
  roles: MIRRORS,
  scope: 'unbound',
  query: v.strictObject({
    /** Where the page before ended: enrolments.declarations.decisions.evidence */
    after: v.optional(v.string(), '0.0.0.0'),
    /** SHA-256 of the page before, as the caller has it. */
    previous: v.optional(Digest),
  }),
  response: CborBytes,
  run: async ({ store, decisions, clock, keys: { collectorId, signer } }, { query }) => {
    const after = positionOfText(query.after)
    if (after === undefined) throw new KeepsealError('request.invalid', 'query after: four numbers, as 0.0.0.0')
    if (query.previous === undefined && !samePosition(after, START)) {
      throw new KeepsealError('request.invalid', 'query previous: wanted after the first page')
    }
    const previous = query.previous === undefined ? null : fromHex(query.previous)
    const { operator } = await decisions.register()
    return signMirrorPage(await mirrorPage(store, { after, previous, collectorId, operator, now: clock() }), signer)
  },
})

export const mirrorEndpoints: readonly Endpoint[] = [page]

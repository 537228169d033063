import * as v from 'valibot'
import { TRANSITION_AXES, type Transition } from '../../model/transition.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { pageOf, pageQuery, Time, toTime } from '../schemas.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { READERS } from './roles.ts'

const TransitionJson = v.strictObject({
  at: Time,
  axis: v.picklist(TRANSITION_AXES),
  /** null: the device did not exist before. */
  from: v.nullable(v.string()),
  to: v.string(),
  /** A code, `evidence` that came again, or who decided. */
  cause: v.nullable(v.string()),
})

const transitionJson = ({ at, axis, from, to, cause }: Transition): v.InferOutput<typeof TransitionJson> => ({
  at: toTime(at),
  axis,
  from,
  to,
  cause,
})

const history = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/history',
  operationId: 'getDeviceHistory',
  summary: 'What became of a device on each axis, when and why, newest first',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  query: v.strictObject(pageQuery),
  response: pageOf(TransitionJson),
  run: async ({ store }, { params, query }) => {
    const { id } = await existingDevice(store, params.ueid)
    const page = await store.transitions.list(id, query)
    return { ...page, items: page.items.map(transitionJson) }
  },
})

export const deviceHistoryEndpoints: readonly Endpoint[] = [history]

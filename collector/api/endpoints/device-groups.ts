import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { DeviceGroup } from '../../model/labels.ts'
import { MAX_LABELS } from '../../model/labels.ts'
import { makeId } from '../../store/ids.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Name, pageOf, pageQuery, Time, toTime, UeidText } from '../schemas.ts'
import { existingGroup, LabelKey, LabelMap } from './device-selector.ts'
import { labelDevice } from '../../tracking/labelling.ts'
import { existingDevice } from './devices.ts'
import { FLEET, READERS } from './roles.ts'

const GroupJson = v.strictObject({
  id: id('grp'),
  name: Name,
  /** A device is in the group as long as it has all of these. */
  labels: LabelMap,
  createdBy: v.string(),
  createdAt: Time,
})

const toJson = ({ id: groupId, name, labels, createdBy, createdAt }: DeviceGroup): v.InferOutput<typeof GroupJson> => ({
  id: groupId,
  name,
  labels: { ...labels },
  createdBy,
  createdAt: toTime(createdAt),
})

const create = defineEndpoint({
  method: 'POST',
  path: '/device-groups',
  operationId: 'createDeviceGroup',
  summary: 'Name the devices that have all of some labels',
  roles: FLEET,
  scope: 'own',
  body: v.strictObject({
    name: Name,
    labels: v.pipe(
      LabelMap,
      v.check((labels) => Object.keys(labels).length > 0, 'at least one label'),
    ),
  }),
  status: 201,
  response: GroupJson,
  run: async ({ store, clock, random }, { body, actor }) => {
    const now = clock()
    const vendor = actor.scope?.vendor ?? null
    const group = { id: makeId('grp', now, random), vendor, ...body, createdBy: actor.id, createdAt: now }
    await store.transaction(async (transaction) => {
      await transaction.deviceGroups.create(group)
      const entry = { at: now, actor: actor.id, action: 'device-group.create', subject: group.id, detail: { ...body } }
      await transaction.auditLog.append(entry)
    })
    return toJson(group)
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/device-groups',
  operationId: 'listDeviceGroups',
  summary: 'List groups of devices, newest first',
  roles: READERS,
  scope: 'own',
  query: v.strictObject(pageQuery),
  response: pageOf(GroupJson),
  run: async ({ store }, { query }) => {
    const page = await store.deviceGroups.list(query)
    return { ...page, items: page.items.map(toJson) }
  },
})

const remove = defineEndpoint({
  method: 'POST',
  path: '/device-groups/:id/remove',
  operationId: 'removeDeviceGroup',
  summary: 'Forget a group; its devices keep their labels',
  roles: FLEET,
  scope: 'own',
  params: v.strictObject({ id: id('grp') }),
  response: GroupJson,
  run: async ({ store, clock }, { params, actor }) =>
    store.transaction(async (transaction) => {
      const group = await existingGroup(transaction, params.id)
      if (await transaction.deviceGroups.isNamed(group.id)) {
        throw new KeepsealError('request.conflict', 'an exception, or a statement about an advisory, was made for it', {
          remedy: 'It stays, since it says what was covered: keepseal exception list --all, advisory statements --all',
        })
      }
      await transaction.deviceGroups.remove(group.id)
      const { name, labels } = group
      const entry = { at: clock(), actor: actor.id, action: 'device-group.remove', subject: group.id }
      await transaction.auditLog.append({ ...entry, detail: { name, labels } })
      return toJson(group)
    }),
})

const label = defineEndpoint({
  method: 'PUT',
  path: '/devices/:ueid/labels',
  operationId: 'setDeviceLabels',
  summary: 'Give labels to a device, and take labels away',
  roles: FLEET,
  scope: 'own',
  params: v.strictObject({ ueid: UeidText }),
  body: v.strictObject({
    set: v.optional(LabelMap, {}),
    remove: v.optional(v.pipe(v.array(LabelKey), v.maxLength(MAX_LABELS)), []),
  }),
  response: v.strictObject({ ueid: UeidText, labels: v.record(v.string(), v.string()) }),
  run: async ({ store, clock }, { params, body, actor }) =>
    store.transaction(async (transaction) => {
      const device = await existingDevice(transaction, params.ueid)
      const labels = await labelDevice(transaction, device.id, body)
      const entry = { at: clock(), actor: actor.id, action: 'device.label', subject: device.ueid }
      await transaction.auditLog.append({ ...entry, detail: { ...body } })
      return { ueid: device.ueid, labels: { ...labels } }
    }),
})

export const deviceGroupEndpoints: readonly Endpoint[] = [create, list, remove, label]

import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import type { DeviceWithState } from '../../store/devices.ts'
import type { FindingOfDevice } from '../../store/findings.ts'
import { UNRESOLVED } from '../../model/finding.ts'
import { actOnAll, assertExpected, MAX_SELECTED, type BulkAct } from '../../tracking/bulk.ts'
import { deviceAct, DEVICE_ACTIONS } from '../../tracking/bulk-devices.ts'
import { acknowledgeFinding, assertEnds } from '../../tracking/finding-decisions.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Reason, Time, UeidText } from '../schemas.ts'
import { deviceFilter, deviceQuery, LabelKey, LabelMap } from './device-selector.ts'
import { FindingCodes } from './finding-json.ts'
import { FLEET } from './roles.ts'

const Count = v.pipe(v.number(), v.integer(), v.minValue(0))

const BulkReport = v.strictObject({
  dryRun: v.boolean(),
  matched: Count,
  sample: v.array(v.string()),
  /** On a dry run: to how many it would be done. */
  done: Count,
  skipped: v.array(v.strictObject({ reason: v.string(), count: Count, sample: v.array(v.string()) })),
  /** Not looked at, because something failed: their state is what it was. */
  left: Count,
  stoppedBy: v.nullable(v.string()),
})

/** How many somebody has looked at. Without it nothing is done: it is a dry run. */
const Expected = v.optional(Count)

async function run<T>(store: Parameters<typeof actOnAll>[0], bulk: BulkAct<T>, expected: number | undefined) {
  assertExpected(bulk.selected.length, expected)
  const dryRun = expected === undefined
  const { sample, skipped, ...report } = await actOnAll(store, bulk, dryRun)
  const reasons = skipped.map((each) => ({ ...each, sample: [...each.sample] }))
  return { dryRun, ...report, sample: [...sample], skipped: reasons }
}

const onDevices = defineEndpoint({
  method: 'POST',
  path: '/device-actions',
  operationId: 'actOnDevices',
  summary: 'Do the same to all devices of a selection, or say to how many it would be done',
  roles: FLEET,
  scope: 'own',
  body: v.strictObject({
    action: v.picklist(DEVICE_ACTIONS),
    selection: v.strictObject({
      ...deviceQuery,
      ueids: v.optional(v.pipe(v.array(UeidText), v.minLength(1), v.maxLength(MAX_SELECTED))),
    }),
    expected: Expected,
    /** With the action `label`. */
    labels: v.optional(v.strictObject({ set: v.optional(LabelMap, {}), remove: v.optional(v.array(LabelKey), []) })),
  }),
  response: BulkReport,
  run: async ({ store, clock, random, deviceChanged, judgeAgain, logger }, { body, actor }) => {
    const { action, selection, expected, labels } = body
    if ((action === 'label') !== (labels !== undefined)) {
      throw new KeepsealError('request.invalid', 'labels belong to the action label')
    }
    const { ueids, ...query } = selection
    if (
      Object.values(selection)
        .flat()
        .every((each) => each === undefined)
    ) {
      throw new KeepsealError('request.invalid', 'the selection says nothing, and would be the whole fleet')
    }
    const filter = { ...(await deviceFilter(store, query)), ...(ueids && { ueids }) }
    const selected = await store.devices.select(filter, MAX_SELECTED + 1)
    const act = deviceAct(action, { actor: actor.id, now: clock(), random, labels })
    const report = await run(
      store,
      {
        selected,
        nameOf: ({ device }: DeviceWithState) => device.ueid,
        acted: ({ device }) => (action === 'label' ? undefined : deviceChanged?.(device.ueid)),
        failed: (error) => logger?.error({ err: error }, 'an action on many devices was not finished'),
        ...act,
      },
      expected,
    )
    if (report.done > 0 && !report.dryRun) judgeAgain?.()
    return report
  },
})

const onFindings = defineEndpoint({
  method: 'POST',
  path: '/finding-acknowledgements',
  operationId: 'acknowledgeFindings',
  summary: 'Acknowledge all unresolved findings of a selection, or say how many that would be',
  roles: FLEET,
  scope: 'own',
  body: v.strictObject({
    selection: v.strictObject({
      productId: id('prd'),
      code: FindingCodes,
      subject: v.optional(v.pipe(v.string(), v.maxLength(512))),
      label: deviceQuery.label,
      groupId: deviceQuery.groupId,
    }),
    until: Time,
    reason: Reason,
    expected: Expected,
  }),
  response: BulkReport,
  run: async ({ store, clock, logger }, { body, actor }) => {
    const { selection, reason, expected } = body
    const { subject, code, ...query } = selection
    const [now, until] = [clock(), Date.parse(body.until)]
    assertEnds(until, now)
    const { productId, labels } = await deviceFilter(store, query)
    const selected = await store.findings.select(
      { productId, code, subject, labels, state: UNRESOLVED },
      MAX_SELECTED + 1,
    )
    return run(
      store,
      {
        selected,
        nameOf: ({ finding, ueid }: FindingOfDevice) => `${finding.id} ${ueid}`,
        against: async (transaction, { finding }) => {
          const current = await transaction.findings.byId(finding.id)
          return current?.finding.after === finding.after ? undefined : 'it is not as it was selected any more'
        },
        act: async (transaction, { finding }) => {
          await acknowledgeFinding(transaction, finding.id, { by: actor.id, at: now, until, reason })
        },
        failed: (error) => logger?.error({ err: error }, 'acknowledging many findings was not finished'),
      },
      expected,
    )
  },
})

export const bulkEndpoints: readonly Endpoint[] = [onDevices, onFindings]

import * as v from 'valibot'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { KeepsealError, OutcomeError } from '../../../shared/errors.ts'
import { eventTypeName } from '../../../shared/eventlog/constants.ts'
import type { Ueid as UeidType } from '../../../shared/evidence/identifiers.ts'
import { proposeFrom } from '../../tracking/boot-baseline.ts'
import { bootView, type ProvenBoot } from '../../tracking/boot-view.ts'
import { goldenBoot } from '../../tracking/approval.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { Digest, HexBytes, Time, toTime, UeidText as Ueid } from '../schemas.ts'
import { DeviceParams, existingDevice } from './devices.ts'
import { READERS } from './roles.ts'

const Difference = v.strictObject({
  code: v.string(),
  subject: v.string(),
  before: v.nullable(v.string()),
  after: v.nullable(v.string()),
})

const Pcr = v.strictObject({
  bank: v.string(),
  pcr: v.number(),
  value: HexBytes,
  /** `replayed`: the log explains the value; `not-logged`: it has no event for it; `untouched`: never extended. */
  status: v.picklist(['replayed', 'untouched', 'not-logged', 'not-proven']),
  events: v.number(),
  /** Known words that were measured after the firmware's log had closed. */
  late: v.array(v.string()),
})

const BootEvent = v.strictObject({
  sequence: v.number(),
  pcr: v.number(),
  part: v.string(),
  name: v.string(),
  /** As the log claims it: no digest covers the type. */
  claimedType: v.string(),
  digest: HexBytes,
  /** Whether the digest is that of the event's data, so that the description is proven. */
  dataProven: v.boolean(),
  description: v.string(),
})

const Problem = v.strictObject({
  code: v.string(),
  pcr: v.number(),
  sequence: v.optional(v.number()),
  detail: v.optional(v.string()),
})

const BootJson = v.strictObject({
  ueid: Ueid,
  receivedAt: Time,
  /** 16 hexadecimal digits. */
  tpmFirmwareVersion: HexBytes,
  log: v.picklist(['proven', 'refused', 'missing', 'not-reported']),
  /** Why the log does not count. */
  logProblem: v.nullable(v.strictObject({ code: v.string(), detail: v.string() })),
  startupLocality: v.nullable(v.number()),
  /** Events that came after the quote. */
  laterEvents: v.number(),
  pcrs: v.array(Pcr),
  /** As `keepseal inspect eventlog --json` gives it, with the basis `quote`. */
  secureBoot: v.nullable(v.looseObject({ enabled: v.union([v.boolean(), v.literal('unknown')]) })),
  problems: v.array(Problem),
  events: v.array(BootEvent),
  /** How it departs from what was approved; null where nothing was, and while the log is awaited. */
  differences: v.nullable(v.array(Difference)),
})

const show = defineEndpoint({
  method: 'GET',
  path: '/devices/:ueid/boot',
  operationId: 'getDeviceBoot',
  summary: 'What a device has booted, as its newest quote proves it, and how that differs from what was approved',
  roles: READERS,
  scope: 'own',
  params: DeviceParams,
  response: BootJson,
  run: async ({ store }, { params }) => {
    const device = await existingDevice(store, params.ueid)
    const view = await bootView(store, device)
    if (view === undefined)
      throw new KeepsealError('request.not-found', 'the device has sent no valid quote', {
        remedy: `keepseal device show ${params.ueid}`,
      })
    const { boot, deviations } = view
    const proven = typeof boot === 'object' && !(boot instanceof OutcomeError) ? boot : undefined
    return {
      ueid: params.ueid,
      receivedAt: toTime(view.receivedAt),
      tpmFirmwareVersion: view.tpmFirmwareVersion.toString(16).padStart(16, '0'),
      log: boot instanceof OutcomeError ? ('refused' as const) : typeof boot === 'object' ? ('proven' as const) : boot,
      logProblem: boot instanceof OutcomeError ? { code: boot.code, detail: boot.message } : null,
      startupLocality: proven?.log.startupLocality ?? null,
      laterEvents: proven?.log.laterEvents ?? 0,
      pcrs: [...view.pcrs].flatMap(([bank, values]) =>
        [...values].map(([pcr, value]) => ({ bank, pcr, value: toHex(value), ...statusOf(proven, bank, pcr) })),
      ),
      secureBoot: proven === undefined ? null : { ...proven.secureBoot },
      problems: [...(proven?.problems ?? [])],
      events: (proven?.events ?? []).map(({ sequence, pcr, part, name, type, digest, isDataHashed, description }) => ({
        sequence,
        pcr,
        part,
        name,
        claimedType: eventTypeName(type) ?? `0x${type.toString(16).padStart(8, '0')}`,
        digest,
        dataProven: isDataHashed,
        description,
      })),
      differences: deviations === null ? null : deviations.map((deviation) => ({ ...deviation })),
    }
  },
})

function statusOf(proven: ProvenBoot | undefined, bank: string, pcr: number) {
  const known = proven?.log.bank === bank ? proven.log.pcrs.get(pcr) : undefined
  if (known === undefined) return { status: 'not-proven' as const, events: 0, late: [] }
  return known.status === 'replayed'
    ? { status: known.status, events: known.events, late: [...known.late] }
    : { status: known.status, events: 0, late: [] }
}

const compare = defineEndpoint({
  method: 'POST',
  path: '/boot-comparisons',
  operationId: 'compareBoots',
  summary: 'What reference values for all of these devices would have to let vary; nothing is stored',
  roles: READERS,
  scope: 'own',
  body: v.strictObject({ ueids: v.pipe(v.array(Ueid), v.minLength(1), v.maxLength(16)) }),
  response: v.strictObject({
    ueids: v.array(Ueid),
    tolerances: v.array(v.strictObject({ pcr: v.number(), name: v.string(), kind: v.string(), values: v.number() })),
    /** Why they cannot be approved together, in words. */
    conflicts: v.array(v.string()),
    /** Names this proposal: an approval says it, so that nothing else is approved. */
    rules: Digest,
  }),
  run: async ({ store }, { body }) => {
    const ueids = [...new Set<UeidType>(body.ueids)]
    const [first, ...others] = ueids
    if (first === undefined) throw new KeepsealError('request.invalid', 'no device')
    const device = await existingDevice(store, first)
    const boot = await goldenBoot(store, device, first)
    const proposal = proposeFrom(boot, await Promise.all(others.map((ueid) => goldenBoot(store, device, ueid))))
    if (proposal === undefined) throw new KeepsealError('request.conflict', 'their boots cannot be compared')
    const { tolerances, conflicts, digest } = proposal
    return {
      ueids,
      tolerances: tolerances.map((each) => ({ ...each })),
      conflicts: [...conflicts],
      rules: toHex(digest),
    }
  },
})

export const bootEndpoints: readonly Endpoint[] = [show, compare]

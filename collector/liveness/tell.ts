import { findings as findingCodes, type FindingCode } from '../../shared/codes/findings.ts'
import type { Device, DeviceState, Liveness } from '../model/device.ts'
import type { DueDevice, LivenessDeadlines } from '../store/due.ts'
import type { Store } from '../store/index.ts'
import { staleBefore } from '../store/stale-moments.ts'
import type { CaseDependencies } from '../tracking/cases/open.ts'
import { Gathered } from './gathered.ts'
import { recordFindings } from '../tracking/record-findings.ts'
import { transitionsBetween } from '../tracking/transitions.ts'

const SUBJECT = 'evidence'
/** No evidence shows that there never was any. */
const NO_EVIDENCE = new Uint8Array(32)

const isLiveness = (code: FindingCode): boolean => findingCodes[code].axis === 'liveness'

interface Telling {
  readonly deadlines: LivenessDeadlines
  readonly now: number
  readonly deps: CaseDependencies
  /** So many pass a deadline now that people are told of their number: each has its finding all the same. */
  readonly areMany: boolean
}

/**
 * Tells of the deadlines that these devices have passed, each once: the finding, the event, the history. All of it in one
 * transaction, by what the devices have become by then. Verdict and latch stay what they are. How many were told of.
 */
export function tellOf(store: Store, due: readonly DueDevice[], telling: Telling): Promise<number> {
  return store.transactionOf(
    due.map(({ ueid }) => ueid),
    async (transaction) => {
      let told = 0
      const gathered = new Gathered(transaction)
      const store = telling.areMany ? gathered.store : transaction
      for (const { deviceId } of due) {
        const device = await transaction.devices.byId(deviceId)
        if (device?.enrolment !== 'active') continue
        const state = await transaction.devices.stateOf(deviceId)
        const passed = passedBy(device, state, telling.deadlines)
        if (passed !== undefined && (await tell(store, device, state, passed, telling))) told += 1
      }
      await gathered.write()
      return told
    },
  )
}

function passedBy(
  { enrolledAt }: Device,
  { liveness, lastFreshAt, reportInterval }: DeviceState,
  { silent, neverSeen, ...stale }: LivenessDeadlines,
): Exclude<Liveness, 'fresh'> | undefined {
  if (lastFreshAt === null) return enrolledAt < neverSeen ? 'never-seen' : undefined
  if (lastFreshAt < silent) return liveness === 'silent' ? undefined : 'silent'
  return lastFreshAt < staleBefore(stale, reportInterval) && liveness === 'fresh' ? 'stale' : undefined
}

/** One finding of this axis at a time: the worse word takes the place of the one before, which nobody needs to hear of. */
async function tell(
  store: Store,
  device: Device,
  state: DeviceState,
  liveness: Exclude<Liveness, 'fresh'>,
  { now, deps }: Telling,
): Promise<boolean> {
  const code: FindingCode = `liveness.${liveness}`
  await store.devices.setLiveness(device.id, liveness)
  const open = (await store.findings.openOf(device.id)).filter((finding) => isLiveness(finding.code))
  if (open.some((finding) => finding.code === code)) return false
  const cause = (): string => code
  await store.transitions.append(transitionsBetween(device.id, state, { ...state, liveness }, { at: now, cause }))
  const evidenceHash = (await store.evidence.newestHash(device.id)) ?? NO_EVIDENCE
  for (const { id, before, after } of open) {
    await store.findings.setState(id, 'resolved', now)
    const step = { at: now, state: 'resolved', cause: 'deadline', actor: null, before, after, evidenceHash } as const
    await store.findingTransitions.append(id, step)
  }
  const policies = await store.findingPolicies.ofProduct(device.productId)
  const last = state.lastFreshAt === null ? null : `last ${new Date(state.lastFreshAt).toISOString()}`
  const opened = {
    code,
    subject: SUBJECT,
    before: last,
    after: null,
    state: 'open',
    hysteresis: null,
    openedAt: now,
  } as const
  await recordFindings({ store, device, evidenceHash, now, deps, cause: 'deadline', policies }, open, {
    opened: [opened],
    seen: [],
    left: [],
    leaving: [],
    faded: [],
  })
  return true
}

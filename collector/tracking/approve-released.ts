import { findings } from '../../shared/codes/findings.ts'
import type { Device, DeviceState } from '../model/device.ts'
import type { Finding } from '../model/finding.ts'
import type { Store } from '../store/index.ts'
import type { Approval, ApprovalRequest } from './approval.ts'
import { resolveFindings } from './record-findings.ts'
import { isAcceptable, stateBefore } from './review.ts'
import { recordEnrolment, transitionsBetween } from './transitions.ts'

/** Whether releases say what the devices of a product are supposed to be: from the first one that was in force. */
export const isReleased = async (store: Store, productId: string): Promise<boolean> =>
  (await store.releases.ofProduct(productId)).some(({ order }) => order !== null)

/** What a person decides about by approving. What a device runs is decided by releases, whoever approves it. */
const isApproved = ({ code }: Finding): boolean =>
  isAcceptable(code) && (findings[code].axis !== 'posture' || code === 'release.downgraded')

/**
 * A person accepts a device of a product with releases: it may take part, a failure is released, and the release that it
 * runs counts as its latest. Its values become nobody's reference values: it is judged anew, by the releases.
 */
export async function approveReleased(
  store: Store,
  device: Device,
  state: DeviceState,
  { actor, now, scope }: ApprovalRequest,
): Promise<Approval> {
  const activated = device.enrolment === 'pending'
  if (activated) await store.devices.updateEnrolment(device.id, 'active', now)
  await recordEnrolment(store, device.id, { from: device.enrolment, to: 'active', at: now, cause: actor })
  const accepted = (await store.findings.openOf(device.id)).filter(isApproved)
  await resolveFindings(store, accepted, { actor, now })
  const { current } = state.release
  const after: DeviceState = {
    ...state,
    // Until it was judged again, which is at once: nothing is said of it.
    verdict: 'not-appraised',
    verdictCode: 'reference-values.missing',
    latch: 'none',
    release: { ...state.release, highest: current, judgedBy: null },
  }
  await store.devices.saveState(device.id, after)
  await store.transitions.append(transitionsBetween(device.id, state, after, { at: now, cause: () => actor }))
  const approval: Approval = {
    activated,
    referenceId: null,
    resolvedFindings: accepted.map((finding) => finding.id),
    withoutBaseline: 'its product has releases, which say what it is supposed to be',
  }
  const detail = { scope, ...approval, ...stateBefore(state) }
  await store.auditLog.append({ at: now, actor, action: 'device.approve', subject: device.ueid, detail })
  return approval
}

import { KeepsealError } from '../../shared/errors.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import type { Device } from '../model/device.ts'
import type { Store } from '../store/index.ts'

interface Decision {
  readonly ueid: Ueid
  /** Id of the API token. */
  readonly actor: string
  readonly now: number
}

/**
 * A pending device may take part. What it reports becomes nobody's reference values: that is an approval, which says
 * this as well. Errors: request.not-found, request.conflict when it is not pending.
 */
export const acceptDevice = (store: Store, decision: Decision): Promise<void> => decide(store, decision, 'active')

/** A pending device is turned away: its evidence is refused from now on. Errors as with `acceptDevice`. */
export const rejectDevice = (store: Store, decision: Decision): Promise<void> => decide(store, decision, 'revoked')

function decide(store: Store, { ueid, actor, now }: Decision, enrolment: 'active' | 'revoked'): Promise<void> {
  return store.transaction(async (transaction) => {
    const device = await transaction.devices.byUeid(ueid)
    if (device === undefined) throw new KeepsealError('request.not-found', `device ${ueid}`)
    assertPending(device)
    await transaction.devices.updateEnrolment(device.id, enrolment, now)
    const action = enrolment === 'active' ? 'device.accept' : 'device.reject'
    await transaction.auditLog.append({ at: now, actor, action, subject: ueid, detail: {} })
  })
}

function assertPending({ ueid, enrolment }: Device): void {
  if (enrolment === 'pending') return
  throw new KeepsealError('request.conflict', `it is ${enrolment}`, { remedy: `keepseal device show ${ueid}` })
}

import type { RandomFunction } from '../../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Store } from '../../store/index.ts'
import type { EndorsementAuthorities } from '../ek-roots.ts'
import type { CollectorKeys } from '../keys.ts'

/** What both calls of the enrolment work with. */
export interface EnrolmentDependencies {
  readonly store: Store
  readonly keys: CollectorKeys
  /** Roots of TPM vendors. */
  readonly authorities: EndorsementAuthorities
  /** Where the device will report to. */
  readonly mqttUrl: string
  readonly certificateLifetimeMs: number
  /** Milliseconds since 1970, UTC. */
  readonly now: () => number
  readonly random: RandomFunction
}

/** Time for the second call, and how long the token is held for it. */
export const RESERVATION_MS = 600_000

/**
 * Runs one call. A refusal goes to the audit log before it goes to the device: a failing enrolment may be somebody
 * who relays another gateway's TPM. Faults of our own are not the device's and are not entered.
 */
export async function audited<T>(
  { store, now }: EnrolmentDependencies,
  subject: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof KeepsealError && /^(enrol|request)\./.test(error.code)) {
      const detail = { code: error.code, reason: error.message }
      await store.auditLog.append({ at: now(), actor: 'collector', action: 'enrolment.refuse', subject, detail })
    }
    throw error
  }
}

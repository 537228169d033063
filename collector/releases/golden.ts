import { equal, toHex } from '../../shared/bytes/bytes.ts'
import { findings } from '../../shared/codes/findings.ts'
import { KeepsealError, OutcomeError } from '../../shared/errors.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { decodeSection } from '../../shared/posture/canonical.ts'
import type { SectionReading } from '../../shared/posture/reading.ts'
import { isSectionId, type SectionId } from '../../shared/posture/sections.ts'
import type { DeviceState } from '../model/device.ts'
import type { Product } from '../model/product.ts'
import type { Store } from '../store/index.ts'
import { newestEvidence, reportedBoot, type ReportedBoot } from '../tracking/boot-baseline.ts'
import { comparesBoot } from '../tracking/conclude.ts'

/** A device that serves as an example of its product, with all that it reports. */
export interface GoldenDevice {
  readonly ueid: Ueid
  readonly sections: ReadonlyMap<SectionId, { readonly digest: string; readonly reading: SectionReading }>
  /** null for a device without a TPM. */
  readonly boot: ReportedBoot | null
}

/**
 * Reads what a good device reports. Errors: request.not-found; request.conflict with the reason why it can be nobody's
 * example.
 */
export async function goldenDevice(store: Store, { id: productId }: Product, ueid: Ueid): Promise<GoldenDevice> {
  const device = await store.devices.byUeid(ueid)
  if (device === undefined) throw new KeepsealError('request.not-found', `device ${ueid}`)
  const refuse = (reason: string): never => {
    throw new KeepsealError('request.conflict', `${ueid} ${reason}`, { remedy: `keepseal device show ${ueid}` })
  }
  if (device.productId !== productId) return refuse('is a device of another product')
  if (device.enrolment === 'revoked') return refuse('is revoked')
  const state = await store.devices.stateOf(device.id)
  if (!(await mayBeGolden(store, device.id, state))) return refuse('has failed, and nobody has released it')
  const record = await newestEvidence(store, device.id, state)
  if (record === undefined || record.outcome !== null) return refuse('has no good evidence')
  const posture = await store.postures.find(device.vendor, record.postureDigest)
  if (posture === undefined) return refuse('has not sent its posture yet')
  const sections = new Map<SectionId, { digest: string; reading: SectionReading }>()
  for (const [id, digest] of posture) {
    const content = await store.sections.find(device.vendor, digest)
    if (content === undefined) return refuse(`has not sent the content of its section ${id} yet`)
    if (!isSectionId(id)) return refuse(`reports the section ${id}, which this collector does not know`)
    sections.set(id, {
      digest: toHex(digest),
      reading: readable(id, content) ?? refuse(`has an unreadable section ${id}`),
    })
  }
  if (device.tpm === null) return { ueid, sections, boot: null }
  const boot = await reportedBoot(store, device.vendor, record)
  if (boot === undefined) return refuse('has no valid quote')
  if (boot.log === 'missing') return refuse('has not sent its boot log yet')
  if (boot.log instanceof OutcomeError) return refuse(`has a boot log that does not lead to what its TPM quotes`)
  return { ueid, sections, boot }
}

/**
 * A device that runs what is to become a release differs from the releases before it: that it has booted something else
 * is no reason against it, and is looked at by whoever approves. Any other failure is.
 */
async function mayBeGolden(store: Store, deviceId: number, { latch }: DeviceState): Promise<boolean> {
  if (latch === 'none') return true
  const failures = (await store.findings.openOf(deviceId)).filter(({ code }) => findings[code].axis === 'integrity')
  return failures.length > 0 && failures.every(({ code }) => comparesBoot(code))
}

function readable(id: SectionId, content: Uint8Array): SectionReading | undefined {
  try {
    return decodeSection(id, content)
  } catch (error) {
    if (error instanceof OutcomeError) return undefined
    throw error
  }
}

/** Whether all of several devices quote the same PCRs of the same banks. */
export function quotesAlike(one: ReportedBoot, other: ReportedBoot): boolean {
  const names = ({ pcrs }: ReportedBoot): Uint8Array =>
    new TextEncoder().encode(
      [...pcrs]
        .map(([bank, values]) => `${bank} ${[...values.keys()].join()}`)
        .sort()
        .join(';'),
    )
  return equal(names(one), names(other))
}

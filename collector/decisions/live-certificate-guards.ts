import { fromHex } from '../../shared/bytes/bytes.ts'
import { decodeProfile } from '../../shared/maturity/profile-encoding.ts'
import type { LiveContext, LiveGuard } from './live-guard.ts'

/** Who has a new product certified has it assessed in stages, up to its release: the document says whether it is one. */
async function assessmentBreach({ subject, register, store }: LiveContext): Promise<string | undefined> {
  const certificate = register.certificates.get(subject)
  const bytes = certificate && (await store.profileDocuments.byDigest(fromHex(certificate.profile.digest)))
  if (bytes === undefined || decodeProfile(bytes).scenario !== 'new-product') return undefined
  return register.assessments.has(subject) ? undefined : `${subject}: its assessment was not begun`
}

export const certificateGuards: readonly LiveGuard[] = [
  {
    code: 'certificate.stage-open',
    wants: 'the assessment of a new product was begun',
    kinds: ['certificate.issue'],
    breach: assessmentBreach,
  },
]

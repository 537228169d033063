import type { GuardCode } from '../codes/guards.ts'
import { IN_FORCE, standingOf, type Certificate, type CertificateState } from './certificate.ts'
import type { DraftDetail } from './certificate-schemas.ts'
import type { Guard } from './guarded.ts'
import { DAY } from './kind.ts'
import { namesOf, widened } from './products.ts'
import { approvedOf, lowered, type ProfileVersion } from './profile.ts'
import type { Register } from './register.ts'
import { openStage } from './stages.ts'

/** The guards of decisions about certificates, each by its name. */

export const SUSPENSION_TOTAL_DAYS = 365

type CertificateGuard<Detail> = Guard<Certificate, Detail>
/** Of a draft nothing is there yet: the subject is the id that it is to have. */
type DraftGuard = Guard<string, DraftDetail>
interface Until {
  readonly until: number
}

const unless = (holds: boolean, wrong: string): string | undefined => (holds ? undefined : wrong)

export const inState = (...states: readonly CertificateState[]): CertificateGuard<unknown> => ({
  code: 'decision.wrong-state',
  wants: `the certificate is ${states.join(' or ')}`,
  breach: ({ id, state }) => unless(states.includes(state), `${id} is ${state}`),
})

export const endsWithin = (days: number): CertificateGuard<Until> => ({
  code: 'decision.period',
  wants: `it ends in the future, at most ${days} days from now`,
  breach: (_, { at, detail: { until } }) =>
    unless(until > at && until <= at + days * DAY, `at most ${days} days from now`),
})

/** How long it was suspended in all, were it to stay so until then. */
export const suspendedUntil = ({ suspendedSeconds, suspension }: Certificate, since: number, until: number): number =>
  suspendedSeconds + until - (suspension?.since ?? since)

export const withinYear: CertificateGuard<Until> = {
  code: 'decision.period',
  wants: `it is suspended for at most ${SUSPENSION_TOTAL_DAYS} days in all`,
  breach: (certificate, { at, detail: { until } }) =>
    unless(
      suspendedUntil(certificate, at, until) <= SUSPENSION_TOTAL_DAYS * DAY,
      `at most ${SUSPENSION_TOTAL_DAYS} days of suspension in all`,
    ),
}

export const extendsSuspension: CertificateGuard<Until> = {
  code: 'decision.period',
  wants: 'it ends later than was decided before',
  breach: ({ suspension }, { detail: { until } }) =>
    unless(suspension === null || until > suspension.until, 'it is no extension'),
}

export const notExtendedYet: CertificateGuard<unknown> = {
  code: 'decision.wrong-state',
  wants: 'the conditions were not extended before',
  breach: ({ conditions }) => unless(conditions?.extended !== true, 'extended already'),
}

export const productsAreListed: CertificateGuard<{ readonly products: readonly string[] | null }> = {
  code: 'decision.no-such-subject',
  wants: 'the products are those of the certificate',
  breach: ({ products: listed }, { detail: { products } }) => {
    const foreign = (products ?? []).filter((product) => !namesOf(listed).includes(product))
    return unless(foreign.length === 0, foreign.join(', '))
  },
}

type Named = Pick<Certificate, 'profile'>

const approvedFor = ({ profiles }: Register, { profile }: Named): ProfileVersion | undefined =>
  approvedOf(profiles.get(profile.id))

/** A certificate and its profile belong together: the version that was approved, by its digest. `of`: what names it. */
function profileGuards<Subject, Detail>(
  of: (subject: Subject, detail: Detail) => Named,
): readonly Guard<Subject, Detail>[] {
  const guard = (
    code: GuardCode,
    wants: string,
    wrong: (approved: ProfileVersion | undefined, named: Named) => string | undefined,
  ): Guard<Subject, Detail> => ({
    code,
    wants,
    breach: (subject, { detail }, register) => {
      const named = of(subject, detail)
      return wrong(approvedFor(register, named), named)
    },
  })
  return [
    guard('profile.not-approved', 'a version of the profile is approved', (approved, { profile }) =>
      unless(approved !== undefined, profile.id),
    ),
    guard('certificate.profile-mismatch', 'the profile is no template', (approved, { profile }) =>
      unless(approved?.profileKind !== 'template', `${profile.id} is a template`),
    ),
    guard('certificate.profile-mismatch', 'it names the version of the profile that is approved', (approved, named) => {
      const { id, version, digest } = named.profile
      const isSame = approved === undefined || (approved.version === version && approved.digest === digest)
      return unless(isSame, `${id} ${version}, approved is ${approved?.version ?? 'none'}`)
    }),
  ]
}

export const profileIsApproved = profileGuards<Certificate, unknown>((certificate) => certificate)
const draftedProfileIsApproved = profileGuards<string, DraftDetail>((_, detail) => detail)

export const stagesArePassed: CertificateGuard<unknown> = {
  code: 'certificate.stage-open',
  wants: 'every stage of its assessment is passed',
  breach: ({ id }, _, register) => {
    const stage = openStage(register, id)
    return stage === null ? undefined : `${id} is at the stage ${stage}`
  },
}

export const notTheSubmitter: CertificateGuard<unknown> = {
  code: 'decision.own-work',
  wants: 'somebody else submitted the profile',
  breach: (certificate, { author }, register) =>
    unless(approvedFor(register, certificate)?.submittedBy !== author.id, `${author.name} has submitted the profile`),
}

export const notExpired: CertificateGuard<unknown> = {
  code: 'decision.period',
  wants: 'its dates are not past',
  breach: (certificate, { at }) => unless(!standingOf(certificate, at).isExpired, 'it would be expired'),
}

type Superseding = Pick<Certificate, 'supersedes'>

const supersededBy = ({ certificates }: Register, { supersedes }: Superseding): Certificate | undefined =>
  supersedes === null ? undefined : certificates.get(supersedes)

function supersededGuards<Subject, Detail>(
  of: (subject: Subject, detail: Detail) => Superseding,
): readonly Guard<Subject, Detail>[] {
  return [
    {
      code: 'decision.no-such-subject',
      wants: 'the log knows the certificate that it replaces, where it replaces one',
      breach: (subject, { detail }, register) => {
        const named = of(subject, detail)
        const isKnown = named.supersedes === null || supersededBy(register, named) !== undefined
        return unless(isKnown, named.supersedes ?? '')
      },
    },
    {
      code: 'decision.wrong-state',
      wants: 'the certificate that it replaces is in force',
      breach: (subject, { detail }, register) => {
        const before = supersededBy(register, of(subject, detail))
        return unless(before === undefined || IN_FORCE.includes(before.state), `${before?.id} is ${before?.state}`)
      },
    },
  ]
}

export const supersededIsInForce = supersededGuards<Certificate, unknown>((certificate) => certificate)
const draftSupersedesInForce = supersededGuards<string, DraftDetail>((_, detail) => detail)

const isNew: DraftGuard = {
  code: 'decision.exists-already',
  wants: 'no certificate has this id',
  breach: (id, _, { certificates }) => unless(!certificates.has(id), id),
}

/** The rules for a lowering compare the versions of one profile: another profile would be a lowering without any. */
const isForSameProfile: DraftGuard = {
  code: 'certificate.profile-mismatch',
  wants: 'it is for the profile of the certificate that it replaces',
  breach: (_, { detail }, register) => {
    const before = supersededBy(register, detail)
    const isSame = before === undefined || before.profile.id === detail.profile.id
    return unless(isSame, `${before?.id} is for ${before?.profile.id}`)
  },
}

/** What is reduced; undefined where nothing is. */
const reducedBy = (register: Register, detail: DraftDetail): Certificate | undefined =>
  detail.isReduction ? supersededBy(register, detail) : undefined

const widensNothing: DraftGuard = {
  code: 'certificate.scope-widened',
  wants: 'a reduction has no more products, and no higher targets',
  breach: (_, { detail }, register) => {
    const before = reducedBy(register, detail)
    if (before === undefined) return undefined
    const targetsOf = ({ id, version }: Certificate['profile']) =>
      register.profiles.get(id)?.find((each) => each.version === version)?.targets ?? {}
    const added = widened(before.products, detail.products)
    const raised = lowered(targetsOf(detail.profile), targetsOf(before.profile))
    return unless(added.length + raised.length === 0, (added.length > 0 ? added : raised).join(', '))
  },
}

const endsNoLater: DraftGuard = {
  code: 'decision.period',
  wants: 'a reduction ends no later than what it reduces',
  breach: (_, { detail }, register) => {
    const before = reducedBy(register, detail)
    const isLonger =
      before !== undefined && (detail.validUntil > before.validUntil || detail.supportUntil > before.supportUntil)
    return unless(!isLonger, `a reduction ends no later than ${before?.id}`)
  },
}

const endsLater: DraftGuard = {
  code: 'decision.period',
  wants: 'validity and support end in the future',
  breach: (_, { at, detail }) => unless(detail.validUntil > at && detail.supportUntil > at, 'it would be expired'),
}

export const draftGuards: readonly DraftGuard[] = [
  isNew,
  ...draftedProfileIsApproved,
  ...draftSupersedesInForce,
  isForSameProfile,
  widensNothing,
  endsNoLater,
  endsLater,
]

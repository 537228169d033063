import * as v from 'valibot'
import { PRACTICE_IDS, type PracticeId } from '../maturity/practices.ts'
import { PROFILE_KINDS, profileReference, type ProfileKind, type ProfileReference } from '../maturity/profile.ts'
import { SCOPES, type Scope } from '../maturity/levels.ts'
import { defineKind, digest, longText, refuse, shortText, type DecisionKind } from './kind.ts'
import type { Register } from './register.ts'

/** The targets of a profile: what it guarantees, in the log itself, so that a lowering cannot hide in a document. */
export type ProfileTargets = Readonly<Partial<Record<PracticeId, Target>>>

export interface Target {
  /** 1 to 4. */
  readonly level: number
  readonly scope: Scope
}

/** One version of an individual profile. Immutable once submitted: its digest is its identity. */
export interface ProfileVersion {
  readonly version: number
  /** SHA-256 of the profile's deterministic encoding, in hexadecimal. */
  readonly digest: string
  readonly targets: ProfileTargets
  readonly profileKind: ProfileKind
  /** The template that it is made after. */
  readonly basedOn: ProfileReference | null
  readonly change: ProfileChange
  /** Id of the person. */
  readonly submittedBy: string
  /** Seconds since 1970. */
  readonly submittedAt: number
  readonly approvedBy: string | null
  readonly approvedAt: number | null
}

/** The versions of one profile, oldest first. */
export type ProfileVersions = readonly ProfileVersion[]

/**
 * Why a profile may change, and the proof that each reason asks for (practice model, R12 to R14). `initial` is the first
 * version. Only two kinds may lower a target.
 */
const changeSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('initial') }),
  v.strictObject({
    kind: v.literal('unresolvable-nonconformity'),
    /** The case of the critical nonconformity. */
    case: shortText,
    unresolvable: longText,
    unforeseen: longText,
    publicNote: longText,
  }),
  v.strictObject({
    kind: v.literal('lower-guarantee'),
    reason: longText,
    publicNote: longText,
    recommendation: longText,
  }),
  v.strictObject({ kind: v.literal('raise'), reason: longText }),
])
export type ProfileChange = v.InferOutput<typeof changeSchema>

const targetSchema = v.strictObject({
  level: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4)),
  scope: v.picklist(SCOPES),
})

const submitSchema = v.strictObject({
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  digest,
  targets: v.pipe(
    v.record(v.picklist(PRACTICE_IDS), targetSchema),
    v.check((targets) => Object.keys(targets).length > 0, 'a profile has at least one practice'),
  ),
  change: changeSchema,
  profileKind: v.optional(v.picklist(PROFILE_KINDS), 'individual'),
  basedOn: v.optional(v.nullable(profileReference), null),
})

const approveSchema = v.strictObject({ version: v.number(), digest })

export const latestOf = (versions: ProfileVersions | undefined): ProfileVersion | undefined => versions?.at(-1)
export const approvedOf = (versions: ProfileVersions | undefined): ProfileVersion | undefined =>
  versions?.findLast(({ approvedBy }) => approvedBy !== null)

/** Practices that the later targets guarantee less of: a lower level, a narrower scope, or not at all. */
export function lowered(before: ProfileTargets, after: ProfileTargets): readonly PracticeId[] {
  const rank = ({ scope }: Target): number => SCOPES.indexOf(scope)
  return PRACTICE_IDS.filter((practice) => {
    const [was, is] = [before[practice], after[practice]]
    if (was === undefined) return false
    return is === undefined || is.level < was.level || rank(is) < rank(was)
  })
}

export const MAY_LOWER: readonly ProfileChange['kind'][] = ['unresolvable-nonconformity', 'lower-guarantee']

function assertChangeIsPermitted(before: ProfileVersion | undefined, after: v.InferOutput<typeof submitSchema>): void {
  const { change, targets, version } = after
  if (before === undefined) {
    if (change.kind !== 'initial') refuse('decision.wrong-state', 'the first version changes nothing')
    return
  }
  if (change.kind === 'initial') refuse('decision.wrong-state', `version ${version} is not the first`)
  const less = lowered(before.targets, targets)
  if (less.length > 0 && !MAY_LOWER.includes(change.kind)) refuse('profile.lowering-refused', less.join(', '))
}

/** A nonconformity that cannot be resolved is one that the certifier has said so of, in a case about this profile. */
function assertCase({ cases, certificates }: Register, subject: string, change: ProfileChange): void {
  if (change.kind !== 'unresolvable-nonconformity') return
  const found = cases.get(change.case) ?? refuse('decision.no-such-subject', `the case ${change.case}`)
  if (found.state !== 'profile-change') refuse('decision.wrong-state', `the case ${change.case} is ${found.state}`)
  const certified = certificates.get(found.certificate)?.profile.id
  if (certified !== subject) refuse('certificate.profile-mismatch', `the case ${change.case} is not about ${subject}`)
}

function assertNext(versions: ProfileVersions | undefined, version: number): void {
  // A version that nobody approved is replaced by the next submission under the same number.
  const next = (approvedOf(versions)?.version ?? 0) + 1
  if (version !== next) refuse('profile.version-gap', `version ${version}, and ${next} is next`)
}

/** The template was approved before, and no way over templates leads back to this profile. `ids`: on the way to it. */
function assertTemplate(register: Register, basedOn: ProfileReference | null, ...ids: readonly string[]): void {
  if (basedOn === null) return
  const { id, version, digest: wanted } = basedOn
  if (ids.includes(id)) refuse('profile.circular', [...ids, id].join(' -> '))
  const found = register.profiles.get(id)?.find((each) => each.version === version && each.digest === wanted)
  const isTemplate = found !== undefined && found.approvedBy !== null && found.profileKind === 'template'
  if (!isTemplate) return refuse('profile.template-unknown', `${id} ${version}`)
  assertTemplate(register, found.basedOn, ...ids, id)
}

function assertSameKind(versions: ProfileVersions | undefined, kind: ProfileKind): void {
  const before = approvedOf(versions)?.profileKind ?? kind
  if (before !== kind) refuse('decision.wrong-state', `it is ${before === 'template' ? 'a template' : 'individual'}`)
}

export const profileKinds = {
  'profile.submit': defineKind({
    title: 'A version of a profile is submitted',
    roles: ['vendor', 'certifier'],
    schema: submitSchema,
    apply: (register: Register, { author, at, subject, detail }) => {
      const versions = register.profiles.get(subject)
      assertNext(versions, detail.version)
      assertTemplate(register, detail.basedOn, subject)
      assertSameKind(versions, detail.profileKind)
      assertChangeIsPermitted(approvedOf(versions), detail)
      assertCase(register, subject, detail.change)
      const approved = (versions ?? []).filter(({ approvedBy }) => approvedBy !== null)
      register.profiles.set(subject, [
        ...approved,
        { ...detail, submittedBy: author.id, submittedAt: at, approvedBy: null, approvedAt: null },
      ])
    },
  } satisfies DecisionKind<v.InferOutput<typeof submitSchema>>),

  'profile.approve': defineKind({
    title: 'A version of a profile is approved',
    roles: ['certifier'],
    schema: approveSchema,
    apply: (register: Register, { author, at, subject, detail }) => {
      const versions = register.profiles.get(subject) ?? refuse('decision.no-such-subject', subject)
      const latest = latestOf(versions)
      const isMeant = latest?.version === detail.version && latest.digest === detail.digest
      if (latest === undefined || !isMeant) refuse('decision.no-such-subject', `${subject} ${detail.version}`)
      if (latest.approvedBy !== null) refuse('decision.wrong-state', 'it is approved already')
      if (latest.submittedBy === author.id) refuse('decision.own-work', `${subject} ${detail.version}`)
      register.profiles.set(subject, [...versions.slice(0, -1), { ...latest, approvedBy: author.id, approvedAt: at }])
    },
  } satisfies DecisionKind<v.InferOutput<typeof approveSchema>>),
}

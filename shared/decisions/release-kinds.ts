import * as v from 'valibot'
import { PRACTICE_IDS } from '../maturity/practices.ts'
import { DAY, defineKind, digest, longText, refuse, shortText, type DecisionKind } from './kind.ts'
import type { Register } from './register.ts'

/**
 * How far a change of a certified product reaches (practice model, section 5). `none`: a patch by the assessed process.
 * `minor`: no practice can drop. `major`: what was assessed is not what runs. `emergency`: a critical fix, deployed at once.
 */
export const CHANGE_CLASSES = ['none', 'minor', 'major', 'emergency'] as const
export type ChangeClass = (typeof CHANGE_CLASSES)[number]

const EMERGENCY_DAYS = 30

/** What was said about one release of one product. */
export interface ClassifiedRelease {
  /** VENDOR/MODEL@RELEASE */
  readonly id: string
  /** SHA-256 of the release, as the collector shows it: what was classified, and no other content of that name. */
  readonly digest: string
  readonly proposed: { readonly class: ChangeClass; readonly by: string; readonly at: number }
  readonly verdict: { readonly class: ChangeClass; readonly by: string; readonly at: number } | null
  /** Since when a scoped reassessment has covered it. */
  readonly assessedAt: number | null
}

export const releaseName = (product: string, release: string): string => `${product}@${release}`

const subject = /^[^/]+\/.+@[^@]+$/

const proposeSchema = v.strictObject({
  digest,
  class: v.picklist(CHANGE_CLASSES),
  /** Release that it comes after. */
  from: v.nullable(shortText),
  changes: v.pipe(v.array(longText), v.minLength(1), v.maxLength(64)),
  practices: v.array(v.picklist(PRACTICE_IDS)),
  /** SHA-256 of the report of the vulnerability analysis of just this version. */
  analysis: digest,
})
const classifySchema = v.strictObject({ digest, class: v.picklist(CHANGE_CLASSES), reason: longText })
const assessSchema = v.strictObject({ digest, reason: longText })

function proposed(register: Register, id: string, wanted: string): ClassifiedRelease {
  const release = register.releases.get(id) ?? refuse('decision.no-such-subject', id)
  if (release.digest !== wanted) refuse('decision.no-such-subject', `${id} is proposed with another digest`)
  return release
}

const propose: DecisionKind<v.InferOutput<typeof proposeSchema>> = defineKind({
  title: 'The vendor says how far a release reaches',
  roles: ['vendor'],
  schema: proposeSchema,
  apply: ({ releases }, { author, subject: id, at, detail }) => {
    if (!subject.test(id)) refuse('log.malformed', 'VENDOR/MODEL@RELEASE is wanted as the subject')
    const before = releases.get(id)
    if (before !== undefined && before.verdict !== null && before.digest === detail.digest) {
      refuse('decision.wrong-state', `${id} is classified already`)
    }
    const { class: change, digest: named } = detail
    // Another content is another release: what was said of the first one says nothing of it.
    releases.set(id, {
      id,
      digest: named,
      proposed: { class: change, by: author.id, at },
      verdict: null,
      assessedAt: null,
    })
  },
})

const classify: DecisionKind<v.InferOutput<typeof classifySchema>> = defineKind({
  title: 'The certifier decides how far a release reaches',
  roles: ['certifier'],
  schema: classifySchema,
  apply: (register, { author, subject: id, at, detail }) => {
    const release = proposed(register, id, detail.digest)
    if (release.verdict !== null) refuse('decision.wrong-state', `${id} is classified already`)
    if (release.proposed.by === author.id) refuse('decision.own-work', id)
    register.releases.set(id, { ...release, verdict: { class: detail.class, by: author.id, at } })
  },
})

const assess: DecisionKind<v.InferOutput<typeof assessSchema>> = defineKind({
  title: 'A scoped reassessment covers a release',
  roles: ['certifier'],
  schema: assessSchema,
  apply: (register, { author, subject: id, at, detail }) => {
    const release = proposed(register, id, detail.digest)
    const needsOne = release.verdict?.class === 'major' || release.verdict?.class === 'emergency'
    if (!needsOne || release.assessedAt !== null) refuse('decision.wrong-state', id)
    if (release.proposed.by === author.id) refuse('decision.own-work', id)
    register.releases.set(id, { ...release, assessedAt: at })
  },
})

export const releaseKinds = { 'release.propose': propose, 'release.classify': classify, 'release.assess': assess }

/** Whether the classification of a release lets its devices count as covered. `at`: seconds since 1970. */
export function isReleaseCovered(release: ClassifiedRelease | undefined, digest: string, at: number): boolean {
  if (release === undefined || release.digest !== digest || release.verdict === null) return false
  if (release.assessedAt !== null) return true
  const { class: change, at: since } = release.verdict
  return change === 'none' || change === 'minor' || (change === 'emergency' && at < since + EMERGENCY_DAYS * DAY)
}

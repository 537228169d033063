import * as v from 'valibot'
import { SECTION_IDS } from '../posture/sections.ts'
import { agentLimitsSchema } from './agent-limits.ts'
import { SCOPES } from './levels.ts'
import { PRACTICE_IDS } from './practices.ts'
import { SIGNAL_IDS } from './signals.ts'
import { sloOverrideSchema } from './slo-override.ts'
import { digestText, name, prose, slug } from './text.ts'

/**
 * A security maturity profile as it is written down: what a product guarantees for each practice, which limitations
 * it has and what makes up for them, and what it takes for granted about its surroundings. Whole numbers only, so that
 * people, files and CBOR agree on it.
 */

/** How much a practice matters here; the agreement says from which one on it counts for the certificate. */
export const PRIORITIES = ['must', 'should', 'may'] as const
export type Priority = (typeof PRIORITIES)[number]

/** `template`: for a kind of product. `individual`: for the products of one certificate. */
export const PROFILE_KINDS = ['template', 'individual'] as const
export type ProfileKind = (typeof PROFILE_KINDS)[number]

/** The product is on the market, is a line of several, or is being made. */
export const SCENARIOS = ['existing-product', 'product-line', 'new-product'] as const

const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.integer('a whole number is wanted'), v.minValue(min), v.maxValue(max))

const different = <T>(message: string, key: (item: T) => string) =>
  v.check<T[], string>((items) => new Set(items.map(key)).size === items.length, message)

export const profileReference = v.strictObject({ id: slug, version: whole(1, 1_000_000), digest: digestText })
export type ProfileReference = v.InferOutput<typeof profileReference>

const signalId = v.picklist(SIGNAL_IDS, 'no signal of this program')

/** What has to hold, and where that is read. */
const checkSchema = v.variant('kind', [
  /** The SLO of a signal is met; with `slo`, another one than the profile's. */
  v.strictObject({ kind: v.literal('signal'), signal: signalId, slo: v.optional(sloOverrideSchema) }),
  /** An accepted document of this kind is in force. */
  v.strictObject({ kind: v.literal('document'), document: slug }),
  /** A fact of a section is as given, on at least this share of the devices. */
  v.strictObject({
    kind: v.literal('section-fact'),
    section: v.picklist(SECTION_IDS),
    /** Keys from the outside in. */
    fact: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/))), v.minLength(1), v.maxLength(8)),
    equals: v.union([v.pipe(v.string(), v.maxLength(256)), whole(0, Number.MAX_SAFE_INTEGER), v.boolean()]),
    sharePercent: v.optional(whole(1, 100), 100),
  }),
])
export type Check = v.InferOutput<typeof checkSchema>

const practiceSchema = v.strictObject({
  target: v.strictObject({ level: whole(1, 4), scope: v.picklist(SCOPES) }),
  priority: v.picklist(PRIORITIES),
  /** Why this target. Wanted wherever the practice is otherwise than in the template. */
  rationale: v.optional(prose),
  slo: v.optional(v.record(signalId, sloOverrideSchema), {}),
  /** Kinds of document that this profile asks for beside those of the catalogue. */
  documents: v.optional(v.pipe(v.array(slug), v.maxLength(32), different('named twice', String)), []),
})
export type PracticeTarget = v.InferOutput<typeof practiceSchema>

const practiceId = v.picklist(PRACTICE_IDS, 'no practice of the model')
const practiceIds = v.pipe(v.array(practiceId), v.maxLength(PRACTICE_IDS.length), different('named twice', String))

/** Names that are compared as they are. */
const names = v.optional(v.pipe(v.array(name), v.maxLength(256), different('named twice', String)), [])

/** Devices that do not get fixes: of these hardware revisions, for these packages. An empty list: all of them. */
const unpatchedSchema = v.strictObject({ hardware: names, packages: names })
export type UnpatchedScope = v.InferOutput<typeof unpatchedSchema>

const limitationSchema = v.strictObject({
  id: slug,
  title: name,
  reason: prose,
  practices: v.pipe(practiceIds, v.minLength(1)),
  /** What makes up for it, and the evidence that it does. */
  compensation: v.nullable(v.strictObject({ text: prose, check: checkSchema })),
  public: v.boolean(),
  /** Time to patch counts them apart, for as long as the compensation is shown to work. */
  unpatched: v.optional(unpatchedSchema),
  /** How much of the gateway the agent may take: `profile limits` makes it settings of its units. */
  agent: v.optional(agentLimitsSchema),
})
export type Limitation = v.InferOutput<typeof limitationSchema>

const assumptionSchema = v.strictObject({
  id: slug,
  text: prose,
  practices: v.optional(practiceIds, []),
  /** Without one nobody notices when it breaks. */
  check: v.optional(checkSchema),
})
export type Assumption = v.InferOutput<typeof assumptionSchema>

export const ProfileDocument = v.strictObject({
  schema: v.literal(1),
  id: slug,
  version: whole(1, 1_000_000),
  kind: v.picklist(PROFILE_KINDS),
  title: name,
  summary: v.optional(prose),
  scenario: v.optional(v.picklist(SCENARIOS), 'existing-product'),
  /** The template that it is made after: where it is otherwise, it says why. */
  basedOn: v.optional(v.nullable(profileReference), null),
  practices: v.pipe(
    v.record(practiceId, practiceSchema),
    v.check((practices) => Object.keys(practices).length > 0, 'a profile has at least one practice'),
  ),
  /** Practices of the template that this profile leaves out, each with the reason. */
  omitted: v.optional(v.record(practiceId, prose), {}),
  limitations: v.optional(
    v.pipe(
      v.array(limitationSchema),
      v.maxLength(256),
      different<Limitation>('two of one id', ({ id }) => id),
    ),
    [],
  ),
  assumptions: v.optional(
    v.pipe(
      v.array(assumptionSchema),
      v.maxLength(256),
      different<Assumption>('two of one id', ({ id }) => id),
    ),
    [],
  ),
  review: v.strictObject({ everyDays: whole(1, 1096) }),
  /** Practices of at least this priority count for the certificate. */
  countsFrom: v.optional(v.picklist(PRIORITIES), 'should'),
})
export type ProfileDocument = v.InferOutput<typeof ProfileDocument>

import * as v from 'valibot'
import { text } from '../../posture/text.ts'
import { PACKAGE_NAME, PACKAGE_VERSION } from '../../posture/sections/packages.ts'

/** What people record because no sensor sees it. The closed list: each kind with what it has to say. */

/** As others call it: CVE-2026-1234, INC-17, drill-2026-1. One word, so that it can stand in a line and be compared. */
const name = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,127}$/, 'a name of letters, digits and . _ : / + -'),
)
const time = v.pipe(v.string(), v.isoTimestamp('a time as 2026-12-01T12:00:00Z'))

export const ADVISORY_SEVERITIES = ['critical', 'high', 'medium', 'low'] as const
export type AdvisorySeverity = (typeof ADVISORY_SEVERITIES)[number]

/** Where the fix is: a release of the product by its name, or a version of a package, and everything later. */
const fixSchema = v.union([
  v.strictObject({ release: text(128) }),
  v.strictObject({
    package: v.pipe(v.string(), v.regex(PACKAGE_NAME, 'the name of a package')),
    version: v.pipe(v.string(), v.regex(PACKAGE_VERSION, 'a version of a package')),
  }),
])
export type Fix = v.InferOutput<typeof fixSchema>

export const EVENT_SCHEMAS = {
  'advisory-published': v.strictObject({
    advisory: name,
    severity: v.picklist(ADVISORY_SEVERITIES),
    /** Known to be used in attacks: then it is critical, whatever its severity. */
    exploited: v.optional(v.boolean(), false),
    fixedIn: v.optional(fixSchema),
  }),
  'advisory-triaged': v.strictObject({ advisory: name }),
  'fix-released': v.strictObject({ advisory: name, fixedIn: fixSchema }),
  'roll-out-begun': v.strictObject({ release: text(128) }),
  'own-advisory-published': v.strictObject({ advisory: name }),
  'customers-notified': v.strictObject({ advisory: name }),
  'advisory-feed-read': v.strictObject({ feed: name }),
  'components-matched': v.strictObject({ feed: v.optional(name) }),
  'vulnerabilities-analysed': v.strictObject({ release: text(128) }),
  'incident-detected': v.strictObject({ incident: name, severity: v.picklist(ADVISORY_SEVERITIES) }),
  'incident-acknowledged': v.strictObject({ incident: name }),
  'incident-contained': v.strictObject({ incident: name }),
  'case-acknowledged': v.strictObject({ case: name }),
  'drill-held': v.strictObject({ drill: v.optional(name) }),
  'restore-tested': v.strictObject({ success: v.boolean() }),
  'unit-recovered': v.strictObject({
    minutes: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(5_256_000)),
    /** Somebody had to go there. */
    visit: v.boolean(),
  }),
  /** A duty to report to an authority or a customer. That there was one, and until when, only people can say. */
  'duty-to-report-met': v.strictObject({ duty: name, dueAt: time }),
  /** A review, an action or any other thing that was agreed for a day. */
  'duty-done': v.strictObject({ duty: name, dueAt: time }),
  'risk-accepted': v.strictObject({ risk: name, until: time }),
  'risk-closed': v.strictObject({ risk: name }),
} as const

export type RecordedEventKind = keyof typeof EVENT_SCHEMAS
export const RECORDED_EVENT_KINDS = Object.keys(EVENT_SCHEMAS) as [RecordedEventKind, ...RecordedEventKind[]]

export type EventDetail<K extends RecordedEventKind> = v.InferOutput<(typeof EVENT_SCHEMAS)[K]>

/** What happened, of one kind, with what that kind says. */
export type RecordedFact = {
  [K in RecordedEventKind]: { readonly kind: K; readonly detail: EventDetail<K> }
}[RecordedEventKind]

/** The detail of a kind, checked; or what is wrong with it. */
export function checkDetail(
  kind: RecordedEventKind,
  detail: unknown,
): { readonly fact: RecordedFact } | { readonly problems: readonly string[] } {
  const result = v.safeParse(EVENT_SCHEMAS[kind] as v.GenericSchema<unknown, RecordedFact['detail']>, detail)
  if (result.success) return { fact: { kind, detail: result.output } as RecordedFact }
  return { problems: result.issues.map((issue) => `${v.getDotPath(issue) ?? 'detail'}: ${issue.message}`) }
}

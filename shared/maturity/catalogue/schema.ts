import * as v from 'valibot'
import { PRACTICE_IDS, type PracticeId } from '../practices.ts'
import { name, prose, slug } from '../text.ts'

/**
 * What is said about the practices: a catalogue that a certifier can amend. The practices themselves, and what signals
 * say about them, are the program's.
 */

const level = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(4))

/** No document is good for longer. */
export const MAX_MONTHS = 24

/** What can make a document void before its time. */
export const EARLY_EXPIRY = [
  'incident',
  'interface-change',
  'major-change',
  'new-release',
  'new-threat',
  'owner-left',
  'supplier-change',
] as const

const practiceText = v.strictObject({
  /** Other names that the same practice has in the literature. */
  aliases: v.optional(v.pipe(v.array(name), v.maxLength(16)), []),
  objective: prose,
  /** What each level asks for; each presumes those below it. */
  levels: v.strictObject({ '1': prose, '2': prose, '3': prose, '4': prose }),
  /** For each framework the requirements that this practice has to do with. */
  mappings: v.optional(v.record(slug, v.pipe(v.array(name), v.minLength(1), v.maxLength(64))), {}),
})
export type PracticeText = v.InferOutput<typeof practiceText>

const documentUse = v.pipe(
  v.strictObject({
    /** From this level on the practice asks for the document. */
    from: level,
    /** The highest level that it helps to support. */
    supports: level,
  }),
  v.check(({ from, supports }) => from <= supports, 'it supports less than what asks for it'),
)

const documentKind = v.strictObject({
  title: name,
  /** How long one is good for when it says nothing itself. */
  months: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_MONTHS)),
  practices: v.pipe(
    v.record(v.picklist(PRACTICE_IDS, 'no practice of the model'), documentUse),
    v.check((practices) => Object.keys(practices).length > 0, 'it is for no practice'),
  ),
  expiresOn: v.optional(v.array(v.picklist(EARLY_EXPIRY)), []),
})
export type DocumentKind = v.InferOutput<typeof documentKind>

const framework = v.strictObject({ title: name, version: name, note: v.optional(prose) })

const practiceEntries = Object.fromEntries(PRACTICE_IDS.map((id) => [id, practiceText])) as Record<
  PracticeId,
  typeof practiceText
>

export const Catalogue = v.pipe(
  v.strictObject({
    schema: v.literal(1),
    /** Of whoever amends it: any name. */
    version: name,
    title: name,
    note: v.optional(prose),
    frameworks: v.record(slug, framework),
    documents: v.record(slug, documentKind),
    practices: v.strictObject(practiceEntries),
  }),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    const { practices, frameworks } = dataset.value
    for (const [practice, { mappings }] of Object.entries(practices)) {
      for (const used of Object.keys(mappings).filter((id) => !Object.hasOwn(frameworks, id))) {
        const keys = ['practices', practice, 'mappings', used]
        addIssue({ message: 'a framework that the catalogue does not list', path: pathTo(keys, dataset.value) })
      }
    }
  }),
)
export type Catalogue = v.InferOutput<typeof Catalogue>

/** Where in the catalogue a check of the whole found something. */
function pathTo(keys: readonly string[], catalogue: object): [v.IssuePathItem, ...v.IssuePathItem[]] {
  let input: unknown = catalogue
  const items = keys.map((key): v.IssuePathItem => {
    const holder = input as Record<string, unknown>
    const value = holder[key]
    input = value
    return { type: 'object', origin: 'value', input: holder, key, value }
  })
  return items as [v.IssuePathItem, ...v.IssuePathItem[]]
}

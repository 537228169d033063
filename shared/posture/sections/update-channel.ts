import * as v from 'valibot'
import { MISSING } from '../observation.ts'
import { keyOf, sortedTexts, sortedUnique, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'

export const MAX_SOURCES = 512
export const MAX_KEYRINGS = 256
export const MAX_FINGERPRINTS = 256
export const MAX_OVERRIDES = 256

export const SOURCE_TYPES = ['deb', 'deb-src'] as const

/** sources.list(5): an option that is not written leaves the decision to apt's configuration. */
export const OPTION_VALUES = ['yes', 'no', 'default'] as const
export type OptionValue = (typeof OPTION_VALUES)[number]
const option = v.picklist(OPTION_VALUES)

/** A text without blanks: blanks separate what stands in one subject. */
const word = (maxLength: number) => v.pipe(text(maxLength), v.regex(/^\S*$/))

const sourceSchema = v.strictObject({
  type: v.picklist(SOURCE_TYPES),
  /** Without credentials. */
  uri: word(512),
  transport: word(32),
  suite: word(256),
  components: v.pipe(v.array(text(128)), v.maxLength(64)),
  /** `yes` switches the check of signatures off. */
  trusted: option,
  allowInsecure: option,
  checkValidUntil: option,
  /** Keyring paths, `fingerprint:…`, or `inline:…`; empty: any of apt's trusted keyrings may sign. */
  signedBy: v.pipe(v.array(text(512)), v.maxLength(MAX_FINGERPRINTS)),
})

const keyringSchema = v.strictObject({
  path: text(512),
  /** Whether apt accepts these keys for every source that names none. */
  trustedForAll: v.boolean(),
  status: v.picklist(['read', ...MISSING]),
  /** Of the primary keys, upper-case hexadecimal. */
  fingerprints: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[0-9A-F]{40,64}$/))), v.maxLength(MAX_FINGERPRINTS)),
})

const overrideSchema = v.strictObject({ name: text(256), value: text(256) })

const schema = v.strictObject({
  manager: v.picklist(['apt']),
  sources: v.pipe(v.array(sourceSchema), v.maxLength(MAX_SOURCES)),
  keyrings: v.pipe(v.array(keyringSchema), v.maxLength(MAX_KEYRINGS)),
  /** Settings of apt.conf(5) that decide whether unauthenticated packages are accepted, as they are in force. */
  overrides: v.pipe(v.array(overrideSchema), v.maxLength(MAX_OVERRIDES)),
  /** Lines, stanzas and statements that could not be understood. */
  malformed: count,
  /** Files that exist and could not be read, by path. */
  unreadable: v.pipe(v.array(text(512)), v.maxLength(256)),
  /** One of the lists above was cut at its bound. */
  truncated: v.boolean(),
})

export type UpdateSource = v.InferOutput<typeof sourceSchema>
export type Keyring = v.InferOutput<typeof keyringSchema>
export type AptOverride = v.InferOutput<typeof overrideSchema>
export type UpdateChannelContent = v.InferOutput<typeof schema>

function sourceText(source: UpdateSource): string {
  const signers = source.signedBy.length === 0 ? ['any trusted key'] : source.signedBy.map((one) => JSON.stringify(one))
  return [
    `components ${source.components.map((one) => JSON.stringify(one)).join(' ')}`,
    `transport ${source.transport}`,
    `trusted ${source.trusted}`,
    `allow-insecure ${source.allowInsecure}`,
    `check-valid-until ${source.checkValidUntil}`,
    `signed by ${signers.join(' ')}`,
  ].join('; ')
}

const keyringText = (keyring: Keyring): string =>
  [keyring.status, keyring.trustedForAll ? 'for all sources' : 'where named', ...keyring.fingerprints].join(' ')

export const updateChannel: SectionDefinition<UpdateChannelContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    sources: sortedUnique(
      content.sources.map((source) => ({
        ...source,
        components: sortedTexts(source.components),
        signedBy: sortedTexts(source.signedBy),
      })),
      (source) => keyOf(source.type, source.uri, source.suite, sourceText(source)),
    ),
    keyrings: sortedUnique(
      content.keyrings.map((keyring) => ({ ...keyring, fingerprints: sortedTexts(keyring.fingerprints) })),
      (keyring) => keyOf(keyring.path, keyringText(keyring)),
    ),
    overrides: sortedUnique(content.overrides, (override) => keyOf(override.name, override.value)),
    unreadable: sortedTexts(content.unreadable),
  }),
  facts: (content) => [
    { subject: 'manager', value: content.manager },
    { subject: 'malformed', value: String(content.malformed) },
    { subject: 'truncated', value: String(content.truncated) },
    ...content.sources.map((source) => ({
      subject: `source ${source.type} ${source.uri} ${source.suite}`,
      value: sourceText(source),
    })),
    ...content.keyrings.map((keyring) => ({ subject: `keyring ${keyring.path}`, value: keyringText(keyring) })),
    ...content.overrides.map((override) => ({
      subject: `option ${override.name}`,
      value: JSON.stringify(override.value),
    })),
    ...content.unreadable.map((path) => ({ subject: `unreadable ${path}`, value: 'not read' })),
  ],
}

import * as v from 'valibot'
import { PACKAGE_NAME, PACKAGE_VERSION } from '../../shared/posture/sections/packages.ts'
import { SOCKET_PROTOCOLS, SOCKET_SCOPES } from '../../shared/posture/sections/sockets.ts'
import { MANAGERS } from '../../shared/posture/sections/update-channel.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import { text } from '../../shared/posture/text.ts'

/**
 * The rules of a release: a small closed language, of which a person can read each line. Patterns are those of
 * shared/ima/glob.ts: `*` is any text without a slash, `**` any text, `?` one character.
 */

const MAX_RULES = 1000
const list = <S extends v.GenericSchema>(item: S) => v.pipe(v.array(item), v.maxLength(MAX_RULES))
const pattern = v.pipe(text(512), v.minLength(1))

const port = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0xffff))
const ports = v.pipe(
  v.string(),
  v.regex(/^\d{1,5}-\d{1,5}$/, 'a range of ports, such as 1000-1100'),
  v.check((range) => {
    const [first = 0, last = 0] = range.split('-').map(Number)
    return first <= last && last <= 0xffff
  }, 'a range of ports from the lower to the higher one, up to 65535'),
)

/** Without `port` and `ports`: every port. Without `executable`: whoever holds it. */
const listener = v.pipe(
  v.strictObject({
    protocol: v.picklist(SOCKET_PROTOCOLS),
    port: v.optional(port),
    ports: v.optional(v.union([ports, v.literal('ephemeral')])),
    /** How far it reaches: exactly this. */
    scope: v.picklist(SOCKET_SCOPES),
    executable: v.optional(pattern),
    /** The package that the executable is from, and the unit that it runs in. */
    package: v.optional(pattern),
    unit: v.optional(pattern),
    /** Of another network namespace than the first; without it of the first one only. */
    namespace: v.optional(pattern),
  }),
  v.check(({ port: one, ports: range }) => one === undefined || range === undefined, 'either port or ports'),
)
export type ListenerRule = v.InferOutput<typeof listener>

const packageName = v.pipe(v.string(), v.regex(PACKAGE_NAME, 'the name of a package'))
const packageVersion = v.strictObject({
  name: packageName,
  version: v.pipe(v.string(), v.regex(PACKAGE_VERSION, 'the version of a package; in quotes where it looks a number')),
})

const packages = v.strictObject({
  /** Installed, in exactly this version. */
  exact: v.optional(list(packageVersion), []),
  /** Installed, in this version or a later one by the rules of the package manager. */
  minimum: v.optional(list(packageVersion), []),
  /** Not installed: patterns of names. */
  forbidden: v.optional(list(pattern), []),
  /** Whether packages of which nothing is said may be installed. */
  ignoreAdditional: v.optional(v.boolean(), false),
})
export type PackageRules = v.InferOutput<typeof packages>

/** A source whose content is checked, by keys that are allowed, and from where the patterns say. */
const source = v.strictObject({
  manager: v.picklist(MANAGERS),
  id: v.optional(pattern, '**'),
  /** Each of its addresses has to match one of these. */
  uris: v.pipe(list(pattern), v.minLength(1)),
  /** What it may be signed by: keyring paths or `fingerprint:…`; without, whatever the manager trusts. */
  signedBy: v.optional(list(pattern)),
})

const updateSources = v.strictObject({
  allow: v.optional(list(source), []),
  /** Fingerprints of keys that may sign updates: a keyring that holds no other is good. */
  keys: v.optional(
    list(v.pipe(v.string(), v.regex(/^[0-9A-F]{16,64}$/, 'a fingerprint in upper-case hexadecimal digits'))),
    [],
  ),
})
export type UpdateSourceRules = v.InferOutput<typeof updateSources>

/** The first rule whose pattern matches a statement's subject decides. */
const fact = v.union(
  [
    v.strictObject({ subject: pattern, value: text(4096) }),
    v.strictObject({ subject: pattern, oneOf: v.pipe(list(text(4096)), v.minLength(1)) }),
    v.strictObject({ subject: pattern, any: v.literal(true) }),
  ],
  'a subject with one of: value (a text; in quotes where it looks a number), oneOf (a list of texts), any: true',
)
export type FactRule = v.InferOutput<typeof fact>

/** The rules that each section can have: one of another kind would be read by nobody. */
export const ruleEntries = (id: SectionId): Readonly<Record<string, v.GenericSchema>> => ({
  ...(id === 'sockets' ? { listeners: v.optional(v.strictObject({ allow: list(listener) })) } : {}),
  ...(id === 'packages' ? { packages: v.optional(packages) } : {}),
  ...(id === 'update-channel' ? { updateSources: v.optional(updateSources) } : {}),
  facts: v.optional(list(fact)),
})

export interface SectionRules {
  readonly listeners?: { readonly allow: ListenerRule[] } | undefined
  readonly packages?: PackageRules | undefined
  readonly updateSources?: UpdateSourceRules | undefined
  readonly facts?: FactRule[] | undefined
}

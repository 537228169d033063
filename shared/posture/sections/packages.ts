import * as v from 'valibot'
import { MISSING } from '../observation.ts'
import { keyOf, sortedUnique, type Fact, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'

/** dpkg(1), "Package states", without `not-installed` and `config-files`: of those nothing can run. */
export const PACKAGE_STATES = [
  'installed',
  'half-installed',
  'unpacked',
  'half-configured',
  'triggers-awaited',
  'triggers-pending',
] as const

/** Whose database the packages are from. */
export const PACKAGE_MANAGERS = ['dpkg', 'apk', 'opkg', 'rpm'] as const
export type PackageManagerName = (typeof PACKAGE_MANAGERS)[number]

/** deb-control(5), a little wider: what other managers and dpkg itself let through. No blanks, no punctuation of ours. */
export const PACKAGE_NAME = /^[A-Za-z0-9._][A-Za-z0-9+._-]{0,255}$/
/** deb-version(7), and the caret of rpm-version(7). */
export const PACKAGE_VERSION = /^[A-Za-z0-9.+~^:_-]{1,256}$/

export const MAX_PACKAGES = 20_000

const name = v.pipe(v.string(), v.regex(PACKAGE_NAME))
const version = v.pipe(v.string(), v.regex(PACKAGE_VERSION))

const packageSchema = v.strictObject({
  name,
  /** Absent where the record has none. */
  architecture: v.exactOptional(name),
  version,
  /** Only where it differs from the binary package's. */
  source: v.exactOptional(name),
  sourceVersion: v.exactOptional(version),
  /** Only where it is not `installed`. */
  state: v.exactOptional(v.picklist(PACKAGE_STATES)),
  /** The administrator keeps the version: updates do not reach it. */
  held: v.exactOptional(v.literal(true)),
  /** dpkg's error flag: the package has to be installed again. */
  reinstallRequired: v.exactOptional(v.literal(true)),
})

/** By what software comes onto a system as a whole, without the package manager. */
export const BUNDLE_KINDS = ['flatpak', 'snap', 'docker', 'podman', 'containerd'] as const
export type BundleKind = (typeof BUNDLE_KINDS)[number]

export const MAX_BUNDLES = 512

const bundleSchema = v.strictObject({
  /** An application with its branch, or the reference of an image. */
  name: text(256),
  /** The commit, the revision, or the image's digest. */
  version: text(256),
})

const bundleSourceSchema = v.strictObject({
  kind: v.picklist(BUNDLE_KINDS),
  /** `incomplete`: some could not be looked at. `unsupported`: in a format that the agent does not read. */
  status: v.picklist(['read', 'incomplete', 'unsupported', ...MISSING]),
  bundles: v.pipe(v.array(bundleSchema), v.maxLength(MAX_BUNDLES)),
  /** Larger than the list where that was cut. */
  total: count,
})

const schema = v.strictObject({
  /** `none`: there is no database of packages, and the software that is told of came in other ways. */
  manager: v.picklist([...PACKAGE_MANAGERS, 'none']),
  /** Managers that have a database here too, whose packages are not in this list. Absent where there is none. */
  others: v.exactOptional(
    v.pipe(v.array(v.picklist(PACKAGE_MANAGERS)), v.minLength(1), v.maxLength(PACKAGE_MANAGERS.length)),
  ),
  packages: v.pipe(v.array(packageSchema), v.maxLength(MAX_PACKAGES)),
  /** Installed packages that were found; larger than the list where that was cut. */
  total: count,
  /** Records that could not be understood, so that their packages are missing above. */
  malformed: count,
  /** Databases that end in the middle of a record, or list files that could not be read. */
  incomplete: v.boolean(),
  /** Applications and container images. Kinds that are not there are left out. */
  bundles: v.exactOptional(v.pipe(v.array(bundleSourceSchema), v.minLength(1), v.maxLength(BUNDLE_KINDS.length))),
})

export type Bundle = v.InferOutput<typeof bundleSchema>
export type BundleSource = v.InferOutput<typeof bundleSourceSchema>
export type Package = v.InferOutput<typeof packageSchema>
export type PackagesContent = v.InferOutput<typeof schema>

function versionOf(entry: Package): string {
  const notes = [
    entry.source === undefined ? undefined : `source ${entry.source}`,
    entry.sourceVersion === undefined ? undefined : `source version ${entry.sourceVersion}`,
    entry.state,
    entry.held && 'held',
    entry.reinstallRequired && 'reinstallation required',
  ].filter((note) => note !== undefined)
  return notes.length === 0 ? entry.version : `${entry.version} (${notes.join('; ')})`
}

/** Where a list is whole its entries say it all; a statement beside them would be a second finding of one cause. */
function bundleFacts({ kind, status, bundles, total }: BundleSource): Fact[] {
  const isWhole = status === 'read' && total === bundles.length && total > 0
  return [
    ...(isWhole ? [] : [{ subject: `bundles of ${kind}`, value: `${status}, ${total} in all` }]),
    ...bundles.map(({ name: what, version: which }) => ({ subject: `${kind} ${what}`, value: which })),
  ]
}

const canonicalBundles = (source: BundleSource): BundleSource => ({
  ...source,
  bundles: sortedUnique(source.bundles, (one) => keyOf(one.name, one.version)),
})

const bundlesKey = ({ kind, status, total, bundles }: BundleSource): string =>
  keyOf(kind, status, total, ...bundles.flatMap(({ name: what, version: which }) => [what, which]))

export const packageSubject = ({ name: what, architecture }: Package): string =>
  architecture === undefined ? what : `${what}:${architecture}`

export const packages: SectionDefinition<PackagesContent> = {
  schema,
  canonical: (content) => ({
    ...content,
    ...(content.others === undefined ? {} : { others: sortedUnique(content.others, (name) => name) }),
    ...(content.bundles === undefined
      ? {}
      : {
          bundles: sortedUnique(content.bundles.map(canonicalBundles), bundlesKey),
        }),
    packages: sortedUnique(content.packages, (entry) =>
      keyOf(
        entry.name,
        entry.architecture,
        entry.version,
        entry.source,
        entry.sourceVersion,
        entry.state,
        entry.held,
        entry.reinstallRequired,
      ),
    ),
  }),
  facts: (content) => [
    { subject: 'manager', value: content.manager },
    ...(content.others === undefined ? [] : [{ subject: 'other package databases', value: content.others.join(' ') }]),
    // Where the list is whole its entries say it all; a number beside them would be a second finding of one cause.
    ...(content.total === content.packages.length ? [] : [{ subject: 'packages found', value: String(content.total) }]),
    { subject: 'malformed records', value: String(content.malformed) },
    { subject: 'incomplete', value: String(content.incomplete) },
    ...content.packages.map((entry) => ({
      subject: packageSubject(entry),
      value: versionOf(entry),
    })),
    ...(content.bundles ?? []).flatMap(bundleFacts),
  ],
}

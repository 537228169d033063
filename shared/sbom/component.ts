import { parsePackageUrl, versionIn } from '../advisories/package-url.ts'

export const SBOM_FORMATS = ['cyclonedx', 'spdx'] as const
export type SbomFormat = (typeof SBOM_FORMATS)[number]

/** A part of a release, as a bill of materials names it. */
export interface SbomComponent {
  readonly name: string
  /** Null: the document does not say. No advisory can be ruled out for it. */
  readonly version: string | null
  /** Whose it is, by the names of the OSV schema: npm, PyPI, Debian; `generic` where there is no package URL. */
  readonly ecosystem: string
  /** Of a package manager that devices report by themselves: it is compared with what they report, and not matched. */
  readonly isManaged: boolean
  readonly supplier: string | null
}

/** A bill of materials (NTIA minimum elements), in whatever format it came. */
export interface Sbom {
  readonly format: SbomFormat
  readonly formatVersion: string
  /** What it says that it is about; null: it does not say. */
  readonly subject: { readonly name: string; readonly version: string | null } | null
  /** ms since 1970. */
  readonly createdAt: number | null
  /** Each once, by ecosystem, name and version. */
  readonly components: readonly SbomComponent[]
}

export const MAX_COMPONENTS = 20_000
export const MAX_SBOM_BYTES = 32 * 1024 * 1024
/** Components of components. */
export const MAX_DEPTH = 32

const MANAGED = /^pkg:\/{0,2}(?:deb|rpm|apk|opkg)\//i

interface Named {
  readonly name: string
  readonly version: string | null
  readonly supplier: string | null
}

/** Undefined where the package URL is none. */
export function componentOf(purl: string | null, named: Named): SbomComponent | undefined {
  if (purl === null) return { ...named, ecosystem: 'generic', isManaged: false }
  const parsed = parsePackageUrl(purl)
  if (parsed === undefined) return undefined
  return {
    name: parsed.package,
    version: versionIn(parsed.ecosystem, parsed.version ?? named.version),
    ecosystem: parsed.ecosystem,
    isManaged: MANAGED.test(purl),
    supplier: named.supplier,
  }
}

/** Each once, in one order: equal bills are equal, in whatever order they were written. */
export function distinct(components: readonly SbomComponent[]): readonly SbomComponent[] {
  const key = ({ ecosystem, name, version }: SbomComponent): string => `${ecosystem}\n${name}\n${version ?? ''}`
  const all = new Map<string, SbomComponent>()
  for (const one of components) if (!all.has(key(one))) all.set(key(one), one)
  return [...all].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
}

import { VERSION_SCHEMES, type VersionScheme } from '../versions/compare.ts'
import type { VersionRange } from './record.ts'

const TYPES: Readonly<Record<string, VersionScheme>> = {
  deb: 'dpkg',
  generic: 'pep440',
  pypi: 'pep440',
  alpine: 'apk',
  npm: 'semver',
}

export interface VersRanges {
  readonly scheme: VersionScheme | null
  readonly ranges: readonly VersionRange[]
  readonly versions: readonly string[]
}

/**
 * A version range specifier, vers:type/constraints: `>=1.0|<2.0`, `1.2|1.3`, `*`. Undefined for what is none, or excludes
 * single versions, or has a bound that no range here can express (`>`): a range that is not understood is not empty.
 */
export function parseVersionRange(text: string): VersRanges | undefined {
  const match = text.length > 8192 ? null : /^(?:vers:([a-z0-9.+-]+)\/)?(.+)$/.exec(text)
  if (match === null) return undefined
  const [, type, constraints = ''] = match
  const known = VERSION_SCHEMES.find((each) => each === type)
  const scheme = type === undefined ? null : (known ?? TYPES[type] ?? null)
  if (constraints === '*')
    return { scheme, ranges: [{ introduced: null, fixed: null, lastAffected: null }], versions: [] }
  const ranges: VersionRange[] = []
  const versions: string[] = []
  let open: string | undefined
  for (const part of constraints.split('|')) {
    const [, comparator = '', encoded = ''] = /^(<=|>=|<|>|=|!=)?(.+)$/.exec(part.trim()) ?? []
    const version = decodeURIComponent(encoded.replace(/%(?![0-9A-Fa-f]{2})/g, '%25'))
    if (version === '' || comparator === '!=' || comparator === '>') return undefined
    if (comparator === '' || comparator === '=') versions.push(version)
    else if (comparator === '>=') {
      if (open !== undefined) return undefined
      open = version
    } else {
      const end = comparator === '<' ? { fixed: version, lastAffected: null } : { fixed: null, lastAffected: version }
      ranges.push({ introduced: open ?? null, ...end })
      open = undefined
    }
  }
  if (open !== undefined) ranges.push({ introduced: open, fixed: null, lastAffected: null })
  return { scheme, ranges, versions }
}

import { pathMatcher } from '../../shared/ima/glob.ts'
import { packageSubject, type Package, type PackagesContent } from '../../shared/posture/sections/packages.ts'
import { compareVersions, type VersionScheme } from '../../shared/versions/compare.ts'
import type { Deviation } from '../appraisal/context.ts'
import type { Decided } from './judge-section.ts'
import type { PackageRules } from './rule-schema.ts'

/** opkg orders versions as dpkg does. */
const SCHEMES: Readonly<Record<PackagesContent['manager'], VersionScheme>> = {
  dpkg: 'dpkg',
  opkg: 'dpkg',
  apk: 'apk',
  rpm: 'rpm',
  // Only bundles: there is nothing whose versions could be compared.
  none: 'dpkg',
}

/** What the rules say of packages that are installed, and of those that should be. */
export function judgePackages(
  rules: PackageRules,
  reported: PackagesContent,
  captured: PackagesContent | undefined,
): Decided {
  const subjects = new Set<string>()
  const deviations: Deviation[] = []
  const scheme = SCHEMES[reported.manager]
  const byName = new Map<string, Package[]>()
  for (const entry of reported.packages) byName.set(entry.name, [...(byName.get(entry.name) ?? []), entry])

  const forbidden = rules.forbidden.map((pattern) => ({ pattern, matches: pathMatcher(pattern) }))
  for (const entry of forbidden.length === 0 ? [] : reported.packages) {
    const rule = forbidden.find(({ matches }) => matches(entry.name))
    if (rule === undefined) continue
    const subject = packageSubject(entry)
    subjects.add(subject)
    deviations.push({ code: 'packages.added', subject, before: `forbidden: ${rule.pattern}`, after: entry.version })
  }

  const required = [
    ...rules.exact.map((rule) => ({ ...rule, wanted: rule.version, isGood: (at: string) => at === rule.version })),
    ...rules.minimum.map((rule) => ({
      ...rule,
      wanted: `at least ${rule.version}`,
      isGood: (at: string) => ['equal', 'newer'].includes(compareVersions(scheme, at, rule.version)),
    })),
  ]
  const ruled = new Set(required.map(({ name }) => name))
  for (const { name, wanted, isGood } of required) {
    const found = byName.get(name) ?? []
    if (found.length === 0) deviations.push({ code: 'packages.removed', subject: name, before: wanted, after: null })
    for (const entry of found.filter((one) => !isGood(one.version) || !isSound(one))) {
      const notes = isSound(entry)
        ? ''
        : ` (${[entry.state ?? '', entry.held ? 'held' : ''].filter(Boolean).join(', ')})`
      const after = `${entry.version}${notes}`
      deviations.push({ code: 'packages.changed', subject: packageSubject(entry), before: wanted, after })
    }
  }
  const known = new Set((captured?.packages ?? []).map(packageSubject))
  for (const entry of [...reported.packages, ...(captured?.packages ?? [])]) {
    const subject = packageSubject(entry)
    if (ruled.has(entry.name) || (rules.ignoreAdditional && !known.has(subject))) subjects.add(subject)
  }
  return { subjects, deviations }
}

/** Installed as a whole, and reached by updates. */
const isSound = ({ state, held, reinstallRequired }: Package): boolean =>
  state === undefined && held === undefined && reinstallRequired === undefined

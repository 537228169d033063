import type { PostureCondition } from '../../shared/advisories/posture-condition.ts'
import type { Met } from '../model/product-statement.ts'
import { SECTIONS, type SectionContents, type SectionId } from '../../shared/posture/sections.ts'
import type { PackagesContent } from '../../shared/posture/sections/packages.ts'
import type { SocketsContent } from '../../shared/posture/sections/sockets.ts'

/** What a posture says; null: it does not have that section, or nobody could look. */
export type SectionsOf = <S extends SectionId>(id: S) => SectionContents[S] | null

/** The sections that decide whether these are met. */
export const sectionsFor = (conditions: readonly PostureCondition[]): readonly SectionId[] => [
  ...new Set(conditions.map(sectionOf)),
]

function sectionOf(condition: PostureCondition): SectionId {
  switch (condition.kind) {
    case 'package-absent':
    case 'package-present':
      return 'packages'
    case 'port-closed':
      return 'sockets'
    case 'setting':
      return 'hardening'
    case 'fact':
      return condition.section
  }
}

export function areMet(conditions: readonly PostureCondition[], of: SectionsOf): Met {
  const all = conditions.map((condition) => isMet(condition, of))
  if (all.includes('not-met')) return 'not-met'
  return all.length > 0 && all.every((one) => one === 'met') ? 'met' : 'unknown'
}

function isMet(condition: PostureCondition, of: SectionsOf): Met {
  switch (condition.kind) {
    case 'package-absent':
      return opposite(hasPackage(of('packages'), condition.package))
    case 'package-present':
      return hasPackage(of('packages'), condition.package)
    case 'port-closed': {
      const content = of('sockets')
      return content === null ? 'unknown' : isClosed(content, condition)
    }
    case 'setting': {
      const setting = of('hardening')?.settings.filter(({ name }) => name === condition.name) ?? []
      return allAre(
        setting.map(({ value }) => ('value' in value ? value.value : null)),
        condition.value,
      )
    }
    case 'fact': {
      const facts = factsOf(condition.section, of).filter(({ subject }) => subject === condition.subject)
      return allAre(
        facts.map(({ value }) => (isKnown(value) ? value : null)),
        condition.value,
      )
    }
  }
}

const OPPOSITE = { met: 'not-met', 'not-met': 'met', unknown: 'unknown' } as const
const opposite = (met: Met): Met => OPPOSITE[met]

/** Null: nobody could tell. */
function allAre(values: readonly (string | null)[], wanted: string): Met {
  if (values.some((value) => value !== null && value !== wanted)) return 'not-met'
  return values.length > 0 && !values.includes(null) ? 'met' : 'unknown'
}

/** What stands in parentheses says why nobody knows. */
const isKnown = (value: string): boolean => !value.startsWith('(') || value === '(absent)'

function factsOf<S extends SectionId>(section: S, of: SectionsOf) {
  const content = of(section)
  return content === null ? [] : SECTIONS[section].facts(content)
}

function hasPackage(content: PackagesContent | null, wanted: string): Met {
  if (content === null) return 'unknown'
  if (content.packages.some(({ name }) => name === wanted)) return 'met'
  return isWhole(content) ? 'not-met' : 'unknown'
}

/** Every package of the system is in it. What came without a package manager is no package. */
const isWhole = ({ manager, others, packages, total, malformed, incomplete }: PackagesContent): boolean =>
  manager !== 'none' && others === undefined && total === packages.length && malformed === 0 && !incomplete

/** Ports from here on are those that a kernel can be told to choose from. */
const FIRST_CHOSEN = 1024

function isClosed(
  { listeners, truncated, malformed, namespaces }: SocketsContent,
  { protocol, port }: Extract<PostureCondition, { readonly kind: 'port-closed' }>,
): Met {
  const those = listeners.filter((one) => one.protocol === protocol)
  if (those.some((one) => one.port === port)) return 'not-met'
  if (truncated || malformed > 0 || namespaces !== 'visible') return 'unknown'
  // A raw socket gets what is sent to every port; a port that the kernel chose may be this one.
  const mayBe = those.some((one) => one.port === 'ephemeral' && port >= FIRST_CHOSEN)
  return mayBe || listeners.some((one) => one.protocol === 'raw') ? 'unknown' : 'met'
}

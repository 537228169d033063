import type { PostureCondition } from '../../shared/advisories/posture-condition.ts'
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

export const areMet = (conditions: readonly PostureCondition[], of: SectionsOf): boolean =>
  conditions.length > 0 && conditions.every((condition) => isMet(condition, of))

function isMet(condition: PostureCondition, of: SectionsOf): boolean {
  switch (condition.kind) {
    case 'package-absent': {
      const content = of('packages')
      return content !== null && isWhole(content) && !has(content, condition.package)
    }
    case 'package-present': {
      const content = of('packages')
      return content !== null && has(content, condition.package)
    }
    case 'port-closed': {
      const content = of('sockets')
      return content !== null && isClosed(content, condition)
    }
    case 'setting': {
      const setting = of('hardening')?.settings.filter(({ name }) => name === condition.name) ?? []
      return setting.length > 0 && setting.every(({ value }) => 'value' in value && value.value === condition.value)
    }
    case 'fact': {
      const facts = factsOf(condition.section, of).filter(({ subject }) => subject === condition.subject)
      return facts.length > 0 && facts.every(({ value }) => value === condition.value)
    }
  }
}

function factsOf<S extends SectionId>(section: S, of: SectionsOf) {
  const content = of(section)
  return content === null ? [] : SECTIONS[section].facts(content)
}

const has = ({ packages }: PackagesContent, wanted: string): boolean => packages.some(({ name }) => name === wanted)

/** Every package of the system is in it. What came without a package manager is no package. */
const isWhole = ({ manager, others, packages, total, malformed, incomplete }: PackagesContent): boolean =>
  manager !== 'none' && others === undefined && total === packages.length && malformed === 0 && !incomplete

/** Ports from here on are those that a kernel can be told to choose from. */
const FIRST_CHOSEN = 1024

function isClosed(
  { listeners, truncated, malformed, namespaces }: SocketsContent,
  { protocol, port }: Extract<PostureCondition, { readonly kind: 'port-closed' }>,
): boolean {
  if (truncated || malformed > 0 || namespaces !== 'visible') return false
  return !listeners.some(
    // A raw socket gets what is sent to every port; a port that the kernel chose may be this one.
    (one) =>
      one.protocol === 'raw' ||
      (one.protocol === protocol && (one.port === port || (one.port === 'ephemeral' && port >= FIRST_CHOSEN))),
  )
}

import type { BootPart, EventDifference } from './types.ts'

/** Differences that have one cause, which a person acts on as one. */
export interface BootCause {
  readonly part: BootPart
  /** What differs, in words. */
  readonly subject: string
  /** The approved and the measured state, in words; null where there is none. */
  readonly before: string | null
  readonly after: string | null
  readonly differences: readonly EventDifference[]
}

/** Parts whose measurements in several PCRs tell of the same thing: an image, its sections, the files of it. */
const MERGED: ReadonlySet<BootPart> = new Set(['kernel', 'initial-ram-disk', 'command-line'])

/** systemd-stub measures the sections of a unified kernel image one by one. */
const SECTIONS_PCR = 11

/** Of many differences of one cause, so many are told in words. */
const MAX_TOLD = 8

/**
 * Groups differences by their cause. The image that holds kernel, initial RAM disk and command line changes with each
 * of them: its own difference is told apart only if no section of it explains it.
 */
export function causesOf(differences: readonly EventDifference[]): readonly BootCause[] {
  const groups = new Map<string, EventDifference[]>()
  const containers: EventDifference[] = []
  for (const difference of differences) {
    if (difference.isContainer) containers.push(difference)
    else addTo(groups, keyOf(difference), difference)
  }
  // Only a section that the image had before and has still can stand for it: anybody can measure one more.
  const explaining = differences.find(
    ({ isContainer, part, kind, pcr, name }) =>
      !isContainer && MERGED.has(part) && kind === 'changed' && pcr === SECTIONS_PCR && name.startsWith('section '),
  )
  for (const container of containers) {
    addTo(groups, explaining === undefined ? keyOf(container) : keyOf(explaining), container)
  }
  return [...groups.values()].map(causeOf)
}

function addTo(groups: Map<string, EventDifference[]>, key: string, difference: EventDifference): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [difference])
  else group.push(difference)
}

/** Commands and files of a boot loader are many, and one update changes most of them. */
function keyOf({ part, pcr, name }: EventDifference): string {
  if (MERGED.has(part)) return part
  return part === 'boot-loader' && pcr >= 8 ? `${part} ${pcr}` : `${part} ${pcr} ${name}`
}

function causeOf(group: readonly EventDifference[]): BootCause {
  const [first] = [...group].sort((a, b) => weight(a) - weight(b))
  if (first === undefined) throw new Error('a cause without a difference')
  // The digest of the image comes first: a cut must not hide it.
  const inOrder = [...group].sort((a, b) => Number(b.isContainer) - Number(a.isContainer))
  const side = (text: (difference: EventDifference) => string | undefined): string | null => {
    const told = inOrder.map(text).filter((line) => line !== undefined)
    if (told.length === 0) return null
    const more = told.length > MAX_TOLD ? `; and ${told.length - MAX_TOLD} more` : ''
    return `${told.slice(0, MAX_TOLD).join('; ')}${more}`
  }
  return {
    part: first.part,
    subject: subjectOf(first, group),
    before: side(({ before }) => before && sideText(before.description, before.digests)),
    after: side(
      ({ after, kind }) =>
        after && `${sideText(after.description, [after.digest])}${kind === 'moved' ? ', at another place' : ''}`,
    ),
    differences: group,
  }
}

/** What names a cause best: a kernel's file before a section, and both before the image around it. */
const weight = ({ isContainer, name }: EventDifference): number =>
  isContainer ? 3 : name.startsWith('kernel image') ? 0 : name.startsWith('name of section') ? 2 : 1

const TITLES: Readonly<Partial<Record<BootPart, string>>> = {
  kernel: 'kernel image',
  'initial-ram-disk': 'initial RAM disk',
  'command-line': 'kernel command line',
}

function subjectOf({ part, name, pcr }: EventDifference, group: readonly EventDifference[]): string {
  const title = TITLES[part]
  if (title !== undefined) {
    const path = group.map((difference) => PATH.exec(difference.name)?.[1]).find((found) => found !== undefined)
    if (path === undefined) return title
    return part === 'kernel' ? `${title} ${path}` : `${title} in ${path}`
  }
  if (part === 'boot-loader' && pcr >= 8) return pcr === 8 ? 'boot loader commands' : 'boot loader files'
  return `${name} (PCR ${pcr})`
}

const PATH = /^(?:unified )?kernel image (.+)$/

function sideText(description: string, digests: readonly string[] | null): string {
  if (digests === null) return description
  if (digests.every((digest) => digest === '')) return description
  return `${description} (${digests.map((digest) => `${digest.slice(0, 16)}…`).join(' or ')})`
}

import type { Posture, Section } from '../core/types.ts'

export const sectionOf = (posture: Posture | undefined, id: string): Section | undefined =>
  posture?.sections.find((section) => section.id === id)

export interface Line {
  readonly name: string
  readonly value: string
}

const MAX_LINES = 400

/** Any content as lines, for sections that have no picture of their own: `manager.sources.0.uri` and its value. */
export function linesOf(content: unknown): readonly Line[] {
  const lines: Line[] = []
  const walk = (name: string, value: unknown): void => {
    if (lines.length >= MAX_LINES) return
    if (typeof value !== 'object' || value === null) lines.push({ name, value: String(value) })
    else if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) {
      lines.push({ name, value: value.join(', ') })
    } else {
      for (const [key, each] of Object.entries(value)) walk(name === '' ? key : `${name}.${key}`, each)
    }
  }
  walk('', content)
  return lines
}

export interface PendingUpdates {
  readonly total: number
  readonly security: number
  readonly pending: readonly {
    readonly name: string
    readonly installed: string
    readonly candidate: string
    readonly security: boolean
  }[]
}

/** Of the section patch-level; undefined where it does not say. */
export function pendingUpdates(section: Section | undefined): PendingUpdates | undefined {
  const content = section?.content as
    { updates?: { value?: PendingUpdates } & Partial<PendingUpdates> } | null | undefined
  const updates = content?.updates?.value ?? content?.updates
  return updates?.pending === undefined ? undefined : (updates as PendingUpdates)
}

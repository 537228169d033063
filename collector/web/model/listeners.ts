import type { ExplainedListeners } from '../core/types-face.ts'
import type { Finding } from '../core/types.ts'
import { listenerSubject, type Listener } from '../../../shared/posture/sections/sockets.ts'

export interface ListenerRow {
  readonly subject: string
  readonly program: string
  readonly state: 'not-approved' | 'gone' | 'approved' | 'unknown'
  /** What of the release lets it pass; null: nothing does; undefined: it was compared with none. */
  readonly allowedBy: 'rule' | 'captured' | null | undefined
  readonly rule: string | null | undefined
}

const RANK = { 'not-approved': 0, gone: 1, unknown: 2, approved: 3 } as const

/**
 * What listens, those first that nobody has approved; and what was approved and is gone. `isCompared`: there are
 * reference values to compare with.
 */
export function listenerRows(
  listeners: readonly Listener[],
  findings: readonly Pick<Finding, 'code' | 'subject'>[],
  isCompared: boolean,
  rules: ExplainedListeners['items'] = [],
): readonly ListenerRow[] {
  const standing = new Map(
    findings.filter(({ code }) => code.startsWith('sockets.')).map(({ code, subject }) => [subject, code]),
  )
  const explained = new Map(rules.map((each) => [each.subject, each]))
  const known = listeners.map((listener): ListenerRow => {
    const subject = listenerSubject(listener)
    const program = (listener.programs ?? []).map(({ executable }) => executable).join(', ')
    const state = standing.has(subject) ? 'not-approved' : isCompared ? 'approved' : 'unknown'
    const { allowedBy, rule } = explained.get(subject) ?? {}
    return { subject, program, state, allowedBy, rule }
  })
  const listening = new Set(known.map(({ subject }) => subject))
  const gone = [...standing]
    .filter(([subject, code]) => code === 'sockets.listener-removed' && !listening.has(subject))
    .map(([subject]): ListenerRow => ({ subject, program: '', state: 'gone', allowedBy: undefined, rule: undefined }))
  return [...known, ...gone].sort((a, b) => RANK[a.state] - RANK[b.state] || compare(a.subject, b.subject))
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

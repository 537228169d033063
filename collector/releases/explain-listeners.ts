import { factsOf } from '../../shared/posture/diff.ts'
import { pathMatcher } from '../../shared/ima/glob.ts'
import { listenerSubject, type Listener, type SocketsContent } from '../../shared/posture/sections/sockets.ts'
import type { ExpectedSection } from './compiled.ts'
import { listenerMatcher } from './judge-listeners.ts'
import type { FactRule, ListenerRule } from './rule-schema.ts'

/** Why a listener is let pass: a rule of the release, or that it was captured so; null: nothing lets it pass. */
export interface ExplainedListener {
  readonly subject: string
  readonly allowedBy: 'rule' | 'captured' | null
  /** The rule in words of the release's file; null where none decides. */
  readonly rule: string | null
}

/**
 * What lets each reported listener pass, or nothing. The same order as in ./judge-section.ts: rules for listeners, then
 * rules for statements, then what was captured. `expected`: undefined where the release says nothing of sockets at all.
 */
export function explainListeners(
  content: SocketsContent,
  expected: ExpectedSection | undefined,
): readonly ExplainedListener[] {
  const rules = (expected?.rules.listeners?.allow ?? []).map((rule) => ({ rule, matches: listenerMatcher(rule) }))
  const facts = (expected?.rules.facts ?? []).map((rule) => ({ rule, matches: pathMatcher(rule.subject) }))
  const captured = expected?.captured?.reading
  const wanted = captured?.status === 'measured' ? factsOf('sockets', captured.content as SocketsContent) : new Map()
  const found = factsOf('sockets', content)
  const bySubject = new Map<string, Listener[]>()
  for (const listener of content.listeners) {
    const subject = listenerSubject(listener)
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), listener])
  }
  return [...bySubject].map(([subject, listeners]): ExplainedListener => {
    // Several sockets can share one address: each of them needs a rule.
    const named = listeners.map((listener) => rules.find(({ matches }) => matches(listener))?.rule)
    const [first] = named
    if (first !== undefined && named.every((rule) => rule !== undefined)) {
      return {
        subject,
        allowedBy: 'rule',
        rule: [...new Set(named.flatMap((rule) => rule ?? []))].map(ruleText).join('; '),
      }
    }
    const value = found.get(subject)?.value
    const fact = facts.find(({ matches }) => matches(subject))?.rule
    if (fact !== undefined) return { subject, allowedBy: allows(fact, value) ? 'rule' : null, rule: factText(fact) }
    return {
      subject,
      allowedBy: value !== undefined && wanted.get(subject)?.value === value ? 'captured' : null,
      rule: null,
    }
  })
}

const allows = (rule: FactRule, value: string | undefined): boolean =>
  'any' in rule || (value !== undefined && ('oneOf' in rule ? rule.oneOf : [rule.value]).includes(value))

function ruleText({ protocol, scope, port, ports, ...held }: ListenerRule): string {
  const at = port ?? ports
  const who = (['executable', 'package', 'unit', 'namespace'] as const).flatMap((name) =>
    held[name] === undefined ? [] : [`${name} ${held[name]}`],
  )
  return [`${protocol}, scope ${scope}`, at === undefined ? 'every port' : `port ${at}`, ...who].join(', ')
}

const factText = ({ subject, ...rule }: FactRule): string =>
  `${subject}: ${'any' in rule ? 'any' : 'oneOf' in rule ? rule.oneOf.join(' or ') : rule.value}`

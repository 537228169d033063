import { pathMatcher } from '../../shared/ima/glob.ts'
import {
  EPHEMERAL,
  listenerSubject,
  type Listener,
  type SocketsContent,
} from '../../shared/posture/sections/sockets.ts'
import type { ListenerRule } from './rule-schema.ts'

/**
 * Subjects of listeners that the rules allow, in what is reported or in what was captured. What an allowed subject
 * states is let pass; that an allowed listener is not there is let pass too. Any other has to be as captured.
 */
export function allowedListeners(rules: readonly ListenerRule[], contents: readonly SocketsContent[]): Set<string> {
  const matchers = rules.map(listenerMatcher)
  const allowed = new Set<string>()
  const refused = new Set<string>()
  for (const listener of contents.flatMap(({ listeners }) => listeners)) {
    const isAllowed = matchers.some((matches) => matches(listener))
    ;(isAllowed ? allowed : refused).add(listenerSubject(listener))
  }
  // Several sockets can share one address: one that is not allowed is not hidden by one that is.
  for (const subject of refused) allowed.delete(subject)
  return allowed
}

export function listenerMatcher(rule: ListenerRule): (listener: Listener) => boolean {
  const isExecutable = matcherFor(rule.executable)
  const isPackage = matcherFor(rule.package)
  const isUnit = matcherFor(rule.unit)
  const isAnyProgram = rule.executable === undefined && rule.package === undefined && rule.unit === undefined
  const isAllowed = ({ executable, package: from, unit }: Program): boolean =>
    isExecutable(executable) && isPackage(from) && isUnit(unit)
  return ({ protocol, scope, port, namespace, owner, programs = [] }) =>
    protocol === rule.protocol &&
    scope === rule.scope &&
    isPort(rule, port) &&
    // What listens within a container is not reached as what the rule speaks of.
    (rule.namespace === undefined ? namespace === undefined : matcherFor(rule.namespace)(namespace)) &&
    // Whose owner could not be seen is not known to be the allowed program.
    (isAnyProgram || (owner === 'known' && programs.length > 0 && programs.every(isAllowed)))
}

type Program = NonNullable<Listener['programs']>[number]

/** Without a pattern everything fits; what is not known fits none. */
function matcherFor(pattern: string | undefined): (text: string | undefined) => boolean {
  if (pattern === undefined) return () => true
  const matches = pathMatcher(pattern)
  return (text) => text !== undefined && matches(text)
}

function isPort({ port: one, ports }: ListenerRule, port: Listener['port']): boolean {
  if (one !== undefined) return port === one
  if (ports === undefined) return true
  if (ports === EPHEMERAL || port === EPHEMERAL) return ports === port
  const [first = 1, last = 0] = ports.split('-').map(Number)
  return first <= port && port <= last
}

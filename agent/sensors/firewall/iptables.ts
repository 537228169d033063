import type { Observation } from '../../../shared/posture/observation.ts'
import { noVerdicts, type ParsedChain, type ParsedRule, type ParsedRuleset } from './ruleset.ts'

/** Words, of which a quoted one may hold blanks: iptables-save escapes quotation marks in it. */
const WORD = /"(?:[^"\\]|\\.)*"|\S+/g
const HOOKS: ReadonlySet<string> = new Set(['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'])
const MAX_LINES = 200_000

/** The rules that iptables-save or ip6tables-save prints. */
export function parseIptablesSave(text: string, family: 'ip' | 'ip6'): Observation<ParsedRuleset> {
  const chains = new Map<string, ParsedChain>()
  const lines = text.split('\n', MAX_LINES + 1)
  if (lines.length > MAX_LINES) return { missing: 'too-large' }
  let table: string | undefined
  for (const line of lines.map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('*')) table = line.slice(1)
    else if (line === 'COMMIT') table = undefined
    else if (table === undefined) return { missing: 'malformed' }
    else if (line.startsWith(':')) {
      const chain = chainOf(line, family, table)
      if (chain === undefined) return { missing: 'malformed' }
      chains.set(keyOf(table, chain.name), chain)
    } else {
      const [, name, rest] = /^(?:\[\d+:\d+\] )?-A (\S+)(?: (.*))?$/.exec(line) ?? []
      const chain = name === undefined ? undefined : chains.get(keyOf(table, name))
      if (chain === undefined) return { missing: 'malformed' }
      chain.rules.push(ruleOf(rest ?? ''))
    }
  }
  // The end is missing where the output was cut, and what it lacks may be what drops.
  return table === undefined ? { value: { chains: [...chains.values()], objects: [] } } : { missing: 'malformed' }
}

const keyOf = (table: string, name: string): string => JSON.stringify([table, name])

/** `:INPUT DROP [0:0]`, or `:name - [0:0]` of a chain that others lead to. */
function chainOf(line: string, family: string, table: string): ParsedChain | undefined {
  const [, name, policy] = /^:(\S+) (ACCEPT|DROP|-)(?: \[\d+:\d+\])?$/.exec(line) ?? []
  if (name === undefined || policy === undefined) return undefined
  const chain = { family, table, name, dormant: false, rules: [] }
  if (policy === '-' || !HOOKS.has(name)) return chain
  const decided = policy === 'DROP' ? 'drop' : 'accept'
  return {
    ...chain,
    base: { type: table === 'nat' ? 'nat' : 'filter', hook: name.toLowerCase(), policy: decided, devices: [] },
  }
}

function ruleOf(text: string): ParsedRule {
  const verdicts = noVerdicts()
  const words = text.match(WORD) ?? []
  for (const [index, word] of words.entries()) {
    if (!/^(?:-j|--jump|-g|--goto)$/.test(word)) continue
    const target = words[index + 1] ?? ''
    if (target === 'DROP' || target === 'REJECT') verdicts.drops = true
    else verdicts.chains.add(target)
  }
  return { text: words.join(' '), verdicts }
}

import {
  MAX_CHAINS,
  MAX_DEVICES,
  MAX_OBJECTS,
  type Chain,
  type Ruleset,
  type RulesetObject,
} from '../../../shared/posture/sections/firewall.ts'
import { digestOf } from '../digest.ts'
import { printable } from '../text.ts'

/** What a rule, or an element of a verdict map, can do with a packet that matters here. */
export interface Verdicts {
  /** It drops or refuses some. */
  drops: boolean
  /** Chains of the same table that it hands packets to. */
  readonly chains: Set<string>
  /** Maps of the same table that decide for it. */
  readonly maps: Set<string>
}

export const noVerdicts = (): Verdicts => ({ drops: false, chains: new Set(), maps: new Set() })

export interface ParsedRule {
  /** The rule in its one canonical form. */
  readonly text: string
  readonly verdicts: Verdicts
}

/** Names are byte strings. */
export interface ParsedChain {
  readonly family: string
  readonly table: string
  readonly name: string
  readonly base?: {
    readonly type: string
    readonly hook: string
    readonly priority?: number
    readonly policy: 'accept' | 'drop'
    readonly devices: readonly string[]
  }
  readonly dormant: boolean
  readonly rules: ParsedRule[]
}

export interface ParsedObject {
  readonly kind: string
  readonly family: string
  readonly table: string
  readonly name: string
  readonly text: string
  readonly verdicts: Verdicts
}

export interface ParsedRuleset {
  readonly chains: readonly ParsedChain[]
  readonly objects: readonly ParsedObject[]
}

const word = (byteString: string): string => printable(byteString, 32)
const name = (byteString: string): string => printable(byteString, 128)

const byText = <T>(key: (one: T) => string) => {
  return (a: T, b: T): number => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0)
}

const keyOf = (...parts: readonly string[]): string => JSON.stringify(parts)

function shownChain(chain: ParsedChain): Chain {
  const { base } = chain
  return {
    family: word(chain.family),
    table: name(chain.table),
    name: name(chain.name),
    ...(base === undefined
      ? {}
      : {
          base: {
            ...base,
            type: word(base.type),
            hook: word(base.hook),
            devices: base.devices.slice(0, MAX_DEVICES).map(word),
          },
        }),
    ...(chain.dormant ? { dormant: true as const } : {}),
    rules: chain.rules.length,
    digest: digestOf(JSON.stringify(chain.rules.map(({ text }) => text))),
  }
}

const shownObject = ({ kind, family, table, name: of, text }: ParsedObject): RulesetObject => ({
  kind: word(kind),
  family: word(family),
  table: name(table),
  name: name(of),
  digest: digestOf(text),
})

/** The ruleset as the section has it. The order of rules counts, that of chains and tables does not. */
export function rulesetOf({ chains, objects }: ParsedRuleset): Ruleset {
  const sortedChains = chains.toSorted(byText((chain) => keyOf(chain.family, chain.table, chain.name)))
  const sortedObjects = objects.toSorted(byText((one) => keyOf(one.kind, one.family, one.table, one.name, one.text)))
  const whole = JSON.stringify([
    sortedChains.map(({ family, table, name: of, base, dormant, rules }) => [
      [family, table, of, dormant],
      base === undefined ? [] : [base.type, base.hook, base.priority ?? '', base.policy, base.devices.toSorted()],
      rules.map(({ text }) => text),
    ]),
    sortedObjects.map(({ kind, family, table, name: of, text }) => [kind, family, table, of, text]),
  ])
  const baseFirst = [...sortedChains.filter(({ base }) => base), ...sortedChains.filter(({ base }) => !base)]
  return {
    digest: digestOf(whole),
    chains: baseFirst.slice(0, MAX_CHAINS).map(shownChain),
    objects: sortedObjects.slice(0, MAX_OBJECTS).map(shownObject),
  }
}

const FAMILIES = { ipv4: ['ip', 'inet'], ipv6: ['ip6', 'inet'] } as const

/**
 * Whether a packet of this family to the system itself can be dropped or refused: by the default of a chain at the hook
 * `input`, or by a rule in it or in a chain that it leads to.
 */
export function filtersInput({ chains, objects }: ParsedRuleset, family: 'ipv4' | 'ipv6'): boolean {
  const families: readonly string[] = FAMILIES[family]
  const byName = new Map(chains.map((chain) => [keyOf(chain.family, chain.table, chain.name), chain]))
  const maps = new Map(objects.map((one) => [keyOf(one.family, one.table, one.name), one.verdicts]))
  const waiting = chains.filter(
    ({ base, dormant, family: of }) => base?.hook === 'input' && !dormant && families.includes(of),
  )
  const seen = new Set(waiting)
  for (let chain = waiting.pop(); chain !== undefined; chain = waiting.pop()) {
    if (chain.base?.policy === 'drop') return true
    const { family: of, table } = chain
    for (const { verdicts } of chain.rules) {
      const used = [...verdicts.maps].flatMap((map) => maps.get(keyOf(of, table, map)) ?? [])
      for (const { drops, chains: targets } of [verdicts, ...used]) {
        if (drops) return true
        for (const target of targets) {
          const next = byName.get(keyOf(of, table, target))
          if (next === undefined || seen.has(next)) continue
          seen.add(next)
          waiting.push(next)
        }
      }
    }
  }
  return false
}

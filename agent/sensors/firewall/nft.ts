import type { Observation } from '../../../shared/posture/observation.ts'
import { parseBoundedJson } from './bounded-json.ts'
import { noVerdicts, type ParsedChain, type ParsedObject, type ParsedRuleset, type Verdicts } from './ruleset.ts'

type JsonObject = Readonly<Record<string, unknown>>

export interface NftRuleset extends ParsedRuleset {
  /** Some rules use extensions of iptables, whose options nft does not show: xtables. */
  readonly hasExtensions: boolean
}

/** libnftables-json(5): numbers of the kernel's own, and what runs down. */
const VOLATILE: ReadonlySet<string> = new Set(['handle', 'index', 'expires', 'used', 'used_unit'])
/** What a counter has counted, where both stand together. */
const COUNTED: ReadonlySet<string> = new Set(['packets', 'bytes'])
/** Lists whose order says nothing. */
const UNORDERED: ReadonlySet<string> = new Set(['set', 'elem', 'flags', 'dev'])

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The ruleset in `nft --json --stateless --numeric list ruleset`. */
export function parseNftRuleset(text: string): Observation<NftRuleset> {
  const json = parseBoundedJson(text)
  if ('missing' in json) return json
  const all = isObject(json.value) ? json.value['nftables'] : undefined
  if (!Array.isArray(all)) return { missing: 'malformed' }
  const reading = new Reading()
  for (const entry of all as readonly unknown[]) {
    const [one, ...more] = isObject(entry) ? Object.entries(entry) : []
    if (one === undefined || more.length > 0 || !reading.add(...one)) return { missing: 'malformed' }
  }
  const ruleset = reading.ruleset()
  return ruleset === undefined ? { missing: 'malformed' } : { value: ruleset }
}

class Reading {
  readonly #tables: JsonObject[] = []
  readonly #chains: JsonObject[] = []
  readonly #rules: JsonObject[] = []
  readonly #objects: [kind: string, object: JsonObject][] = []

  /** False: it is none of what nft lists. */
  add(kind: string, object: unknown): boolean {
    if (!isObject(object)) return false
    if (kind === 'metainfo') return true
    if (kind === 'table') this.#tables.push(object)
    else if (kind === 'chain') this.#chains.push(object)
    else if (kind === 'rule') this.#rules.push(object)
    this.#objects.push([kind, kind === 'table' ? { ...object, flags: tableFlags(object) } : object])
    return typeof object['family'] === 'string'
  }

  ruleset(): NftRuleset | undefined {
    const dormant = new Set(this.#tables.filter(isDormant).map(({ family, name }) => keyOf(family, name)))
    const chains = new Map<string, ParsedChain>()
    for (const chain of this.#chains) {
      const { family, table, name } = chain
      if (typeof family !== 'string' || typeof table !== 'string' || typeof name !== 'string') return undefined
      const isIn = dormant.has(keyOf(family, table))
      chains.set(keyOf(family, table, name), { family, table, name, ...baseOf(chain), dormant: isIn, rules: [] })
    }
    let hasExtensions = false
    for (const rule of this.#rules) {
      const chain = chains.get(keyOf(rule['family'], rule['table'], rule['chain']))
      if (chain === undefined) return undefined
      const verdicts = noVerdicts()
      if (collect(rule['expr'], verdicts)) hasExtensions = true
      chain.rules.push({ text: canonical(rule), verdicts })
    }
    const others = this.#objects.filter(([kind]) => kind !== 'chain' && kind !== 'rule')
    return { chains: [...chains.values()], objects: others.map(parsedObject), hasExtensions }
  }
}

const keyOf = (...parts: readonly unknown[]): string => JSON.stringify(parts)

const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value]

const TABLE_FLAGS: readonly unknown[] = ['dormant', 'owner', 'persist']

/**
 * The flags of a table. nft 1.0.6 prints what is left in freed memory in the place of a single one, often the name of
 * the table: there are some then, and which is not known.
 */
function tableFlags({ flags }: JsonObject): readonly unknown[] {
  const all = listOf(flags)
  return all.every((flag) => TABLE_FLAGS.includes(flag)) ? all : ['unknown']
}

/** A table whose flags are not known may be switched off. */
const isDormant = (table: JsonObject): boolean =>
  tableFlags(table).some((flag) => flag === 'dormant' || flag === 'unknown')

/** A chain without a hook is entered from others alone. A base chain whose policy is not told accepts. */
function baseOf({ type, hook, prio, policy, dev }: JsonObject): Pick<ParsedChain, 'base'> {
  if (typeof hook !== 'string') return {}
  const devices = listOf(dev).filter((one) => typeof one === 'string')
  const priority = Number.isSafeInteger(prio) ? { priority: prio as number } : {}
  const decided = policy === 'drop' ? 'drop' : 'accept'
  return { base: { type: String(type), hook, ...priority, policy: decided, devices } }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function parsedObject([kind, object]: [string, JsonObject]): ParsedObject {
  const verdicts = noVerdicts()
  collect(object['elem'], verdicts)
  const name = textOf(object['name'])
  const table = kind === 'table' ? name : textOf(object['table'])
  return { kind, family: textOf(object['family']), table, name, text: canonical(withoutGuests(object)), verdicts }
}

/** Elements that come and go by themselves: those with a timeout, and all of a set that packets fill. */
function withoutGuests(object: JsonObject): JsonObject {
  const { elem, ...rest } = object
  if (!Array.isArray(elem) || listOf(object['flags']).includes('dynamic')) return rest
  const isGuest = (one: unknown): boolean =>
    isObject(one) && isObject(one['elem']) && ('timeout' in one['elem'] || 'expires' in one['elem'])
  const stay = elem.filter((one: unknown) => !isGuest(Array.isArray(one) ? (one as unknown[])[0] : one))
  return stay.length === 0 ? rest : { ...rest, elem: stay }
}

/** Notes what a part of a rule can decide. True: there is an extension of iptables in it. */
function collect(value: unknown, verdicts: Verdicts): boolean {
  if (typeof value === 'string' && value.startsWith('@')) verdicts.maps.add(value.slice(1))
  if (typeof value !== 'object' || value === null) return false
  let hasExtensions = false
  for (const [key, item] of Object.entries(value)) {
    if (collect(item, verdicts)) hasExtensions = true
    if (Array.isArray(value)) continue
    if (key === 'drop' || key === 'reject') verdicts.drops = true
    else if ((key === 'jump' || key === 'goto') && isObject(item)) verdicts.chains.add(textOf(item['target']))
    else if (key === 'xt' && isObject(item)) {
      hasExtensions = true
      if (item['type'] === 'target' && /^(?:DROP|REJECT)$/.test(textOf(item['name']))) verdicts.drops = true
    }
  }
  return hasExtensions
}

/** JSON with sorted keys and without what is volatile. A named counter or quota is what it is called, not what it counted. */
function canonical(value: unknown, key = ''): string {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item))
    return `[${(UNORDERED.has(key) ? items.sort() : items).join(',')}]`
  }
  if (!isObject(value)) return JSON.stringify(value) ?? 'null'
  const counts = 'packets' in value && 'bytes' in value
  const keys = Object.keys(value).filter((one) => !VOLATILE.has(one) && !(counts && COUNTED.has(one)))
  if (keys.length === 0) return 'null'
  const fields = keys.sort().map((one) => `${JSON.stringify(one)}:${canonical(value[one], one)}`)
  return `{${fields.join(',')}}`
}

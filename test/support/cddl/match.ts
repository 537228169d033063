import { decodeItem, Entries, Tagged, type Item } from './decode.ts'
import type { Entry, Rule, Type } from './parse.ts'

/** Where and why an item is not of a type; undefined where it is. */
export type Mismatch = string | undefined

/** What the parameters of a generic rule stand for. */
type Scope = ReadonlyMap<string, { readonly type: Type; readonly scope: Scope }>

/** The names of the standard prelude (RFC 8610 appendix D) that are used. */
export const PRELUDE: Readonly<Record<string, (item: Item) => boolean>> = {
  uint: (item) => typeof item === 'bigint' && item >= 0n,
  int: (item) => typeof item === 'bigint',
  bool: (item) => typeof item === 'boolean',
  bstr: (item) => item instanceof Uint8Array,
  tstr: (item) => typeof item === 'string',
  null: (item) => item === null,
}

const NO_SCOPE: Scope = new Map()

/** Matches as RFC 8610 appendix A says: occurrences take as many items as they can and give none back. */
export class Matcher {
  readonly #rules: ReadonlyMap<string, Rule>

  constructor(rules: ReadonlyMap<string, Rule>) {
    this.#rules = rules
  }

  /** `path` begins what is said of a mismatch. */
  match(type: Type, item: Item, path: string, scope: Scope = NO_SCOPE): Mismatch {
    switch (type.kind) {
      case 'choice':
        return this.#choice(type.of, item, path, scope)
      case 'name':
        return this.#name(type, item, path, scope)
      case 'literal':
        return item === type.value ? undefined : `${path}: not ${type.value}`
      case 'range': {
        const inside = typeof item === 'bigint' && item >= type.low && item <= type.high
        return inside ? undefined : `${path}: not in ${type.low}..${type.high}`
      }
      case 'control':
        return this.#control(type, item, path, scope)
      case 'tag':
        if (!(item instanceof Tagged) || item.tag !== type.tag) return `${path}: no tag ${type.tag}`
        return this.match(type.content, item.content, path, scope)
      case 'array':
        return this.#array(type.entries, item, path, scope)
      default:
        return this.#map(type.entries, item, path, scope)
    }
  }

  #choice(of: readonly Type[], item: Item, path: string, scope: Scope): Mismatch {
    const reasons: string[] = []
    for (const type of of) {
      const mismatch = this.match(type, item, path, scope)
      if (mismatch === undefined) return undefined
      reasons.push(mismatch)
    }
    return reasons.join(' | ')
  }

  #name(type: Type & { kind: 'name' }, item: Item, path: string, scope: Scope): Mismatch {
    const bound = scope.get(type.name)
    if (bound !== undefined) return this.match(bound.type, item, path, bound.scope)
    const rule = this.#rules.get(type.name)
    if (rule === undefined) return PRELUDE[type.name]?.(item) === true ? undefined : `${path}: no ${type.name}`
    const inner = new Map(rule.parameters.map((name, i) => [name, { type: type.arguments[i] as Type, scope }]))
    return this.match(rule.type, item, path, inner)
  }

  #control(type: Type & { kind: 'control' }, item: Item, path: string, scope: Scope): Mismatch {
    const { operator, target, argument } = type
    const wrong = this.match(target, item, path, scope)
    if (wrong !== undefined) return wrong
    if (operator === '.cbor') return this.#embedded(argument, item, path, scope)
    if (operator === '.size') {
      const size = typeof item === 'string' ? Buffer.byteLength(item) : (item as Uint8Array).length
      return this.match(argument, BigInt(size), `${path} (size)`, scope)
    }
    const { value } = argument as Type & { kind: 'literal' }
    const holds =
      operator === '.regexp'
        ? new RegExp(`^(?:${value})$`, 'u').test(item as string)
        : operator === '.le'
          ? (item as bigint) <= (value as bigint)
          : (item as bigint) >= (value as bigint)
    return holds ? undefined : `${path}: not ${operator} ${value}`
  }

  #embedded(type: Type, item: Item, path: string, scope: Scope): Mismatch {
    let content: Item
    try {
      content = decodeItem(item as Uint8Array)
    } catch (error) {
      return `${path}: no CBOR inside: ${String(error)}`
    }
    return this.match(type, content, `${path}<>`, scope)
  }

  #array(entries: readonly Entry[], item: Item, path: string, scope: Scope): Mismatch {
    if (!Array.isArray(item)) return `${path}: no array`
    const items = item as readonly Item[]
    let at = 0
    let ended: Mismatch
    for (const { least, most, value } of entries) {
      let count = 0
      for (; count < most && at < items.length; count++, at++) {
        ended = this.match(value, items[at] as Item, `${path}.${at}`, scope)
        if (ended !== undefined) break
      }
      if (count < least) return ended ?? `${path}.${at}: missing`
    }
    return at === items.length ? undefined : (ended ?? `${path}.${at}: too many`)
  }

  #map(entries: readonly Entry[], item: Item, path: string, scope: Scope): Mismatch {
    if (!(item instanceof Entries)) return `${path}: no map`
    const left = new Set(item.pairs)
    let wrongValue: Mismatch
    for (const { least, most, key, value } of entries) {
      let count = 0
      for (const pair of left) {
        if (count === most) break
        if (this.match(key as Type, pair[0], path, scope) !== undefined) continue
        const mismatch = this.match(value, pair[1], `${path}.${show(pair[0])}`, scope)
        wrongValue ??= mismatch
        if (mismatch !== undefined) continue
        left.delete(pair)
        count++
      }
      if (count < least) return wrongValue ?? `${path}: an entry is missing`
    }
    const [over] = left
    return over === undefined ? undefined : (wrongValue ?? `${path}.${show(over[0])}: not defined`)
  }
}

const show = (key: Item): string => (typeof key === 'bigint' || typeof key === 'string' ? `${key}` : '?')

import { readFileSync } from 'node:fs'
import { decodeItem, type Item } from './cddl/decode.ts'
import { Matcher, type Mismatch } from './cddl/match.ts'
import { parseRules } from './cddl/parse.ts'
import { reachableFrom, validateRules } from './cddl/validate.ts'

/**
 * A small interpreter of CDDL (RFC 8610): the part that shared/evidence/keepseal.cddl uses. What it does not know it
 * refuses to load, so that no rule is ever passed over.
 */
export interface Cddl {
  readonly names: readonly string[]
  /** The rules that `rule` leads to, itself included. */
  reachable(rule: string): ReadonlySet<string>
  /** Undefined if `bytes` are deterministic CBOR of the type `rule`, otherwise where and why they are not. */
  check(rule: string, bytes: Uint8Array): Mismatch
}

/** Throws Error for CDDL that is wrong or beyond what is implemented. */
export function loadCddl(text: string): Cddl {
  const rules = parseRules(text)
  validateRules(rules)
  const matcher = new Matcher(rules)
  return {
    names: [...rules.keys()],
    reachable: (rule) => reachableFrom(rule, rules),
    check: (name, bytes) => {
      const rule = rules.get(name)
      if (rule === undefined || rule.parameters.length > 0) throw new Error(`no CDDL rule ${name} without parameters`)
      let item: Item
      try {
        item = decodeItem(bytes)
      } catch (error) {
        return `${name}: no deterministic CBOR: ${String(error)}`
      }
      return matcher.match(rule.type, item, name)
    },
  }
}

const WIRE_FORMAT = new URL('../../shared/evidence/keepseal.cddl', import.meta.url)

export const wireFormatText = (): string => readFileSync(WIRE_FORMAT, 'utf8')

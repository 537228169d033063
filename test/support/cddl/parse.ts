import { tokensOf, type Token, type TokenKind } from './lexer.ts'

/** A type of CDDL (RFC 8610 section 3). */
export type Type =
  | { readonly kind: 'choice'; readonly of: readonly Type[] }
  | { readonly kind: 'name'; readonly name: string; readonly arguments: readonly Type[] }
  | { readonly kind: 'literal'; readonly value: bigint | string }
  | { readonly kind: 'range'; readonly low: bigint; readonly high: bigint }
  | { readonly kind: 'control'; readonly operator: string; readonly target: Type; readonly argument: Type }
  | { readonly kind: 'tag'; readonly tag: bigint; readonly content: Type }
  | { readonly kind: 'array' | 'map'; readonly entries: readonly Entry[] }

/** `key` is undefined in arrays, where a name before the colon is nothing but documentation. */
export interface Entry {
  readonly least: number
  readonly most: number
  readonly key: Type | undefined
  readonly value: Type
}

export interface Rule {
  readonly name: string
  readonly parameters: readonly string[]
  readonly type: Type
}

/** Throws Error for anything beyond the part of CDDL that is written here. */
export function parseRules(text: string): ReadonlyMap<string, Rule> {
  const parser = new Parser(tokensOf(text))
  const rules = new Map<string, Rule>()
  while (!parser.atEnd) {
    const rule = parser.rule()
    if (rules.has(rule.name)) throw new Error(`CDDL: ${rule.name} is defined twice`)
    rules.set(rule.name, rule)
  }
  return rules
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get atEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  rule(): Rule {
    const name = this.#take('name').text
    const parameters = this.#isNext('<') ? this.#list('<', '>', () => this.#take('name').text) : []
    this.#expect('=')
    return { name, parameters, type: this.#type() }
  }

  #isNext(text: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead]
    return token?.kind === 'sign' && token.text === text
  }

  #fail(wanted: string): never {
    const token = this.#tokens[this.#at]
    throw new Error(`CDDL line ${token?.line ?? 'last'}: ${wanted} wanted, ${token?.text ?? 'the end'} found`)
  }

  #take(kind: TokenKind): Token {
    const token = this.#tokens[this.#at]
    if (token?.kind !== kind) return this.#fail(kind)
    this.#at++
    return token
  }

  #expect(sign: string): void {
    if (!this.#isNext(sign)) this.#fail(sign)
    this.#at++
  }

  #accept(sign: string): boolean {
    if (!this.#isNext(sign)) return false
    this.#at++
    return true
  }

  /** Items between `open` and `close`, with commas between them and perhaps after the last. */
  #list<T>(open: string, close: string, item: () => T): T[] {
    const items: T[] = []
    this.#expect(open)
    while (!this.#accept(close)) {
      items.push(item())
      if (!this.#isNext(close)) this.#expect(',')
    }
    return items
  }

  #type(first = this.#operand()): Type {
    const of = [first]
    while (this.#accept('/')) of.push(this.#operand())
    return of.length === 1 ? first : { kind: 'choice', of }
  }

  #operand(): Type {
    const target = this.#primary()
    if (this.#accept('..')) return rangeOf(target, this.#primary())
    if (this.#tokens[this.#at]?.kind !== 'control') return target
    const operator = this.#take('control').text
    return { kind: 'control', operator, target, argument: this.#primary() }
  }

  #primary(): Type {
    const token = this.#tokens[this.#at]
    switch (token?.kind) {
      case 'integer':
        return { kind: 'literal', value: BigInt(this.#take('integer').text) }
      case 'text':
        return { kind: 'literal', value: this.#take('text').text.slice(1, -1) }
      case 'tag': {
        const tag = BigInt(this.#take('tag').text.slice('#6.'.length))
        return { kind: 'tag', tag, content: this.#parenthesized() }
      }
      case 'name': {
        const { text: name } = this.#take('name')
        return { kind: 'name', name, arguments: this.#isNext('<') ? this.#list('<', '>', () => this.#type()) : [] }
      }
      default:
        break
    }
    if (this.#isNext('(')) return this.#parenthesized()
    if (this.#isNext('[')) return { kind: 'array', entries: this.#list('[', ']', () => this.#entry(false)) }
    if (this.#isNext('{')) return { kind: 'map', entries: this.#list('{', '}', () => this.#entry(true)) }
    return this.#fail('a type')
  }

  #parenthesized(): Type {
    this.#expect('(')
    const type = this.#type()
    this.#expect(')')
    return type
  }

  #entry(inMap: boolean): Entry {
    const occurrence = this.#tokens[this.#at]?.kind === 'occurrence' ? this.#take('occurrence').text : ''
    const bounds = boundsOf(occurrence)
    if (this.#isNext(':', 1)) {
      // In a map, `name: type` would be a text as key. No rule here means that, so it is more likely a slip.
      if (inMap) this.#fail('=>')
      this.#take('name')
      this.#expect(':')
      return { ...bounds, key: undefined, value: this.#type() }
    }
    const first = this.#operand()
    if (!inMap) return { ...bounds, key: undefined, value: this.#type(first) }
    this.#expect('=>')
    return { ...bounds, key: first, value: this.#type() }
  }
}

function rangeOf(low: Type, high: Type): Type {
  if (low.kind !== 'literal' || high.kind !== 'literal') throw new Error('CDDL: a range of something else than numbers')
  if (typeof low.value !== 'bigint' || typeof high.value !== 'bigint') throw new Error('CDDL: a range of texts')
  return { kind: 'range', low: low.value, high: high.value }
}

function boundsOf(occurrence: string): { least: number; most: number } {
  if (occurrence === '') return { least: 1, most: 1 }
  if (occurrence === '?') return { least: 0, most: 1 }
  if (occurrence === '+') return { least: 1, most: Infinity }
  const [least = '', most = ''] = occurrence.split('*')
  return { least: Number(least), most: most === '' ? Infinity : Number(most) }
}

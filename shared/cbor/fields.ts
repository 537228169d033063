import type { OutcomeCode } from '../codes/outcomes.ts'
import { OutcomeError } from '../errors.ts'
import { CborTag, type CborKey, type CborMap, type CborValue } from './value.ts'

/** Bounds of a size in bytes, characters or items. `length` fixes it. */
export type SizeBounds = { readonly length: number } | { readonly min?: number; readonly max?: number }

/** Bounds of an integer, both inclusive. */
export interface RangeBounds {
  readonly min?: number
  readonly max?: number
}

/**
 * A decoded item on its way into a typed structure: it knows where it stands and under which code the message is
 * refused if it is not what the reader wants. Every accessor either returns the wanted type or throws
 * OutcomeError(code), whose detail names the path (`claims.eat_nonce: 32 bytes wanted, 8 found`).
 *
 *     const [claims, tpm] = field(decodeCbor(bytes), 'claims.malformed', 'evidence').tuple('claims', 'tpm')
 */
export class CborField {
  readonly value: CborValue
  readonly #code: OutcomeCode
  readonly #name: string
  readonly #parent: CborField | undefined

  constructor(value: CborValue, code: OutcomeCode, name: string, parent?: CborField) {
    this.value = value
    this.#code = code
    this.#name = name
    this.#parent = parent
  }

  get path(): string {
    return this.#parent === undefined ? this.#name : `${this.#parent.path}.${this.#name}`
  }

  /** Refuses the message because of this field. Also for the caller's own rules. */
  refuse(reason: string): never {
    throw new OutcomeError(this.#code, `${this.path}: ${reason}`)
  }

  #wrong(wanted: string): never {
    const found = this.value === null ? 'null' : typeof this.value === 'object' ? kind(this.value) : typeof this.value
    return this.refuse(`${wanted} wanted, ${found} found`)
  }

  #sized(size: number, unit: string, bounds: SizeBounds): void {
    const min = 'length' in bounds ? bounds.length : (bounds.min ?? 0)
    const max = 'length' in bounds ? bounds.length : (bounds.max ?? Infinity)
    if (size >= min && size <= max) return
    const wanted = min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`
    this.refuse(`${wanted} ${unit} wanted, ${size} found`)
  }

  bytes(bounds: SizeBounds): Uint8Array {
    if (!(this.value instanceof Uint8Array)) return this.#wrong('byte string')
    this.#sized(this.value.length, 'bytes', bounds)
    return this.value
  }

  /** Bounds count UTF-16 code units, as JavaScript does. */
  text(bounds: SizeBounds): string {
    if (typeof this.value !== 'string') return this.#wrong('text')
    this.#sized(this.value.length, 'characters', bounds)
    return this.value
  }

  /** A text that is one of `values`. */
  oneOf<const T extends string>(values: readonly T[]): T {
    return values.find((value) => value === this.value) ?? this.#wrong(`one of ${values.join(', ')}`)
  }

  boolean(): boolean {
    return typeof this.value === 'boolean' ? this.value : this.#wrong('boolean')
  }

  /** A safe integer of either sign. */
  integer(bounds: RangeBounds = {}): number {
    if (typeof this.value !== 'number') return this.#wrong('integer')
    const { min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = bounds
    if (this.value < min || this.value > max) this.refuse(`${min} to ${max} wanted, ${this.value} found`)
    return this.value
  }

  /** A safe integer that is not negative. */
  uint(bounds: RangeBounds = {}): number {
    const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds
    return this.integer({ min: Math.max(min, 0), max })
  }

  /** Any unsigned integer of 64 bits. */
  uint64(): bigint {
    if (typeof this.value !== 'number' && typeof this.value !== 'bigint') return this.#wrong('integer')
    if (this.value < 0) this.refuse('unsigned integer wanted')
    return BigInt(this.value)
  }

  /** The content of an item under `tag`. */
  tagged(tag: number): CborField {
    if (!(this.value instanceof CborTag) || this.value.tag !== tag) return this.#wrong(`tag ${tag}`)
    return new CborField(this.value.value, this.#code, this.#name, this.#parent)
  }

  /** The items of an array. */
  array(bounds: SizeBounds): CborField[] {
    const items = this.value
    if (!isArray(items)) return this.#wrong('array')
    this.#sized(items.length, 'items', bounds)
    return items.map((item, index) => new CborField(item, this.#code, `${index}`, this))
  }

  /** The items of an array of fixed length, one for each name. */
  tuple<const T extends readonly string[]>(...names: T): { [K in keyof T]: CborField } {
    const items = this.value
    if (!isArray(items)) return this.#wrong('array')
    this.#sized(items.length, 'items', { length: names.length })
    return items.map((item, index) => new CborField(item, this.#code, names[index] ?? `${index}`, this)) as {
      [K in keyof T]: CborField
    }
  }

  map(): CborMap {
    return this.value instanceof Map ? (this.value as CborMap) : this.#wrong('map')
  }

  /** The entries of a map whose keys are data. */
  entries(bounds: SizeBounds): [CborKey, CborField][] {
    const map = this.map()
    this.#sized(map.size, 'entries', bounds)
    return [...map].map(([key, item]) => [key, new CborField(item, this.#code, `${key}`, this)])
  }

  /** The value under `key`; `name` says in the detail what the key means. */
  at(key: CborKey, name: string = `${key}`): CborField {
    return this.maybe(key, name) ?? this.refuse(`${name} (${key}) is missing`)
  }

  /** The value under `key`, if there is one. A null is a value. */
  maybe(key: CborKey, name: string = `${key}`): CborField | undefined {
    const item = this.map().get(key)
    return item === undefined ? undefined : new CborField(item, this.#code, name, this)
  }

  /** Refuses a map with any other key than these. */
  requireOnly(keys: readonly CborKey[]): this {
    for (const key of this.map().keys()) if (!keys.includes(key)) this.refuse(`key ${key} is not known`)
    return this
  }

  /** This field, or null where the wire says null. */
  nullable(): CborField | null {
    return this.value === null ? null : this
  }
}

/** Begins to read a decoded message. `name` begins every path, `code` is what a malformed one is refused with. */
export const field = (value: CborValue, code: OutcomeCode, name: string): CborField => new CborField(value, code, name)

const isArray = (value: CborValue): value is readonly CborValue[] => Array.isArray(value)

function kind(value: object): string {
  if (value instanceof Uint8Array) return 'byte string'
  if (value instanceof CborTag) return `tag ${value.tag}`
  return Array.isArray(value) ? 'array' : 'map'
}

import { KeepsealError } from '../../../shared/errors.ts'
import { CorimTag, type CorimItem } from './cbor.ts'

/** An item of a CoRIM with its place in it: whatever is not as expected is refused, and the place is named. */
export class Item {
  readonly value: CorimItem
  readonly path: string

  constructor(value: CorimItem, path: string) {
    this.value = value
    this.path = path
  }

  refuse(reason: string): never {
    throw new KeepsealError('release.invalid', `CoRIM, ${this.path}: ${reason}`, {
      remedy: 'docs/releases.md tells which part of a CoRIM can be imported. Nothing of it is left out silently.',
    })
  }

  tagged(tag: number): Item {
    if (!(this.value instanceof CorimTag) || this.value.tag !== tag) return this.refuse(`tag ${tag} wanted`)
    return new Item(this.value.value, this.path)
  }

  text(): string {
    return typeof this.value === 'string' ? this.value : this.refuse('text wanted')
  }

  uint(max: number): number {
    const { value } = this
    return typeof value === 'number' && value >= 0 && value <= max ? value : this.refuse(`0 to ${max} wanted`)
  }

  bytes(): Uint8Array {
    return this.value instanceof Uint8Array ? this.value : this.refuse('bytes wanted')
  }

  list(): readonly Item[] {
    const { value } = this
    if (!Array.isArray(value)) return this.refuse('an array wanted')
    if (value.length === 0) this.refuse('an empty array')
    return (value as readonly CorimItem[]).map((each, index) => new Item(each, `${this.path}[${index}]`))
  }

  /** A map of these keys alone, by their names. */
  map<const K extends Readonly<Record<string, number>>>(keys: K): { readonly [N in keyof K]?: Item } {
    const { value } = this
    if (!(value instanceof Map)) return this.refuse('a map wanted')
    const names = new Map(Object.entries(keys).map(([name, key]) => [key, name]))
    const fields: Record<string, Item> = {}
    for (const [key, each] of value as ReadonlyMap<number | string, CorimItem>) {
      const name = typeof key === 'number' ? names.get(key) : undefined
      if (name === undefined) return this.refuse(`the key ${String(key)} is not understood`)
      fields[name] = new Item(each, `${this.path}.${name}`)
    }
    return fields as { readonly [N in keyof K]?: Item }
  }

  /** Entries of a map whose keys are not fixed. */
  entries(): readonly (readonly [key: number | string, value: Item])[] {
    const { value } = this
    if (!(value instanceof Map)) return this.refuse('a map wanted')
    return [...(value as ReadonlyMap<number | string, CorimItem>)].map(
      ([key, each]) => [key, new Item(each, `${this.path}.${String(key)}`)] as const,
    )
  }
}

import * as v from 'valibot'
import { isPrintable } from '../text/printable.ts'

/** What a value may be: in a TOML file as its own type, in the environment and in flags as text. */
export interface ValueType<T> {
  readonly schema: v.GenericSchema<unknown, T>
  /** Completes the sentence "must be ...". Messages say this and never repeat the value: it may be a misplaced secret. */
  readonly requirement: string
  /** Reads the text form. Text that has no such form is handed back as it is, for the schema to refuse. */
  readonly fromText: (text: string) => unknown
  /** All that it may be, where that is a closed list; with `isList` some of them, separated by commas. */
  readonly words?: readonly string[]
  readonly isList?: true
}

const asWritten = (text: string): unknown => text

function checkedText(requirement: string, accepts: (text: string) => boolean): ValueType<string> {
  return { schema: v.pipe(v.string(), v.check(accepts)), requirement, fromText: asWritten }
}

/** One line of at most `maxLength` printable characters; may be empty. */
export function text(maxLength = 256): ValueType<string> {
  return checkedText(
    `text of at most ${maxLength} printable characters`,
    (value) => value.length <= maxLength && isPrintable(value),
  )
}

/** An absolute path. */
export function path(): ValueType<string> {
  return checkedText('an absolute path', isAbsolutePath)
}

/** An absolute path, or empty for none. */
export function optionalPath(): ValueType<string> {
  return checkedText('an absolute path or empty', (value) => value === '' || isAbsolutePath(value))
}

function isAbsolutePath(value: string): boolean {
  return value.startsWith('/') && value.length <= 4096 && isPrintable(value)
}

/** A host name or address to listen on. */
export function host(): ValueType<string> {
  return checkedText('a host name or an IP address', (value) => /^[A-Za-z0-9.:_-]{1,253}$/.test(value))
}

/** A host name or address to connect to, or the directory of a server's socket on this machine. */
export function hostOrSocketDirectory(): ValueType<string> {
  return checkedText(
    'a host name, an IP address or an absolute path',
    (value) => isAbsolutePath(value) || /^[A-Za-z0-9.:_-]{1,253}$/.test(value),
  )
}

/** One of a closed list of words. */
export function choice<const Words extends readonly string[]>(words: Words): ValueType<Words[number]> {
  return { schema: v.picklist(words), requirement: `one of ${words.join(', ')}`, fromText: asWritten, words }
}

export function boolean(): ValueType<boolean> {
  const words = new Map<string, boolean>([
    ['true', true],
    ['false', false],
  ])
  return {
    schema: v.boolean(),
    requirement: 'true or false',
    fromText: (text) => words.get(text) ?? text,
    words: [...words.keys()],
  }
}

/** A whole number within bounds. Durations are in seconds and sizes in bytes, as the name of the option says. */
export function integer(minimum: number, maximum: number): ValueType<number> {
  return {
    schema: v.pipe(v.number(), v.safeInteger(), v.minValue(minimum), v.maxValue(maximum)),
    requirement: `a whole number from ${minimum} to ${maximum}`,
    fromText: (text) => (/^-?[0-9]{1,16}$/.test(text) ? Number(text) : text),
  }
}

/** A TCP port; 0 lets the system choose one. */
export function port(): ValueType<number> {
  return integer(0, 65535)
}

/** A list of distinct numbers in ascending order, as text separated by commas. */
export function integerList(requirement: string, accepts: (item: number) => boolean): ValueType<readonly number[]> {
  const ascending = (items: number[]): boolean =>
    items.every((item, index) => index === 0 || item > (items[index - 1] ?? item))
  return {
    schema: v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.check(accepts))), v.minLength(1), v.check(ascending)),
    requirement,
    fromText: (text) => {
      const items = text.split(',').map((item) => item.trim())
      return items.every((item) => /^[0-9]{1,10}$/.test(item)) ? items.map(Number) : text
    },
  }
}

/** Some words of a closed list, each once, as text separated by commas. */
export function someOf<const Words extends readonly string[]>(words: Words): ValueType<readonly Words[number][]> {
  const once = (items: Words[number][]): boolean => new Set(items).size === items.length
  return {
    schema: v.pipe(v.array(v.picklist(words)), v.minLength(1), v.check(once)) as v.GenericSchema<
      unknown,
      readonly Words[number][]
    >,
    requirement: `some of ${words.join(', ')}, each once`,
    fromText: (text) => text.split(',').map((item) => item.trim()),
    words,
    isList: true,
  }
}

import type { ValueType } from '../../config/value-types.ts'
import type { Command } from '../command.ts'
import { allOptions } from '../parse.ts'
import type { Program } from '../program.ts'

/** What a shell can offer for a value: nothing for one that is free, as are ids, numbers and texts. */
export type Offer =
  | { readonly kind: 'switch' }
  | { readonly kind: 'free' }
  | { readonly kind: 'file' }
  | { readonly kind: 'directory' }
  | { readonly kind: 'words' | 'list'; readonly words: readonly string[] }

export interface CompletedOption {
  /** `--limit`. */
  readonly flag: string
  readonly description: string
  readonly placeholder: string
  readonly offer: Offer
  readonly isRepeatable: boolean
}

export interface CompletedArgument {
  readonly name: string
  readonly offer: Offer
  readonly isRepeatable: boolean
}

export interface CompletedCommand {
  /** `device list`. */
  readonly path: string
  readonly options: readonly CompletedOption[]
  readonly arguments: readonly CompletedArgument[]
}

export interface NextWord {
  readonly word: string
  readonly description: string
}

/** All that a shell completes of a program, made from its table of commands. */
export interface Completion {
  readonly program: string
  /** The words that can follow those of a path; `''` is the path of the program itself. */
  readonly next: ReadonlyMap<string, readonly NextWord[]>
  readonly commands: readonly CompletedCommand[]
}

/** What every program knows besides its commands. */
const OWN_WORDS: readonly NextWord[] = [
  { word: 'help', description: 'Show the help of a command' },
  { word: 'version', description: 'Show the version' },
]

export function completionOf(program: Program): Completion {
  return { program: program.name, next: nextWords(program.commands), commands: program.commands.map(completed) }
}

function nextWords(commands: readonly Command[]): ReadonlyMap<string, readonly NextWord[]> {
  const next = new Map<string, NextWord[]>()
  const add = (path: string, word: string, description: string): void => {
    const known = next.get(path) ?? []
    const earlier = known.find((each) => each.word === word)
    if (earlier === undefined) next.set(path, [...known, { word, description }])
    else
      next.set(path, known.with(known.indexOf(earlier), { word, description: both(earlier.description, description) }))
  }
  for (const { name, summary } of commands) {
    const words = name.split(' ')
    for (const [index, word] of words.entries()) {
      const rest = words.slice(index + 1).join(' ')
      add(words.slice(0, index).join(' '), word, rest === '' ? summary : rest)
    }
  }
  next.set('', [...(next.get('') ?? []), ...OWN_WORDS])
  return next
}

/** A group is described by its verbs. */
const both = (before: string, more: string): string => `${before}, ${more}`

function completed(command: Command): CompletedCommand {
  return {
    path: command.name,
    options: Object.entries(allOptions(command)).map(([name, option]) => ({
      flag: `--${name}`,
      description: option.description,
      placeholder: option.placeholder ?? 'VALUE',
      offer: option.value === undefined ? { kind: 'switch' } : offerOf(option.value, option.placeholder),
      isRepeatable: option.multiple === true,
    })),
    arguments: Object.entries(command.arguments).map(([name, argument]) => ({
      name: name.toUpperCase(),
      offer: offerOf(argument.value, PATHS.get(name)),
      isRepeatable: argument.multiple === true,
    })),
  }
}

/** Names of arguments that are paths, as placeholders of options say it. */
const PATHS: ReadonlyMap<string, string> = new Map([
  ['file', 'FILE'],
  ['directory', 'DIR'],
])

function offerOf(type: ValueType<unknown> | undefined, placeholder: string | undefined): Offer {
  if (type?.words !== undefined) return { kind: type.isList === true ? 'list' : 'words', words: type.words }
  if (placeholder === 'FILE') return { kind: 'file' }
  return placeholder === 'DIR' ? { kind: 'directory' } : { kind: 'free' }
}

/** An offer as the scripts for bash and fish name it: its kind, and its words. */
export function offerText(offer: Offer): string {
  return 'words' in offer ? [offer.kind, ...offer.words].join(' ') : offer.kind
}

/** What a flag takes: for most commands, and for those where it is something else. */
export interface FlagOffer {
  readonly flag: string
  readonly usual: string
  readonly exceptions: readonly { readonly offer: string; readonly paths: readonly string[] }[]
}

/** Every flag once. The same name means the same nearly everywhere, so that scripts stay small. */
export function flagOffers({ commands }: Completion): FlagOffer[] {
  const paths = new Map<string, Map<string, string[]>>()
  for (const { path, options } of commands) {
    for (const { flag, offer } of options) {
      const offers = paths.get(flag) ?? new Map<string, string[]>()
      const text = offerText(offer)
      offers.set(text, [...(offers.get(text) ?? []), path])
      paths.set(flag, offers)
    }
  }
  return [...paths].map(([flag, offers]) => {
    const [usual, ...rest] = [...offers].sort(([, a], [, b]) => b.length - a.length)
    return {
      flag,
      usual: usual?.[0] ?? 'free',
      exceptions: rest.map(([offer, each]) => ({ offer, paths: each })),
    }
  })
}

/** Flags that take the same everywhere, together; the others each by itself. */
export function flagGroups(completion: Completion): {
  readonly same: ReadonlyMap<string, readonly string[]>
  readonly apart: readonly FlagOffer[]
} {
  const same = new Map<string, string[]>()
  const apart: FlagOffer[] = []
  for (const each of flagOffers(completion)) {
    if (each.exceptions.length > 0) apart.push(each)
    else same.set(each.usual, [...(same.get(each.usual) ?? []), each.flag])
  }
  return { same, apart }
}

/** The names of functions of a shell are made of letters, digits and underscores here. */
export const functionName = (program: string): string => `_${program.replaceAll('-', '_')}`

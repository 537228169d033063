import type { AptOverride } from '../../../shared/posture/sections/update-channel.ts'
import { printable } from '../text.ts'

/** Watched settings by lower-case full name. Later ones replace earlier ones, as apt reads its files. */
export type AptSettings = Map<string, string>

/** Settings that decide whether packages without a valid signature are taken: apt.conf(5), apt-secure(8). */
const WATCHED: readonly string[] = [
  'Acquire::AllowInsecureRepositories',
  'Acquire::AllowWeakRepositories',
  'Acquire::AllowDowngradeToInsecureRepositories',
  'Acquire::Check-Valid-Until',
  'Acquire::Check-Date',
  'APT::Get::AllowUnauthenticated',
]
/** apt-transport-https(1); also for one host: `Acquire::https::host::Verify-Peer`. */
const WATCHED_PATTERN = /^acquire::https(?:::.+)?::verify-(?:peer|host)$/

const MAX_DEPTH = 32

const WATCHED_NAMES: ReadonlySet<string> = new Set(WATCHED.map((name) => name.toLowerCase()))
const isWatched = (name: string): boolean => WATCHED_NAMES.has(name) || WATCHED_PATTERN.test(name)

/** The watched ones among the settings. Those that are not set are as apt's authors chose. */
export function watchedOverrides(settings: AptSettings): AptOverride[] {
  const overrides: AptOverride[] = []
  for (const name of WATCHED) {
    const value = settings.get(name.toLowerCase())
    if (value !== undefined) overrides.push({ name, value: printable(value, 256) })
  }
  for (const [name, value] of settings) {
    if (WATCHED_PATTERN.test(name)) overrides.push({ name: printable(name, 256), value: printable(value, 256) })
  }
  return overrides
}

/**
 * Adds one file of apt.conf(5) to the settings: `Name value;`, `Name { … };`, comments, `#clear`. Returns how many
 * statements could not be followed, `#include` among them.
 */
export function parseAptConfiguration(text: string, settings: AptSettings): number {
  const scopes: string[] = []
  let words: string[] = []
  let malformed = 0
  for (const token of tokens(text)) {
    if (token.kind === 'word') words.push(token.text)
    else if (token.kind === 'unclosed') malformed += 1
    else if (token.kind === 'open') {
      if (scopes.length >= MAX_DEPTH) return malformed + 1
      if (words.length > 1) malformed += 1
      scopes.push(words[0] ?? '')
      words = []
    } else {
      if (!applyStatement(words, scopes, settings)) malformed += 1
      words = []
      if (token.kind === 'close' && scopes.pop() === undefined) malformed += 1
    }
  }
  return malformed + (scopes.length > 0 || words.length > 0 ? 1 : 0)
}

function applyStatement(words: readonly string[], scopes: readonly string[], settings: AptSettings): boolean {
  const [name, ...values] = words
  // A lone word is the entry of a list, none of which is watched; no word at all follows a closing brace.
  if (name === undefined) return true
  if (name === '#clear') {
    for (const cleared of values) clear(cleared.toLowerCase(), settings)
    return true
  }
  if (name.startsWith('#') || values.length > 1) return false
  const [value] = values
  const fullName = [...scopes, name].join('::').toLowerCase()
  if (value !== undefined && isWatched(fullName)) settings.set(fullName, value)
  return true
}

function clear(name: string, settings: AptSettings): void {
  for (const known of settings.keys()) if (known === name || known.startsWith(`${name}::`)) settings.delete(known)
}

type Token = { kind: 'word'; text: string } | { kind: 'open' | 'close' | 'end' | 'unclosed' }

/** Comments, which may lack their end; punctuation; plain words. */
const TOKEN = /\/\/[^\n]*|\/\*[^]*?(?:\*\/|$)|#(?!(?:clear|include)\s)[^\n]*|[{};"]|(?:(?!\/\/|\/\*)[^\s{};"])+/g

function* tokens(text: string): Generator<Token> {
  const pattern = new RegExp(TOKEN)
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const [token] = match
    if (token === '{') yield { kind: 'open' }
    else if (token === '}') yield { kind: 'close' }
    else if (token === ';') yield { kind: 'end' }
    else if (token === '"') {
      const end = text.indexOf('"', pattern.lastIndex)
      if (end < 0) return yield { kind: 'unclosed' }
      yield { kind: 'word', text: text.slice(pattern.lastIndex, end) }
      pattern.lastIndex = end + 1
    } else if (token.startsWith('/*')) {
      if (!token.endsWith('*/') || token.length < 4) return yield { kind: 'unclosed' }
    } else if (token === '#clear' || token === '#include' || !/^(?:\/\/|#)/.test(token)) {
      yield { kind: 'word', text: token }
    }
  }
}

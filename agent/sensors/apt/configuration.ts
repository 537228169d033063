import type { ChannelSetting, SettingEffect } from '../../../shared/posture/sections/update-channel.ts'
import { redactAddress } from '../update-channel/address.ts'
import { cut, setting } from '../update-channel/manager.ts'
import { optionValue } from './source.ts'

/**
 * Watched settings by lower-case full name. Later ones replace earlier ones, as apt reads its files. An entry of a
 * list has a number behind the list's name.
 */
export type AptSettings = Map<string, string>

/**
 * Settings that decide what is taken, with the value that weakens it and what that does: apt.conf(5),
 * apt-secure(8), apt-transport-https(1).
 */
const CHECKS: Readonly<Record<string, readonly ['yes' | 'no', SettingEffect]>> = {
  'Acquire::AllowInsecureRepositories': ['yes', 'unsigned'],
  'Acquire::AllowWeakRepositories': ['yes', 'weakens'],
  'Acquire::AllowDowngradeToInsecureRepositories': ['yes', 'unsigned'],
  'Acquire::Check-Valid-Until': ['no', 'weakens'],
  'Acquire::Check-Date': ['no', 'weakens'],
  'APT::Get::AllowUnauthenticated': ['yes', 'unsigned'],
}
const CHECK_NAMES: ReadonlyMap<string, string> = new Map(Object.keys(CHECKS).map((name) => [name.toLowerCase(), name]))
/** Also for one host: `Acquire::https::host::Verify-Peer`. */
const VERIFY = /^acquire::https(?:::.+)?::verify-(?:peer|host)$/
/** Through whom it is fetched, also for one host; a command that answers the question is one too. */
const PROXY = /^acquire::(?:https?|ftp|socks5h)::(?:.+::)?proxy(?:-auto-detect)?$|^acquire::(?:https?|ftp)::proxy::.+$/
/** Where apt looks for all that is read here, and for the programs that check signatures; what those are told to take. */
const DIRECTORIES = /^dir::(?:etc|bin)(?:::|$)|^dir$|^dir::state(?:::lists)?$|^apt::(?:key|hashes)::/
const AUTOMATIC = /^apt::periodic::|^unattended-upgrade::(?:allowed-origins|origins-pattern)::\d+$/

/** Settings can be for one program alone: `Binary::apt-get::…`, apt.conf(5). */
const plainName = (name: string): string => name.replace(/^binary::[^:]+::/, '')

const isWatched = (name: string): boolean => {
  const plain = plainName(name)
  return [VERIFY, PROXY, DIRECTORIES, AUTOMATIC].some((pattern) => pattern.test(plain)) || CHECK_NAMES.has(plain)
}

const MAX_DEPTH = 32

/** Those that bear on what is accepted and from where. What is not set is as apt's authors chose. */
export function watchedOverrides(settings: AptSettings): ChannelSetting[] {
  const overrides: ChannelSetting[] = []
  for (const [name, value] of settings) {
    const plain = plainName(name)
    const check = CHECK_NAMES.get(plain)
    if (check !== undefined) {
      const [weak, effect] = CHECKS[check] ?? ['yes', 'none']
      overrides.push(setting(plain === name ? check : name, value, optionValue(value) === weak ? effect : 'none'))
    } else if (VERIFY.test(plain))
      overrides.push(setting(name, value, optionValue(value) === 'no' ? 'weakens' : 'none'))
    else if (PROXY.test(plain)) overrides.push({ ...setting(name, ''), value: cut(redactAddress(value)) })
    else if (DIRECTORIES.test(plain)) overrides.push(setting(name, value))
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
  // No word at all follows a closing brace.
  if (name === undefined) return true
  if (name === '#clear') {
    for (const cleared of values) clear(cleared.toLowerCase(), settings)
    return true
  }
  if (name.startsWith('#') || values.length > 1) return false
  const [value] = values
  const fullName = [...scopes, name].join('::').toLowerCase()
  if (value === undefined) addEntry(scopes.join('::').toLowerCase(), name, settings)
  else if (fullName.endsWith('::')) addEntry(fullName.slice(0, -2), value, settings)
  else if (isWatched(fullName)) settings.set(fullName, value)
  return true
}

const MAX_ENTRIES = 256

/** A lone word in a scope, or a value for a name that ends in `::`, is the next entry of a list. */
function addEntry(list: string, value: string, settings: AptSettings): void {
  if (!isWatched(`${list}::0`)) return
  let index = 0
  while (index < MAX_ENTRIES && settings.has(`${list}::${index}`)) index += 1
  settings.set(`${list}::${index}`, value)
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

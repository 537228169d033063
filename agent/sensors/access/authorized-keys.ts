import type { Observation } from '../../../shared/posture/observation.ts'
import { digestOf, significantLines } from '../digest.ts'
import type { Host } from '../host.ts'
import type { PasswdEntry } from './passwd.ts'

const MAX_FILE_BYTES = 1024 * 1024
const MAX_FILES = 16

const KEY_TYPE = /^(?:ssh-|ecdsa-|sk-)/

/** The keys that open an account, over all the files in which the SSH server looks for them. */
export function readKeys(
  host: Host,
  account: Pick<PasswdEntry, 'name' | 'uid' | 'home'>,
  files: readonly string[],
): Observation<{ count: number; digest: string }> {
  const keys = new Set<string>()
  for (const pattern of files.slice(0, MAX_FILES)) {
    if (pattern === 'none') continue
    const file = host.readText(pathOf(pattern, account), MAX_FILE_BYTES)
    if (file.status === 'absent') continue
    if (file.status !== 'found') return { missing: file.status }
    for (const line of significantLines(file.value)) keys.add(canonicalKey(line))
  }
  if (files.length > MAX_FILES) return { missing: 'too-large' }
  if (keys.size === 0) return { missing: 'absent' }
  return { value: { count: keys.size, digest: digestOf([...keys].sort().join('\n')) } }
}

/** sshd_config(5), AuthorizedKeysFile: tokens, and relative to the home directory. */
function pathOf(pattern: string, { name, uid, home }: Pick<PasswdEntry, 'name' | 'uid' | 'home'>): string {
  const tokens: Readonly<Record<string, string>> = { '%%': '%', '%h': home, '%u': name, '%U': uid }
  const path = pattern.replace(/%./g, (token) => tokens[token] ?? token)
  return path.startsWith('/') ? path : `${home}/${path}`
}

/** Options, type and key; the comment behind them says nothing. */
export function canonicalKey(line: string): string {
  const words = wordsOf(line)
  const type = words.findIndex((word) => KEY_TYPE.test(word))
  return type < 0 ? line : words.slice(0, type + 2).join(' ')
}

/**
 * As sshd reads its options: blanks between quotation marks separate nothing, a backslash takes from a mark its meaning.
 * One pass and no pattern: whoever has an account writes this file, and root reads it.
 */
function wordsOf(line: string): string[] {
  const words: string[] = []
  let start = 0
  let quoted = false
  for (let at = 0; at <= line.length; at++) {
    const character = line[at]
    if (character === '\\' && line[at + 1] === '"') at += 1
    else if (character === '"') quoted = !quoted
    else if (character === undefined || (character === ' ' && !quoted)) {
      if (at > start) words.push(line.slice(start, at))
      start = at + 1
    }
  }
  return words
}

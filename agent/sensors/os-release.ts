import type { Observation } from '../../shared/posture/observation.ts'
import type { Host } from './host.ts'
import { observed } from './observe.ts'

/** In the order of os-release(5): the second is used only where the first is absent. */
export const OS_RELEASE = ['/etc/os-release', '/usr/lib/os-release'] as const
const MAX_OS_RELEASE_BYTES = 64 * 1024

export function readOsRelease(host: Host): Observation<ReadonlyMap<string, string>> {
  let file = host.readText(OS_RELEASE[0], MAX_OS_RELEASE_BYTES)
  if (file.status === 'absent') file = host.readText(OS_RELEASE[1], MAX_OS_RELEASE_BYTES)
  return observed(file, (text) => {
    const values = parseOsRelease(text)
    return values === undefined ? { missing: 'malformed' } : { value: values }
  })
}

/** The characters that a quoted value must escape, os-release(5). */
const ESCAPABLE = '$"\\`'

/**
 * Reads os-release(5): shell-like assignments, and nothing else of a shell. A later assignment replaces an earlier
 * one, as sourcing the file would do. Returns undefined if any line is not an assignment in this syntax: a shell
 * would see another file than we do.
 */
export function parseOsRelease(text: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    const equals = trimmed.indexOf('=')
    const name = trimmed.slice(0, Math.max(equals, 0))
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return undefined
    const value = unquote(trimmed.slice(equals + 1))
    if (value === undefined) return undefined
    values.set(name, value)
  }
  return values
}

function unquote(text: string): string | undefined {
  const quote = text.charAt(0)
  if (quote !== '"' && quote !== "'") return /^[^\s"'\\$`;&|<>()]*$/.test(text) ? text : undefined
  if (text.length < 2 || !text.endsWith(quote)) return undefined
  const inner = text.slice(1, -1)
  if (quote === "'") return inner.includes("'") ? undefined : inner
  let value = ''
  for (let i = 0; i < inner.length; i++) {
    const character = inner.charAt(i)
    if (character === '\\') {
      const next = inner.charAt(i + 1)
      if (next === '') return undefined
      // In double quotes a shell keeps a backslash that escapes nothing.
      value += ESCAPABLE.includes(next) ? next : `\\${next}`
      i += 1
    } else if (ESCAPABLE.includes(character)) return undefined
    else value += character
  }
  return value
}

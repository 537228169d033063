import { KeepsealError } from '../../../shared/errors.ts'

/**
 * What an event says, from the command line: `advisory=CVE-2026-1 exploited=true fixedIn=openssl>=3.0.17-1`. Whether
 * that is what its kind has to say, the collector checks. Error: usage.invalid.
 */
export function eventDetail(words: readonly string[]): Record<string, unknown> {
  const detail: Record<string, unknown> = {}
  for (const word of words) {
    const at = word.indexOf('=')
    const name = word.slice(0, at)
    if (at < 1 || !/^[A-Za-z]+$/.test(name)) throw new KeepsealError('usage.invalid', `not NAME=VALUE: ${word}`)
    if (Object.hasOwn(detail, name)) throw new KeepsealError('usage.invalid', `given twice: ${name}`)
    detail[name] = valueOf(name, word.slice(at + 1))
  }
  return detail
}

function valueOf(name: string, text: string): unknown {
  if (name === 'fixedIn') return fixOf(text)
  if (name === 'dueAt' || name === 'until') return /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text
  if (name === 'minutes' && /^\d{1,9}$/.test(text)) return Number(text)
  return text === 'true' ? true : text === 'false' ? false : text
}

function fixOf(text: string): unknown {
  const at = text.indexOf('>=')
  return at < 0 ? { release: text } : { package: text.slice(0, at), version: text.slice(at + 2) }
}

import { printableWord } from '../text.ts'

const REDACTED = '[redacted]'

/** The scheme: what fetches from this source (`https`, `file`, `mirror+http`, `cdrom`). */
export function transportOf(uri: string): string {
  const colon = uri.indexOf(':')
  return colon < 0 ? '(none)' : printableWord(uri.slice(0, colon).toLowerCase(), 32)
}

/**
 * A source's URI without what may be a secret: user information, queries, a port that is none, and a path up to an
 * `@`, where a password with a slash in it would end up. As for apt, the authority ends at the first slash and the
 * host begins after its last `@`: the host that is shown is the host that is asked.
 */
export function redactUri(uri: string): string {
  const match = /^([^:/]*:\/\/)([^/]*)(.*)$/s.exec(uri)
  if (match === null) return printableWord(uri, 512)
  const [, scheme = '', authority = '', path = ''] = match
  const at = authority.lastIndexOf('@')
  const user = at < 0 ? '' : `${REDACTED}@`
  return printableWord(`${scheme}${user}${redactHost(authority.slice(at + 1))}${redactPath(path)}`, 512)
}

function redactHost(text: string): string {
  const host = redactQuery(text)
  // Not the colons of an IPv6 address in brackets.
  const colon = host.indexOf(':', host.indexOf(']') + 1)
  return colon < 0 || /^\d*$/.test(host.slice(colon + 1)) ? host : `${host.slice(0, colon)}:${REDACTED}`
}

function redactPath(text: string): string {
  const path = redactQuery(text)
  const at = path.lastIndexOf('@')
  return at < 0 ? path : `/${REDACTED}${path.slice(at)}`
}

function redactQuery(text: string): string {
  const query = text.search(/[?#]/)
  return query < 0 ? text : `${text.slice(0, query + 1)}${REDACTED}`
}

import { printableWord } from '../text.ts'

const REDACTED = '[redacted]'

/** The scheme: what fetches from this source (`https`, `file`, `mirror+http`, `cdrom`). */
export function transportOf(uri: string): string {
  const colon = uri.indexOf(':')
  return colon < 0 ? '(none)' : printableWord(uri.slice(0, colon).toLowerCase(), 32)
}

/**
 * A source's URI without what may be a secret: user information, queries, and a path up to an `@`, where a password
 * with a slash in it would end up. As for apt, the authority ends at the first slash: the host that is shown is the
 * host that is asked.
 */
export function redactUri(uri: string): string {
  const match = /^([^:/]*:\/\/)([^/?#]*)([^?#]*)(.*)$/s.exec(uri)
  if (match === null) return printableWord(uri, 512)
  const [, scheme = '', authority = '', path = '', rest = ''] = match
  const at = authority.lastIndexOf('@')
  const host = authority.slice(at + 1)
  const port = /^(.*?):(?!\d*$)[^\]]*$/s.exec(host)
  const shownHost = port === null ? host : `${port[1] ?? ''}:${REDACTED}`
  const pathAt = path.lastIndexOf('@')
  return printableWord(
    [
      scheme,
      at < 0 ? '' : `${REDACTED}@`,
      shownHost,
      pathAt < 0 ? path : `/${REDACTED}${path.slice(pathAt)}`,
      rest === '' ? '' : `${rest.charAt(0)}${REDACTED}`,
    ].join(''),
    512,
  )
}

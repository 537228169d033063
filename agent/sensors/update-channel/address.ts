import { redactUri } from '../apt/uri.ts'

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/
const STAND_IN = 'x://'

/** A URI or, without a scheme, `[user@]host[:port][/path]`, without what may be a secret. A path stays as it is. */
export function redactAddress(text: string): string {
  if (text.startsWith('/') || text.includes('://') || (SCHEME.test(text) && !text.includes('@') && !/:\d/.test(text))) {
    return redactUri(text)
  }
  return redactUri(`${STAND_IN}${text}`).slice(STAND_IN.length)
}

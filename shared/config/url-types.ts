import * as v from 'valibot'
import { isPrintable } from '../text/printable.ts'
import type { ValueType } from './value-types.ts'

export interface UrlRules {
  /** With the colon, as URL.protocol has it: `https:`. */
  readonly schemes: readonly string[]
  /** Schemes without TLS, accepted only towards this machine itself. */
  readonly loopbackSchemes?: readonly string[]
  /** Words that stand in the place of a URL; '' makes it optional. */
  readonly words?: readonly string[]
}

/** A URL of a server: host and port, no credentials (they would be a secret in the open), no query, no fragment. */
export function serverUrl(rules: UrlRules): ValueType<string> {
  const { schemes, loopbackSchemes = [], words = [] } = rules
  const forms = [
    ...words.filter((word) => word !== '').map((word) => `"${word}"`),
    ...schemes.map((scheme) => `${scheme}//HOST:PORT`),
    ...loopbackSchemes.map((scheme) => `${scheme}//localhost:PORT`),
  ]
  const accepts = (value: string): boolean => words.includes(value) || isServerUrl(value, schemes, loopbackSchemes)
  return {
    schema: v.pipe(v.string(), v.check(accepts)),
    requirement: `${forms.join(' or ')}, without credentials${words.includes('') ? ', or empty' : ''}`,
    fromText: (text) => text,
  }
}

function isServerUrl(value: string, schemes: readonly string[], loopbackSchemes: readonly string[]): boolean {
  if (!isPrintable(value) || value.length > 2048 || !URL.canParse(value)) return false
  const url = new URL(value)
  if (url.username !== '' || url.password !== '' || /[?#@\s\\]/.test(value) || url.hostname === '') return false
  return schemes.includes(url.protocol) || (loopbackSchemes.includes(url.protocol) && isLoopbackHost(url.hostname))
}

/** True for names and addresses that cannot leave this machine, in the forms that URL.hostname gives them. */
export function isLoopbackHost(hostname: string): boolean {
  return /^(localhost|127(\.[0-9]{1,3}){3}|\[?::1\]?)$/.test(hostname)
}

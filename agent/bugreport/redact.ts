import { isIP } from 'node:net'

/** Digits of a UEID, RAND type and 16 bytes; serial numbers and digests of certificates look like it as well. */
const LONG_HEX = /\b[0-9a-f]{32,}\b/gi
const TOKEN = /\bks[ae]_[A-Za-z0-9_-]+/g
const PEM = /-----BEGIN [A-Z ]+-----[\s\S]*?(-----END [A-Z ]+-----|$)/g
const MAC_ADDRESS = /\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b/gi
const ADDRESS = /(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7})(?![\w.:]*\w)/gi
const URL_HOST = /\b(https?|mqtts?):\/\/(\[[^\]\s]*\]|[^\s/:"']+)/gi

/** They tell nothing of anybody. */
const ANYBODYS = new Set(['127.0.0.1', '::1', '0.0.0.0', '::', 'localhost', '[::1]'])

/**
 * Takes out of a text what tells who or where this device is, and every secret that could be in it. The same thing gets
 * the same name each time, so that who reads the report still sees what belongs together.
 */
export class Redactor {
  readonly #names = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  readonly #own: readonly (readonly [string, string])[]

  /** `own`: what this device in particular is called, as [what it is, its value]. */
  constructor(own: readonly (readonly [string, string])[]) {
    // The longest first: a serial number may be part of a host name.
    this.#own = own.filter(([, value]) => value.length > 2).toSorted(([, a], [, b]) => b.length - a.length)
  }

  /** How much of each kind was taken out. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  text(text: string): string {
    let result = text
      .replace(PEM, (found) => this.#name('pem', found))
      .replace(TOKEN, (found) => this.#name('token', found))
    result = result.replace(URL_HOST, (_, scheme: string, host: string) =>
      ANYBODYS.has(host.toLowerCase()) ? `${scheme}://${host}` : `${scheme}://${this.#name('host', host)}`,
    )
    for (const [kind, value] of this.#own) result = result.replaceAll(value, () => this.#name(kind, value))
    return result
      .replace(LONG_HEX, (found) => this.#name('identifier', found.toLowerCase()))
      .replace(MAC_ADDRESS, (found) => this.#name('mac', found.toLowerCase()))
      .replace(ADDRESS, (found) => (isIP(found) === 0 || ANYBODYS.has(found) ? found : this.#name('address', found)))
  }

  /** Of anything that JSON can hold, every text in it, keys included. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((each) => this.value(each))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [this.text(key), this.value(each)]))
  }

  #name(kind: string, found: string): string {
    const key = `${kind} ${found}`
    const known = this.#names.get(key)
    if (known !== undefined) return known
    const number = (this.#counts.get(kind) ?? 0) + 1
    this.#counts.set(kind, number)
    const name = `<${kind}-${number}>`
    this.#names.set(key, name)
    return name
  }
}

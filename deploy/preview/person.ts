import { randomBytes } from 'node:crypto'
import { hotp, totpStep } from '../../collector/access/totp.ts'
import { hmac } from '../../shared/crypto/node.ts'
import { fromBase32 } from './base32.ts'
import { askCollector } from './collector.ts'
import type { PreviewPorts } from './ports.ts'

const LOGIN = 'preview'

/** Who looks at a preview: an account like any other, whose password and codes are in the memory of this process alone. */
export class PreviewPerson {
  readonly #url: string
  readonly #password: string
  readonly #secret: Uint8Array
  #recoveryCodes: string[] = []
  #lastStep = 0

  private constructor(url: string, password: string, secret: Uint8Array) {
    this.#url = url
    this.#password = password
    this.#secret = secret
  }

  /** Invited anew at every start: what the one before knew is void. */
  static async invited(repository: string, ports: PreviewPorts, environment: Record<string, string>) {
    const ask = (...words: string[]) => askCollector<{ invitation: string }>(repository, environment, words)
    const made =
      ask('account', 'reset', LOGIN) ??
      ask('account', 'create', LOGIN, '--name', 'Preview of this machine', '--role', 'operator')
    if (made === undefined) throw new Error('no account could be made for the preview')
    const url = `http://localhost:${ports.plain}/api/v1`
    const { invitation } = made
    const { totpSecret } = (await post(`${url}/invitations/open`, { invitation })).body as { totpSecret: string }
    const person = new PreviewPerson(url, randomBytes(24).toString('base64url'), fromBase32(totpSecret))
    const taken = { invitation, password: person.#password, code: person.#code() }
    const { recoveryCodes } = (await post(`${url}/invitations/take-up`, taken)).body as { recoveryCodes: string[] }
    person.#recoveryCodes = [...recoveryCodes]
    return person
  }

  /** Each step is good once: the one before now first, and a recovery code when somebody is too quick for them. */
  #code(): string {
    const now = totpStep(Date.now())
    const step = Math.max(this.#lastStep + 1, now - 1)
    if (step > now + 1) return this.#recoveryCodes.shift() ?? ''
    this.#lastStep = step
    return hotp(hmac, this.#secret, step)
  }

  /** The cookie of a new session. */
  async logIn(): Promise<string> {
    const credentials = { login: LOGIN, password: this.#password, code: this.#code() }
    const { cookie } = await post(`${this.#url}/session`, credentials)
    if (cookie === null) throw new Error('the collector has opened no session')
    return cookie
  }
}

async function post(url: string, body: object): Promise<{ readonly body: unknown; readonly cookie: string | null }> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`the collector refused the preview's login: ${await answer.text()}`)
  return { body: await answer.json(), cookie: answer.headers.get('set-cookie') }
}

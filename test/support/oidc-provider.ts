import { generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Provider, type JWK } from 'oidc-provider'

type Claims = Record<string, unknown>

/** What comes out otherwise than the provider makes it: of its ID tokens, or of the whole answer of its token endpoint. */
export interface OidcTampering {
  readonly claims?: (claims: Claims) => Claims
  /** Signs with a key that the provider does not publish. */
  readonly foreignKey?: boolean
}

const CLIENT = { client_id: 'keepseal', client_secret: 'a secret for a test alone' }

const listening = async (server: Server): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
const closing = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

/** A real provider of OpenID Connect on loopback, which takes every password, with somebody in front of it who can tamper. */
export class TestOidcProvider {
  readonly client = CLIENT
  /** Groups by login. */
  readonly people = new Map<string, readonly string[]>()
  tampering: OidcTampering = {}
  /** Requests by path, for what is asked how often. */
  readonly requests: string[] = []
  issuer = ''
  readonly #redirectUri: string
  readonly #front: Server
  #inner: Server | undefined
  #innerPort = 0
  #key: KeyObject | undefined
  #kid = ''

  private constructor(redirectUri: string) {
    this.#redirectUri = redirectUri
    this.#front = createServer((incoming, outgoing) => this.#forward(incoming, outgoing))
  }

  static async start(redirectUri: string): Promise<TestOidcProvider> {
    const made = new TestOidcProvider(redirectUri)
    made.issuer = `http://127.0.0.1:${await listening(made.#front)}`
    await made.rotateKey()
    return made
  }

  /** From now on it knows another key alone, and has forgotten all logins. */
  async rotateKey(): Promise<void> {
    if (this.#inner !== undefined) await closing(this.#inner)
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    this.#kid = randomUUID()
    const jwk = { ...privateKey.export({ format: 'jwk' }), kid: this.#kid, use: 'sig', alg: 'ES256' } as JWK
    const provider = new Provider(this.issuer, {
      clients: [{ ...CLIENT, redirect_uris: [this.#redirectUri], id_token_signed_response_alg: 'ES256' }],
      jwks: { keys: [jwk] },
      cookies: { keys: ['for a test'] },
      claims: { openid: ['sub'], profile: ['name', 'groups'] },
      conformIdTokenClaims: false,
      pkce: { required: () => true },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, name: `${id} of a test`, groups: [...(this.people.get(id) ?? [])] }),
      }),
    })
    this.#inner = createServer(provider.callback())
    this.#innerPort = await listening(this.#inner)
  }

  async stop(): Promise<void> {
    await closing(this.#front)
    if (this.#inner !== undefined) await closing(this.#inner)
  }

  /** What a person with a browser does, from the address that the collector gave to the one that it is sent back to. */
  async logIn(address: string, login: string): Promise<URL> {
    const cookies = new Map<string, string>()
    let url = new URL(address)
    let form: Record<string, string> | undefined
    for (let step = 0; step < 12; step++) {
      if (!url.href.startsWith(this.issuer)) return url
      const response = await fetch(url, {
        method: form === undefined ? 'GET' : 'POST',
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
      })
      for (const line of response.headers.getSetCookie()) {
        const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=')
        if (value === '') cookies.delete(name)
        else cookies.set(name, value)
      }
      const to = response.headers.get('location')
      const page = await response.text()
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1]
      if (to === null && prompt === undefined) throw new Error(`the provider says ${response.status}: ${page}`)
      form =
        to !== null || prompt === undefined
          ? undefined
          : { prompt, ...(prompt === 'login' ? { login, password: 'x' } : {}) }
      url = to === null ? url : new URL(to, url)
    }
    throw new Error('the login has no end')
  }

  #forward(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method, url = '', headers } = incoming
    this.requests.push(url.split('?')[0] ?? '')
    const onward = request({ host: '127.0.0.1', port: this.#innerPort, method, path: url, headers }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => parts.push(part))
      answer.on('end', () => {
        const body = Buffer.concat(parts)
        const sent = url === '/token' && answer.statusCode === 200 ? this.#tampered(body) : body
        const { 'content-length': _, 'transfer-encoding': __, ...kept } = answer.headers
        outgoing.writeHead(answer.statusCode ?? 500, { ...kept, 'content-length': sent.length })
        outgoing.end(sent)
      })
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  }

  #tampered(body: Buffer): Buffer {
    const { claims = (same) => same, foreignKey = false } = this.tampering
    const answer = JSON.parse(body.toString()) as { id_token: string }
    const [, payload = ''] = answer.id_token.split('.')
    const said = claims(JSON.parse(Buffer.from(payload, 'base64url').toString()) as Claims)
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const signed = `${part({ alg: 'ES256', typ: 'JWT', kid: this.#kid })}.${part(said)}`
    const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const key = foreignKey || this.#key === undefined ? own : this.#key
    const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    return Buffer.from(JSON.stringify({ ...answer, id_token: `${signed}.${signature}` }))
  }
}

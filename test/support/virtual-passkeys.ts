import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { CDPSession, Page } from 'playwright-core'
import { fromBase64Url } from '../../shared/bytes/bytes.ts'
import { newPerson, type PersonRole } from '../../shared/decisions/person.ts'
import type { WebSite } from './web-site.ts'

interface Passkey {
  readonly id: string
  readonly privateKey: KeyObject
}

/** The browser's virtual authenticator (WebAuthn Level 3 section 11), with one passkey at a time in it. */
export class VirtualPasskeys {
  readonly #devtools: CDPSession
  readonly #authenticatorId: string
  readonly #known: Map<string, Passkey>
  /** Of all its passkeys: a signature never counts backwards. */
  #count: number

  private constructor(devtools: CDPSession, authenticatorId: string, before: VirtualPasskeys | undefined) {
    this.#devtools = devtools
    this.#authenticatorId = authenticatorId
    this.#known = before === undefined ? new Map() : before.#known
    this.#count = before === undefined ? 0 : before.#count
  }

  /** `before`: whose passkeys it has, on another page. */
  static async of(page: Page, before?: VirtualPasskeys): Promise<VirtualPasskeys> {
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })
    return new VirtualPasskeys(devtools, authenticatorId, before)
  }

  /** Whether the person shows that it is he. */
  async verify(isUserVerified: boolean): Promise<void> {
    await this.#devtools.send('WebAuthn.setUserVerified', { authenticatorId: this.#authenticatorId, isUserVerified })
  }

  /** Somebody of the decision log whose key is a passkey of the pages. Gives the id of the person. */
  async enter(site: WebSite, name: string, role: PersonRole): Promise<string> {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const key = { curve: 'P-256', x: fromBase64Url(x), y: fromBase64Url(y) } as const
    const id = `per_${name.toLowerCase()}`
    const passkey = { id: 'localhost', origins: [site.url] }
    await site.decide('person.add', id, newPerson(name, role, key, passkey))
    this.#known.set(name, { id, privateKey })
    return id
  }

  /** Puts the passkey of that person into the authenticator, and takes out any other. */
  async use(name: string): Promise<void> {
    const found = this.#known.get(name)
    if (found === undefined) throw new Error(`nobody has entered ${name}`)
    const authenticatorId = this.#authenticatorId
    await this.#devtools.send('WebAuthn.clearCredentials', { authenticatorId })
    this.#count += 10
    await this.#devtools.send('WebAuthn.addCredential', {
      authenticatorId,
      credential: {
        credentialId: Buffer.from(name).toString('base64'),
        isResidentCredential: true,
        rpId: 'localhost',
        privateKey: found.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
        userHandle: Buffer.from(found.id).toString('base64'),
        signCount: this.#count,
      },
    })
  }
}

import * as client from 'openid-client'
import { isLoopbackHost } from '../../../shared/config/url-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { oidcFailure } from './failure.ts'
import type { ClaimRole } from './roles.ts'

export interface OidcSettings {
  readonly issuer: string
  readonly clientId: string
  /** null: a public client. */
  readonly clientSecret: string | null
  readonly scope: string
  /** Name of the claim that `roles` are about. */
  readonly claim: string
  readonly roles: readonly ClaimRole[]
}

/** What binds an answer to its question: none of them is known to anybody but the browser and the two servers. */
export interface OidcSecrets {
  readonly state: string
  readonly nonce: string
  readonly codeVerifier: string
}

/** Who somebody is, of an ID token whose signature, issuer, audience, nonce and time have been checked. */
export interface OidcPerson {
  readonly issuer: string
  readonly subject: string
  readonly name: string
  readonly claim: unknown
}

/** A provider as it is used. */
export type OidcLogins = Pick<OidcProvider, 'settings' | 'address' | 'person'>

const DISCOVERY_MS = 300_000
const TIMEOUT_SECONDS = 10
/** Clocks that differ. */
const TOLERANCE_SECONDS = 30

/**
 * A provider of OpenID Connect (Core 1.0, authorization code flow with PKCE). What it says of itself is asked for every
 * five minutes; its keys at every login, so that one that was changed a moment ago is known. The signature of the token
 * is checked although it comes from the provider itself by TLS.
 */
export class OidcProvider {
  readonly settings: OidcSettings
  readonly #redirectUri: string
  readonly #clock: () => number
  #discovered: { readonly metadata: client.ServerMetadata; readonly at: number } | undefined

  constructor(settings: OidcSettings, redirectUri: string, clock: () => number) {
    this.settings = settings
    this.#redirectUri = redirectUri
    this.#clock = clock
  }

  /** Where the browser is sent. Errors: oidc.provider-unreachable, oidc.issuer-wrong. */
  async address({ state, nonce, codeVerifier }: OidcSecrets): Promise<string> {
    try {
      const configuration = await this.#configuration()
      const url = client.buildAuthorizationUrl(configuration, {
        redirect_uri: this.#redirectUri,
        scope: this.settings.scope,
        response_type: 'code',
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
        state,
        nonce,
      })
      return url.href
    } catch (error) {
      throw oidcFailure(error)
    }
  }

  /** Changes the code of an answer for an ID token, and checks it. `query`: as the browser was sent back with. Error: oidc.*. */
  async person(query: URLSearchParams, { state, nonce, codeVerifier }: OidcSecrets): Promise<OidcPerson> {
    try {
      const configuration = await this.#configuration()
      const tokens = await client.authorizationCodeGrant(configuration, new URL(`${this.#redirectUri}?${query}`), {
        pkceCodeVerifier: codeVerifier,
        expectedState: state,
        expectedNonce: nonce,
        idTokenExpected: true,
      })
      const claims = tokens.claims()
      if (claims === undefined) throw new KeepsealError('oidc.token-invalid', 'no ID token')
      const names = [claims['name'], claims['preferred_username'], claims['email']]
      const name = names.find((each): each is string => typeof each === 'string' && each !== '') ?? claims.sub
      return { issuer: claims.iss, subject: claims.sub, name, claim: claims[this.settings.claim] }
    } catch (error) {
      throw oidcFailure(error)
    }
  }

  /** One that holds no keys yet. */
  async #configuration(): Promise<client.Configuration> {
    const { clientId, clientSecret, issuer } = this.settings
    const authentication = clientSecret === null ? client.None() : client.ClientSecretBasic(clientSecret)
    const about = { [client.clockTolerance]: TOLERANCE_SECONDS }
    const isPlain = new URL(issuer).protocol === 'http:' && isLoopbackHost(new URL(issuer).hostname)
    const extensions = [client.enableNonRepudiationChecks, ...(isPlain ? [client.allowInsecureRequests] : [])]
    const now = this.#clock()
    const known = this.#discovered
    if (known === undefined || now - known.at >= DISCOVERY_MS || now < known.at) {
      const options = { execute: extensions, timeout: TIMEOUT_SECONDS }
      const found = await client.discovery(new URL(issuer), clientId, about, authentication, options)
      this.#discovered = { metadata: found.serverMetadata(), at: now }
      return found
    }
    const configuration = new client.Configuration({ ...known.metadata }, clientId, about, authentication)
    configuration.timeout = TIMEOUT_SECONDS
    for (const extend of extensions) extend(configuration)
    return configuration
  }
}

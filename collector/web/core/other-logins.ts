import { fromBase64Url, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { ApiError, exchange, problemOf } from './http.ts'
import { opened } from './session.ts'
import type { Session } from './types.ts'

/** Ways to log in besides login, password and code. */
export interface LoginMethods {
  readonly passkey: boolean
  /** The provider of OpenID Connect; null where none is configured. */
  readonly oidc: string | null
}

/** What the collector offers and this browser can do. */
export async function loginMethods(): Promise<LoginMethods> {
  const response = await exchange('GET', '/session/methods')
  if (!response.ok) throw await problemOf(response)
  const { passkey, oidc } = (await response.json()) as LoginMethods
  // No browser has them on a page that it does not trust, such as one of another machine without TLS.
  return { passkey: passkey && isSecureContext && 'PublicKeyCredential' in window, oidc }
}

async function post(path: string, body: object): Promise<unknown> {
  const response = await exchange('POST', path, body)
  if (!response.ok) throw await problemOf(response)
  return response.json()
}

interface PasskeyRequest {
  readonly challenge: string
  readonly rpId: string
  readonly timeout: number
  readonly userVerification: UserVerificationRequirement
}

const encoded = (buffer: ArrayBuffer): string => toBase64Url(new Uint8Array(buffer))

/** Throws ApiError; resolves to false where the person has thought better of it, or has no passkey here. */
export async function logInByPasskey(): Promise<boolean> {
  const { publicKey } = (await post('/session/passkey/begin', {})) as { publicKey: PasskeyRequest }
  const challenge = new Uint8Array(fromBase64Url(publicKey.challenge))
  let credential: Credential | null
  try {
    credential = await navigator.credentials.get({ publicKey: { ...publicKey, challenge, allowCredentials: [] } })
  } catch (error) {
    // WebAuthn Level 3 section 14.5.1: a browser does not say which of the two it was.
    if (error instanceof DOMException) return false
    throw error
  }
  if (!(credential instanceof PublicKeyCredential)) return false
  const { rawId, response } = credential
  const { clientDataJSON, authenticatorData, signature, userHandle } = response as AuthenticatorAssertionResponse
  const session = await post('/session/passkey', {
    rawId: encoded(rawId),
    response: {
      clientDataJSON: encoded(clientDataJSON),
      authenticatorData: encoded(authenticatorData),
      signature: encoded(signature),
      userHandle: userHandle === null ? null : encoded(userHandle),
    },
  })
  opened(session as Session)
  return true
}

/** Where the provider asks for the person; it sends the browser back to `returnTo`. Throws ApiError. */
export async function providerAddress(returnTo: string): Promise<string> {
  const { url } = (await post('/session/oidc/begin', { returnTo })) as { url: string }
  return url
}

/** A failure of anything else than the collector is none that a person can mend. */
export const asApiError = (error: unknown): ApiError => {
  if (error instanceof ApiError) return error
  throw error
}

import { fromBase64Url, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { remove, send } from './api.ts'

/** A passkey that its account logs in with. */
export interface Passkey {
  readonly id: string
  readonly name: string
  /** Of the address that it is for. */
  readonly host: string
  readonly createdAt: string
  readonly lastUsedAt: string | null
}

export interface NewPasskey {
  readonly name: string
  readonly password: string
  readonly code: string
}

/** What the collector asks a browser for: creation options (WebAuthn Level 3 section 5.4), bytes in base64url. */
interface Wanted extends Omit<PublicKeyCredentialCreationOptions, 'challenge' | 'user' | 'excludeCredentials'> {
  readonly challenge: string
  readonly user: { readonly id: string; readonly name: string; readonly displayName: string }
  readonly excludeCredentials: readonly { readonly type: 'public-key'; readonly id: string }[]
}

const bytesOf = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(fromBase64Url(text))

/** `known`: this authenticator has one of the account already. `cancelled`: the person has thought better of it. */
export type Outcome = 'added' | 'known' | 'cancelled'

/** Throws ApiError. */
export async function addPasskey({ name, password, code }: NewPasskey): Promise<Outcome> {
  const { publicKey } = await send<{ publicKey: Wanted }>('POST', '/session/passkeys/begin', { password, code })
  const made = await create(publicKey)
  if (typeof made === 'string') return made
  const { clientDataJSON, attestationObject } = made.response as AuthenticatorAttestationResponse
  const response = {
    clientDataJSON: toBase64Url(new Uint8Array(clientDataJSON)),
    attestationObject: toBase64Url(new Uint8Array(attestationObject)),
  }
  await send('POST', '/session/passkeys', { name, credential: { response } })
  return 'added'
}

async function create({
  challenge,
  user,
  excludeCredentials,
  ...same
}: Wanted): Promise<PublicKeyCredential | Outcome> {
  const publicKey = {
    ...same,
    challenge: bytesOf(challenge),
    user: { ...user, id: bytesOf(user.id) },
    excludeCredentials: excludeCredentials.map((each) => ({ ...each, id: bytesOf(each.id) })),
  }
  try {
    const made = (await navigator.credentials.create({ publicKey })) as PublicKeyCredential | null
    return made ?? 'cancelled'
  } catch (error) {
    if (!(error instanceof DOMException)) throw error
    // WebAuthn Level 3 section 5.1.3: with one of those that are excluded, after the person has consented.
    return error.name === 'InvalidStateError' ? 'known' : 'cancelled'
  }
}

/** Throws ApiError. */
export const removePasskey = (id: string): Promise<void> => remove(`/session/passkeys/${id}`)

import { fromHex, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { decodeCoseKey } from '../../../shared/cose/key.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { finishWebAuthnEntry, prepareWebAuthnEntry } from '../../../shared/decisions/webauthn-entry.ts'
import { send } from '../core/api.ts'
import type { Person } from '../core/types-more.ts'
import { hash } from './crypto.ts'

export interface Decided {
  readonly kind: string
  readonly subject: string
  readonly detail: Json
}

/** What `GET /decisions/next` says. */
export interface Place {
  readonly log: string | null
  readonly index: number
  readonly previous: string | null
}

const TIMEOUT_MS = 300_000

/**
 * Has the author's passkey sign a decision for one place in the log, and hands it in. The authenticator signs the hash of
 * all of it. When somebody else was quicker the collector refuses it, and nothing is signed again. Gives its index; null
 * where the person does not sign. Throws ApiError.
 */
export async function signByPasskey(
  { kind, subject, detail }: Decided,
  { log, index, previous }: Place,
  author: Person,
): Promise<number | null> {
  if (log === null || previous === null || author.passkey === null) throw new Error('there is nothing to sign for')
  const place = { log: fromHex(log), index, previous: fromHex(previous), at: Math.floor(Date.now() / 1000) }
  const prepared = prepareWebAuthnEntry({ ...place, kind, subject, detail }, decodeCoseKey(fromHex(author.key)), hash)
  const request: PublicKeyCredentialRequestOptions = {
    challenge: new Uint8Array(prepared.challenge),
    rpId: author.passkey.id,
    userVerification: 'required',
    timeout: TIMEOUT_MS,
  }
  const credential = await asked(request)
  if (credential === null) return null
  const { authenticatorData, clientDataJSON, signature } = credential.response as AuthenticatorAssertionResponse
  const entry = finishWebAuthnEntry(prepared, {
    authenticatorData: new Uint8Array(authenticatorData),
    clientDataJson: new Uint8Array(clientDataJSON),
    signature: new Uint8Array(signature),
  })
  return (await send<{ index: number }>('POST', '/decisions', { entry: toBase64Url(entry) })).index
}

/** null where the person thinks better of it, or has no such passkey here: a browser does not say which of the two. */
async function asked(publicKey: PublicKeyCredentialRequestOptions): Promise<PublicKeyCredential | null> {
  try {
    return (await navigator.credentials.get({ publicKey })) as PublicKeyCredential | null
  } catch (failure) {
    // WebAuthn Level 3 section 14.5.1.
    if (failure instanceof DOMException) return null
    throw failure
  }
}

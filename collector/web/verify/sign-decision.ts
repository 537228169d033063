import { fromHex, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { decodeCoseKey } from '../../../shared/cose/key.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { finishWebAuthnEntry, prepareWebAuthnEntry } from '../../../shared/decisions/webauthn-entry.ts'
import { get, send } from '../core/api.ts'
import type { Person } from '../core/types-more.ts'
import { hash } from './crypto.ts'

export interface Decided {
  readonly kind: string
  readonly subject: string
  readonly detail: Json
}

interface Next {
  readonly log: string | null
  readonly index: number
  readonly previous: string | null
}

const TIMEOUT_MS = 300_000

/**
 * Has the author's passkey sign a decision for the place in the log that is next, and hands it in. The authenticator signs
 * the hash of all of it. When somebody else was quicker the collector refuses it, and nothing is signed again.
 * Gives its place. Throws ApiError, and what the browser throws where the person does not sign.
 */
export async function signByPasskey({ kind, subject, detail }: Decided, author: Person): Promise<number> {
  const { log, index, previous } = await get<Next>('/decisions/next')
  if (log === null || previous === null || author.passkey === null) throw new Error('there is nothing to sign for')
  const place = { log: fromHex(log), index, previous: fromHex(previous), at: Math.floor(Date.now() / 1000) }
  const prepared = prepareWebAuthnEntry({ ...place, kind, subject, detail }, decodeCoseKey(fromHex(author.key)), hash)
  const credential = await navigator.credentials.get({
    publicKey: {
      challenge: new Uint8Array(prepared.challenge),
      rpId: author.passkey.id,
      userVerification: 'required',
      timeout: TIMEOUT_MS,
    },
  })
  const { authenticatorData, clientDataJSON, signature } = (credential as PublicKeyCredential)
    .response as AuthenticatorAssertionResponse
  const entry = finishWebAuthnEntry(prepared, {
    authenticatorData: new Uint8Array(authenticatorData),
    clientDataJson: new Uint8Array(clientDataJSON),
    signature: new Uint8Array(signature),
  })
  return (await send<{ index: number }>('POST', '/decisions', { entry: toBase64Url(entry) })).index
}

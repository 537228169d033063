import type { FastifyInstance, FastifyRequest, RouteShorthandOptions } from 'fastify'
import * as v from 'valibot'
import { fromBase64Url, toBase64Url } from '../../shared/bytes/bytes.ts'
import { COSE_ALGORITHM } from '../../shared/cose/algorithms.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { CHALLENGE_MS } from '../access/challenges.ts'
import {
  addPasskey,
  beginPasskeyLogin,
  beginPasskeyRegistration,
  logInByPasskey,
  removePasskey,
  type PasskeyServices,
} from '../access/passkeys.ts'
import { relyingPartyAt } from '../access/relying-parties.ts'
import type { Account } from '../model/account.ts'
import type { Passkey } from '../model/passkey.ts'
import { sessionOfRequest } from './authentication.ts'
import { checked } from './endpoint.ts'
import { assertFromHere, sendOpened } from './opened-session.ts'
import { id, Name, toTime, toTimeOrNull } from './schemas.ts'
import type { ApiServices } from './services.ts'

const bytes = (max: number) =>
  v.pipe(
    v.string(),
    v.maxLength(Math.ceil((max * 4) / 3)),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      try {
        return fromBase64Url(dataset.value)
      } catch {
        addIssue({ message: 'base64url' })
        return NEVER
      }
    }),
  )

/** As `toJSON` of a credential gives it (WebAuthn Level 3 section 5.1). What a browser adds is left alone. */
const Login = v.object({
  rawId: bytes(1023),
  response: v.object({
    clientDataJSON: bytes(4096),
    authenticatorData: bytes(2048),
    signature: bytes(128),
    userHandle: v.nullish(bytes(64), null),
  }),
})
const Registration = v.strictObject({
  name: v.pipe(Name, v.maxLength(64)),
  credential: v.object({ response: v.object({ clientDataJSON: bytes(4096), attestationObject: bytes(16_384) }) }),
})
const secret = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
const OnceMore = v.strictObject({ password: secret, code: secret })

const passkeyJson = ({ id: passkeyId, name, relyingPartyId, createdAt, lastUsedAt }: Passkey) => ({
  id: passkeyId,
  name,
  host: relyingPartyId,
  createdAt: toTime(createdAt),
  lastUsedAt: toTimeOrNull(lastUsedAt),
})

/** Of the algorithms that are read here the one first that every authenticator has. */
const ALGORITHMS = [COSE_ALGORITHM.ES256, COSE_ALGORITHM.EdDSA].map((alg) => ({ type: 'public-key', alg }))

/** Logging in by a passkey, and the passkeys of whoever is logged in. `limited`: for those who have proven nothing. */
export function passkeyRoutes(
  server: FastifyInstance,
  services: ApiServices,
  access: PasskeyServices,
  limited: RouteShorthandOptions,
): void {
  const open = { schema: { hide: true }, validatorCompiler: () => () => true }
  const partyOf = (request: FastifyRequest) => relyingPartyAt(access.relyingParties, request.host)
  const accountOf = async (request: FastifyRequest): Promise<Account> => {
    const opened = await sessionOfRequest(services, request)
    if (opened === undefined) throw new KeepsealError('auth.missing')
    return opened.account
  }

  server.post('/session/passkey/begin', limited, async (request) => {
    assertFromHere(request)
    const party = partyOf(request)
    const challenge = toBase64Url(await beginPasskeyLogin(access, party))
    const common = { challenge, rpId: party.id, timeout: CHALLENGE_MS, userVerification: 'required' }
    return { publicKey: { ...common, allowCredentials: [] } }
  })

  server.post('/session/passkey', limited, async (request, reply) => {
    assertFromHere(request)
    const { rawId, response } = checked(Login, request.body, 'body')
    const { clientDataJSON: clientDataJson, ...rest } = response
    const opened = await logInByPasskey(access, { credentialId: rawId, clientDataJson, ...rest })
    return sendOpened(services, request, reply, opened)
  })

  server.get('/session/passkeys', open, async (request) => {
    const account = await accountOf(request)
    return { items: (await services.store.passkeys.listOf(account.id)).map(passkeyJson) }
  })

  server.post('/session/passkeys/begin', limited, async (request) => {
    const account = await accountOf(request)
    const party = partyOf(request)
    const proof = checked(OnceMore, request.body, 'body')
    const { challenge, userHandle, existing } = await beginPasskeyRegistration(access, account, proof, party)
    return {
      publicKey: {
        challenge: toBase64Url(challenge),
        rp: { id: party.id, name: 'Keepseal' },
        user: { id: toBase64Url(userHandle), name: account.login, displayName: account.name },
        pubKeyCredParams: ALGORITHMS,
        timeout: CHALLENGE_MS,
        attestation: 'none',
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        excludeCredentials: existing.map(({ credentialId }) => ({ type: 'public-key', id: toBase64Url(credentialId) })),
      },
    }
  })

  server.post('/session/passkeys', open, async (request, reply) => {
    const account = await accountOf(request)
    const { name, credential } = checked(Registration, request.body, 'body')
    const { clientDataJSON: clientDataJson, attestationObject } = credential.response
    void reply.code(201)
    return passkeyJson(await addPasskey(access, account, { name, clientDataJson, attestationObject }))
  })

  server.delete('/session/passkeys/:id', open, async (request, reply) => {
    const account = await accountOf(request)
    await removePasskey(access, account, checked(v.strictObject({ id: id('pky') }), request.params, 'path').id)
    return reply.code(204).send()
  })
}

import { X509Certificate } from 'node:crypto'
import { request } from 'node:https'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { activateCredential } from '../../../agent/tpm/activation.ts'
import { createAttestationKey, type LoadedAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { readEndorsementKey, type EndorsementKey } from '../../../agent/tpm/endorsement-key.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { takeQuote } from '../../../agent/tpm/quoting.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { enrolmentRoutes } from '../../../collector/api/enrolment-routes.ts'
import { makeId } from '../../../collector/store/ids.ts'
import { openStore, type OpenStore } from '../../../collector/store/index.ts'
import { loadEndorsementAuthorities } from '../../../collector/trust/ek-roots.ts'
import { loadOrCreateKeys, type CollectorKeys } from '../../../collector/trust/keys.ts'
import { DEFAULT_SERVER_NAMES, ensureServerCertificate } from '../../../collector/trust/server-certificate.ts'
import { fromBase64Url, toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { coseKeyThumbprint, decodeCoseKey } from '../../../shared/cose/key.ts'
import { credentialPrimitives } from '../../../shared/crypto/node-credential.ts'
import { hash, random } from '../../../shared/crypto/node.ts'
import { enrolmentBinding, tokenHash } from '../../../shared/evidence/binding.ts'
import type { EnrolmentBegin, EnrolmentChallenge, EnrolmentFinish } from '../../../shared/evidence/enrolment.ts'
import { isUeid } from '../../../shared/evidence/identifiers.ts'
import { nameOf } from '../../../shared/tpm/public.ts'
import { makeCredential } from '../../../shared/tpm/credential.ts'
import { ENDORSEMENT_KEY_PROFILES, type AttestationKeyKind } from '../../../shared/tpm/templates.ts'
import {
  beginBody,
  enrollingDevice,
  finishBody,
  PRODUCT,
  type EnrollingDevice,
} from '../../support/enrolling-device.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'

/** Both calls over HTTPS, answered by a TPM that is one in all but its housing. */

let directory: string
let simulator: SoftwareTpm
let tpm: Tpm
let open: OpenStore
let keys: CollectorKeys
let server: FastifyInstance
let port: number
let productId: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keepseal-enrolment-'))
  simulator = await startSwtpm()
  const roots = join(directory, 'roots')
  await mkdir(roots)
  for (const file of simulator.caCertificates) await cp(file, join(roots, basename(file)))
  tpm = await openTpm(simulator.tcti)

  const now = Date.now()
  keys = await loadOrCreateKeys({ dataDirectory: directory, now, random })
  const certificate = await ensureServerCertificate({
    directory: keys.directory,
    authority: keys.authority,
    names: DEFAULT_SERVER_NAMES,
    now,
    random,
  })
  open = await openStore({ path: join(directory, 'store', 'collector.db') })
  productId = makeId('prd', now, random)
  const { vendor, model } = PRODUCT
  const policies = { identityPolicy: 'endorsed', approvalPolicy: 'automatic' } as const
  await open.store.products.create({ id: productId, vendor, model, ...policies, createdAt: now })
  const { authorities, skipped } = await loadEndorsementAuthorities(roots)
  expect(skipped).toEqual([])
  server = fastify({
    https: { key: certificate.privateKey, cert: certificate.certificate },
  }) as unknown as FastifyInstance
  await server.register(enrolmentRoutes, {
    dependencies: {
      store: open.store,
      keys,
      authorities,
      mqttUrl: 'mqtts://localhost:8883',
      certificateLifetimeMs: 90 * 86_400_000,
      now: () => Date.now(),
      random,
    },
    requestsPerMinute: 1000,
  })
  await server.listen({ port: 0, host: '127.0.0.1' })
  port = (server.server.address() as AddressInfo).port
})

afterAll(async () => {
  await server?.close()
  await open?.close()
  await tpm?.close()
  await simulator?.stop()
  await rm(directory, { recursive: true, force: true })
})

function post(path: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const options = { method: 'POST', port, host: '127.0.0.1', path, ca: keys.authority.certificate }
  return new Promise((resolve, reject) => {
    const call = request({ ...options, headers: { 'content-type': 'application/json' } }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }),
      )
    })
    call.on('error', reject)
    call.end(JSON.stringify(body))
  })
}

async function newToken(reenrolUeid: string | null = null): Promise<string> {
  const token = `kse_${toBase64Url(random(32))}`
  const now = Date.now()
  await open.store.enrolmentTokens.create({
    id: makeId('tok', now, random),
    tokenHash: tokenHash(token, hash),
    productId,
    reenrolUeid,
    expiresAt: now + 3_600_000,
    reservedUntil: null,
    reservedBy: null,
    usedAt: null,
    usedByUeid: null,
    registration: null,
    createdAt: now,
  })
  return token
}

const SELECTION = [{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7] }] as const

interface Gateway {
  readonly device: EnrollingDevice
  readonly ek: EndorsementKey
  readonly ak: LoadedAttestationKey
}

function begin({ device, ek, ak }: Gateway, token: string): EnrolmentBegin {
  return {
    ...beginBody(device, token),
    tpm: {
      ekPublic: toBase64Url(ek.publicBytes),
      ekCertificate: ek.certificate === undefined ? null : toBase64Url(ek.certificate),
      akPublic: toBase64Url(ak.publicBytes),
    },
  }
}

async function finish(
  { device, ek, ak }: Gateway,
  token: string,
  challenge: EnrolmentChallenge,
  tlsKeyHash: Uint8Array = device.tlsKeyHash,
): Promise<EnrolmentFinish> {
  const ekName = nameOf(ek.publicArea, hash)
  const binding = enrolmentBinding(
    {
      collectorKeyThumbprint: coseKeyThumbprint(decodeCoseKey(fromBase64Url(challenge.collectorKey)), hash),
      challenge: fromBase64Url(challenge.challenge),
      deviceKeyThumbprint: device.signer.keyId,
      tlsKeyHash,
      ekName,
      product: device.product,
      tokenHash: tokenHash(token, hash),
      idevidCertificateHash: null,
    },
    hash,
  )
  const { credential } = challenge
  if (credential === null) throw new Error('no credential')
  const secret = await activateCredential(tpm, ek.template, ak.handle, {
    credentialBlob: fromBase64Url(credential.credentialBlob),
    encryptedSecret: fromBase64Url(credential.encryptedSecret),
  })
  const { attest, signature } = await takeQuote(tpm, ak, { selection: SELECTION, extraData: binding })
  const { proof, enrolmentId } = await finishBody(device, token, challenge, { ekName })
  return {
    enrolmentId,
    proof,
    tpm: { secret: toBase64Url(secret), attest: toBase64Url(attest), signature: toBase64Url(signature) },
  }
}

async function enrol(gateway: Gateway, token: string) {
  const begun = await post('/enroll/v1/begin', begin(gateway, token))
  expect(begun).toMatchObject({ status: 200 })
  return post('/enroll/v1/finish', await finish(gateway, token, begun.body as unknown as EnrolmentChallenge))
}

const loaded: number[] = []

/** A TPM holds few keys at a time: they are let go of after each test. */
async function newKey(kind: AttestationKeyKind): Promise<LoadedAttestationKey> {
  const key = await createAttestationKey(tpm, { kind, seed: random(32) })
  loaded.push(key.handle)
  return key
}

afterEach(async () => {
  for (const handle of loaded.splice(0)) await tpm.flush(handle)
})

const profile = (id: string) => ENDORSEMENT_KEY_PROFILES.filter((each) => each.id === id)

describe.each([
  ['RSA-2048', 'L-1', 'ecdsa-p256'],
  ['P-384', 'H-3', 'rsassa-2048'],
] as const)('enrolment with an endorsement key of %s (%s) and an attestation key %s', (_, id, kind) => {
  let ek: EndorsementKey
  let gateway: Gateway
  beforeEach(async () => {
    ek = await readEndorsementKey(tpm, profile(id))
    gateway = { device: enrollingDevice({ product: { ...PRODUCT, serial: id } }), ek, ak: await newKey(kind) }
  })

  it('refuses a quote that the TPM made for another TLS key', async () => {
    const token = await newToken()
    const begun = await post('/enroll/v1/begin', begin(gateway, token))
    const challenge = begun.body as unknown as EnrolmentChallenge
    const answer = await post('/enroll/v1/finish', await finish(gateway, token, challenge, random(32)))
    expect(answer).toMatchObject({ status: 403, body: { type: 'enrol.binding-invalid' } })
  })

  it('makes a device of the gateway, once', async () => {
    const token = await newToken()
    const granted = await enrol(gateway, token)
    expect(granted).toMatchObject({ status: 200, body: { identity: 'tpm-endorsed' } })
    const ueid = String(granted.body['ueid'])
    if (!isUeid(ueid)) throw new Error('no UEID')
    expect(new X509Certificate(String(granted.body['certificate'])).subject).toBe(`CN=${ueid}`)
    const device = await open.store.devices.byUeid(ueid)
    expect(toHex(device?.tpm?.ekName ?? random(0))).toBe(toHex(nameOf(ek.publicArea, hash)))
    expect(toHex(device?.tpm?.akName ?? random(0))).toBe(toHex(gateway.ak.name))

    expect(await post('/enroll/v1/begin', begin(gateway, token))).toMatchObject({ body: { type: 'enrol.token-used' } })
    expect(await post('/enroll/v1/begin', begin(gateway, await newToken()))).toMatchObject({
      status: 409,
      body: { type: 'enrol.ek-already-enrolled' },
    })

    // A new attestation key and a new device key, as after the loss of the agent's state.
    const renewed = { device: enrollingDevice({ product: gateway.device.product }), ek, ak: await newKey(kind) }
    expect((await enrol(renewed, await newToken(ueid))).body['ueid']).toBe(ueid)
  })
})

describe('an attestation key that is in the TPM but is not the named one', () => {
  it('cannot open the credential', async () => {
    const ek = await readEndorsementKey(tpm, profile('H-3'))
    const [named, other] = [await newKey('ecdsa-p256'), await newKey('ecdsa-p256')]
    const credential = makeCredential({
      ek: ek.publicArea,
      akName: named.name,
      secret: random(32),
      primitives: credentialPrimitives,
      random,
    })
    expect(await activateCredential(tpm, ek.template, named.handle, credential)).toHaveLength(32)
    await expect(activateCredential(tpm, ek.template, other.handle, credential)).rejects.toThrow(/ActivateCredential/)
  })
})

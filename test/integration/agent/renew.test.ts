import { spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { QuoteFunction } from '../../../agent/attest/make-evidence.ts'
import { quoteWith } from '../../../agent/attest/tpm-session.ts'
import { enrol } from '../../../agent/enrol/enrol.ts'
import { openEnrolmentTpm } from '../../../agent/enrol/tpm-session.ts'
import { renew, type Renewal } from '../../../agent/renew/renew.ts'
import { loadIdentity, type Identity } from '../../../agent/state/identity.ts'
import { statePaths } from '../../../agent/state/paths.ts'
import { loadEndorsementAuthorities } from '../../../collector/trust/ek-roots.ts'
import type { EnrolmentDependencies } from '../../../collector/trust/enrolment/dependencies.ts'
import { fromBase64Url, toBase64Url, toHex } from '../../../shared/bytes/bytes.ts'
import { random, sha256 } from '../../../shared/crypto/node.ts'
import { openRenewalGrant, signRenewalGrant } from '../../../shared/evidence/renewal.ts'
import { certifiedTpm, Collector, useCollectors } from '../../support/enrolment-collector.ts'
import { PRODUCT, type SoftwareTpm as SoftwareKeys } from '../../support/enrolling-device.ts'
import { useEnrolmentServer } from '../../support/enrolment-server.ts'
import { failureOf } from '../../support/failure.ts'
import { inMemory } from '../../support/in-memory-tpm.ts'
import { createPki } from '../../support/pki.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'

const DAY = 86_400_000
const pki = createPki()
const scratch = useScratchDirectories('renew')
const newCollector = useCollectors()
const hasSwtpm = spawnSync('swtpm', ['--version']).error === undefined

let collector: Collector
let dependencies: EnrolmentDependencies
/** Looked at with each answer, so that a test can lose or exchange it. */
let answering: (path: string, answer: string) => string | Promise<string>

const server = useEnrolmentServer({
  pki,
  dependencies: () => dependencies,
  answering: (path, answer) => answering(path, answer),
})
beforeEach(async () => {
  answering = (_, answer) => answer
  collector = await newCollector()
  dependencies = collector.dependencies
  await collector.product({ identityPolicy: 'software' })
})

const quoting =
  ({ ak }: SoftwareKeys): QuoteFunction =>
  async (extraData) => ({ ...ak.quote(extraData), pcrs: new Map() })

interface Enrolled extends Renewal {
  readonly told: string[]
}

async function enrolled(tpm: SoftwareKeys | null = certifiedTpm()): Promise<Enrolled> {
  const stateDirectory = scratch()
  const identity = await enrol({
    collectorUrl: server.url,
    authorities: pki.authority,
    token: await collector.token(),
    product: PRODUCT,
    openTpm: tpm === null ? null : inMemory(tpm),
    stateDirectory,
    again: false,
    now: () => 1_795_000_000,
    random,
  })
  const told: string[] = []
  return {
    identity,
    quote: tpm === null ? null : quoting(tpm),
    stateDirectory,
    collectorUrl: server.url,
    authorities: pki.authority,
    untrusted: ({ code }) => told.push(code),
    told,
  }
}

/** What the broker would compare the device's certificate with. */
async function isInForce({ tls }: Identity): Promise<boolean> {
  const [device] = await collector.devices()
  const spki = createPublicKey(new X509Certificate(tls.certificate).publicKey.export({ format: 'pem', type: 'spki' }))
  return toHex(sha256(spki.export({ format: 'der', type: 'spki' }))) === toHex(device?.tlsKeyHash ?? new Uint8Array(0))
}

const endOf = ({ tls }: Identity): number => Date.parse(new X509Certificate(tls.certificate).validTo)

describe('a renewal', () => {
  test.each([
    ['with a TPM', certifiedTpm],
    ['without a TPM', () => null],
  ])('%s gives a certificate for a new key, and nothing else changes', async (_, tpm) => {
    const device = await enrolled(tpm())
    collector.now += 60 * DAY
    const renewed = await renew(device)
    expect(endOf(renewed) - endOf(device.identity)).toBe(60 * DAY)
    expect(renewed.tls.privateKey).not.toBe(device.identity.tls.privateKey)
    expect(toHex(renewed.signer.keyId)).toBe(toHex(device.identity.signer.keyId))
    expect(toHex(renewed.receiptKey.secret)).toBe(toHex(device.identity.receiptKey.secret))
    expect(await isInForce(renewed)).toBe(true)
    expect((await loadIdentity(device.stateDirectory)).tls).toEqual(renewed.tls)
    expect(existsSync(statePaths(device.stateDirectory).pendingRenewal)).toBe(false)
    expect(device.told).toEqual([])
  })

  test('comes as well a year after the certificate has expired', async () => {
    const device = await enrolled()
    collector.now += (90 + 365) * DAY
    const renewed = await renew(device)
    expect(endOf(renewed)).toBeGreaterThan(collector.now)
    expect(await isInForce(renewed)).toBe(true)
  })

  test('brings the broker that devices are to report to now', async () => {
    const device = await enrolled()
    dependencies = { ...collector.dependencies, mqttUrl: 'mqtts://elsewhere.example:8883' }
    expect((await renew(device)).collector.mqttUrl).toBe('mqtts://elsewhere.example:8883')
  })

  test('whose answer was lost is done again, with the same key', async () => {
    const device = await enrolled()
    answering = (path, answer) => (path === '/enroll/v1/renew' ? '' : answer)
    expect(await failureOf(() => renew(device))).toMatchObject({ code: 'collector.refused' })
    expect((await loadIdentity(device.stateDirectory)).tls).toEqual(device.identity.tls)
    // The collector knows the new key already: the old certificate does not open the broker any more.
    expect(await isInForce(device.identity)).toBe(false)
    const [before] = await collector.devices()
    answering = (_, answer) => answer
    const renewed = await renew(device)
    const [after] = await collector.devices()
    expect(toHex(after?.tlsKeyHash ?? new Uint8Array(0))).toBe(toHex(before?.tlsKeyHash ?? new Uint8Array(0)))
    expect(await isInForce(renewed)).toBe(true)
  })

  test('does without a valid certificate of the collector, and says so: its signature decides', async () => {
    const device = await enrolled()
    const renewed = await renew({ ...device, authorities: createPki().authority })
    expect(await isInForce(renewed)).toBe(true)
    expect(device.told).toEqual(['collector.untrusted', 'collector.untrusted'])
  })

  test('that another collector signed is refused, and nothing changes', async () => {
    const device = await enrolled()
    const { collector: ours, ueid } = device.identity
    answering = async (path, answer) => {
      if (path !== '/enroll/v1/renew') return answer
      const { grant } = JSON.parse(answer) as { grant: string }
      const granted = openRenewalGrant(fromBase64Url(grant), ueid, ours.key)
      const { privateKey } = generateKeyPairSync('ed25519')
      const signer = { ...collector.keys.signer, sign: (message: Uint8Array) => sign(null, message, privateKey) }
      return JSON.stringify({ grant: toBase64Url(await signRenewalGrant(granted, ueid, signer)) })
    }
    const failure = await failureOf(() => renew(device))
    expect(failure).toMatchObject({ code: 'collector.refused' })
    expect((await loadIdentity(device.stateDirectory)).tls).toEqual(device.identity.tls)
  })

  test('that is an older answer played again is refused', async () => {
    const device = await enrolled()
    let first: string | undefined
    answering = (path, answer) => {
      if (path === '/enroll/v1/renew') first ??= answer
      return path === '/enroll/v1/renew' ? (first ?? answer) : answer
    }
    const renewed = await renew(device)
    const again = await failureOf(() => renew({ ...device, identity: renewed }))
    expect(again).toMatchObject({ code: 'collector.refused', message: expect.stringContaining('another request') })
    expect((await loadIdentity(device.stateDirectory)).tls).toEqual(renewed.tls)
  })
})

describe('the collector refuses to renew', () => {
  const refusalOf = async (renewal: Renewal): Promise<string> => {
    const message = (await failureOf(() => renew(renewal)))?.message ?? 'nothing'
    return /enrol\.[a-z-]+/.exec(message)?.[0] ?? message
  }

  test('a device that was revoked', async () => {
    const device = await enrolled()
    const [known] = await collector.devices()
    await collector.store.devices.updateEnrolment(known?.id ?? 0, 'revoked', collector.now)
    expect(await refusalOf(device)).toBe('enrol.revoked')
    expect(await isInForce(device.identity)).toBe(true)
  })

  test('a device that it does not know', async () => {
    const device = await enrolled()
    dependencies = (await newCollector()).dependencies
    expect(await refusalOf(device)).toMatch(/^enrol\.(device-unknown|challenge-unknown)$/)
  })

  test.each<[string, (device: Enrolled) => Partial<Renewal>]>([
    ['without the quote', () => ({ quote: null })],
    ['with the quote of another TPM', () => ({ quote: quoting(certifiedTpm()) })],
    [
      'with a quote over something else',
      ({ quote }) => ({ quote: async () => (quote as QuoteFunction)(new Uint8Array(32)) }),
    ],
    [
      'with another device key',
      ({ identity }) => ({
        identity: { ...identity, signer: { ...identity.signer, sign: () => new Uint8Array(64) } },
      }),
    ],
  ])('%s', async (_, changes) => {
    const device = await enrolled()
    expect(await refusalOf({ ...device, ...changes(device) })).toBe('enrol.binding-invalid')
    expect(await isInForce(device.identity)).toBe(true)
    const { items } = await collector.store.auditLog.list({ limit: 10 })
    expect(items.some(({ action }) => action === 'enrolment.refuse')).toBe(true)
  })

  test('an answer that came after ten minutes', async () => {
    const device = await enrolled()
    answering = (path, answer) => {
      if (path === '/enroll/v1/renew/challenge') collector.now += 600_000
      return answer
    }
    expect(await refusalOf(device)).toBe('enrol.challenge-expired')
  })
})

describe.skipIf(!hasSwtpm)(`a real TPM${hasSwtpm ? '' : ' (skipped: swtpm is not installed)'}`, () => {
  let swtpm: SoftwareTpm
  beforeAll(async () => {
    swtpm = await startSwtpm()
  })
  afterAll(() => swtpm.stop())

  test('renews a year after expiry, with the attestation key of its enrolment', async () => {
    const selection = [{ bank: 'sha256', pcrs: [0, 1, 2] }] as const
    const stateDirectory = scratch()
    const roots = scratch()
    for (const [index, file] of swtpm.caCertificates.entries()) copyFileSync(file, join(roots, `${index}.pem`))
    const { authorities } = await loadEndorsementAuthorities(roots)
    dependencies = { ...collector.dependencies, authorities }
    const identity = await enrol({
      collectorUrl: server.url,
      authorities: pki.authority,
      token: await collector.token(),
      product: PRODUCT,
      openTpm: (seed) => openEnrolmentTpm({ tcti: swtpm.tcti, transport: 'auto', seed, selection }),
      stateDirectory,
      again: false,
      now: () => 1_795_000_000,
      random,
    })
    expect(identity.attestationKey).not.toBeNull()
    if (identity.attestationKey === null) return
    collector.now += 455 * DAY
    const quote = quoteWith({
      tcti: swtpm.tcti,
      transport: 'auto',
      key: identity.attestationKey,
      selection,
      contexts: { load: async () => undefined, save: async () => undefined },
      endorsementPassword: undefined,
    })
    const renewal = { identity, quote, stateDirectory, collectorUrl: server.url, authorities: pki.authority }
    expect(await isInForce(await renew({ ...renewal, untrusted: () => undefined }))).toBe(true)
  })
})

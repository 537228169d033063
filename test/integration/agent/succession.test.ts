import { generateKeyPairSync, randomUUID, X509Certificate } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'node:tls'
import { afterEach, expect, test, vi } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { createLog } from '../../../agent/log.ts'
import { startAgent, type RunningAgent } from '../../../agent/run.ts'
import { loadIdentity, saveIdentity } from '../../../agent/state/identity.ts'
import { deviceSigner } from '../../../agent/state/device-key.ts'
import { readStatus } from '../../../agent/state/status-file.ts'
import type { Collector } from '../../../collector/app.ts'
import { issueCertificate } from '../../../collector/trust/certificate-authority.ts'
import { rotate, type RotationOrder } from '../../../collector/trust/rotation.ts'
import { loadOrCreateKeys } from '../../../collector/trust/keys.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { random } from '../../../shared/crypto/node.ts'
import { certificatesIn } from '../../../shared/text/pem.ts'
import { identityMaterial } from '../../agent/state/identity-sample.ts'
import { freePort } from '../../support/mosquitto.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { SoftwareDevice } from '../../support/software-device.ts'
import { runCollector, Workbench } from '../../support/test-collector.ts'

const scratch = useScratchDirectories('succession')
const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const each of running.splice(0).reverse()) await each.stop()
})

const NOTHING = { signingKey: false, authority: false, dropFormer: false }
const WAIT = { timeout: 100_000, interval: 100 }

/** A collector on fixed ports, and a gateway that was enrolled with it before anything has changed. */
async function site() {
  const directory = scratch()
  const [https, mqtt] = [await freePort(), await freePort()]
  let ports = { https, mqtt }
  let collector: Collector | undefined
  const urls = () => ({
    collectorUrl: `https://127.0.0.1:${ports.https}`,
    mqttUrl: `mqtts://127.0.0.1:${ports.mqtt}`,
  })
  const serve = async (): Promise<void> => {
    const settings = [
      `mqtt.listen_port=${ports.mqtt}`,
      `http.port=${ports.https}`,
      `http.public_url=${urls().collectorUrl}`,
      `mqtt.public_url=${urls().mqttUrl}`,
      'freshness.epoch_period_seconds=10',
      'receipts.min_interval_seconds=0',
    ]
    collector = await runCollector(directory, ...settings)
    running.push(collector)
  }
  const stop = async (): Promise<void> => {
    if (collector !== undefined) running.splice(running.indexOf(collector), 1)
    await collector?.stop()
  }
  const keys = () => loadOrCreateKeys({ dataDirectory: join(directory, 'data'), now: Date.now(), random })
  const turn = async (changes: Partial<RotationOrder>) =>
    rotate({ keys: await keys(), ...NOTHING, ...urls(), now: Date.now(), random, ...changes })
  await serve()
  const bench = await Workbench.open(directory)
  running.unshift({ stop: () => bench.close() })
  const gateway = await enrolled(bench, urls())
  return {
    ...gateway,
    serve,
    stop,
    keys,
    turn,
    urls,
    move: (next: typeof ports) => {
      ports = next
    },
  }
}

async function enrolled(bench: Workbench, urls: { collectorUrl: string; mqttUrl: string }) {
  const [root, state] = [scratch(), scratch()]
  mkdirSync(join(root, 'proc/sys/kernel/random'), { recursive: true })
  writeFileSync(join(root, 'proc/sys/kernel/random/boot_id'), `${randomUUID()}\n`)
  writeFileSync(join(root, 'proc/uptime'), '100.00 90.00\n')
  const device = new SoftwareDevice()
  const { ueid } = device
  const seed = random(32)
  const { keyId } = deviceSigner(seed)
  const tls = await bench.tlsIdentity(device)
  const { keys } = bench
  await saveIdentity(
    state,
    identityMaterial({
      ueid,
      assurance: 'software',
      deviceKeySeed: seed,
      receiptSecret: keys.receiptKeyOf(ueid, keyId),
      attestationKey: null,
      collector: { url: urls.collectorUrl, mqttUrl: urls.mqttUrl, id: keys.collectorId, publicKey: keys.publicKey },
      tls: { privateKey: tls.key, certificate: tls.cert, certificateAuthority: bench.ca },
    }),
  )
  const own = { deviceKey: ed25519Signer(seed).x, deviceKeyThumbprint: keyId, tlsKeyHash: tls.keyHash }
  await bench.store.devices.insert(device.enrolled(bench.productId, { ...own, tpm: null, identity: 'software' }))
  const logged: string[] = []
  const start = async (): Promise<RunningAgent> => {
    const set = [
      `state.directory=${state}`,
      `host.root=${root}`,
      'tpm.tcti=none',
      'report.interval_seconds=10',
      'report.jitter_seconds=0',
      'measure.socket=',
    ]
    const log = createLog({ level: 'debug', write: (line) => logged.push(line), journald: false, clock: Date.now })
    // Of each back-off a small part, so that nobody waits for a broker that is back.
    const random = (): number => 0.05
    const agent = await startAgent(loadAgentConfig({ config: '/dev/null', set }, {}).values, log, { random })
    running.push(agent)
    return agent
  }
  const stopAgent = async (agent: RunningAgent): Promise<void> => {
    running.splice(running.indexOf(agent), 1)
    await agent.stop()
  }
  /** Waits until the collector has decided about a report that was made from now on. */
  const reports = async (): Promise<void> => {
    const since = Math.floor(Date.now() / 1000)
    await vi.waitFor(async () => {
      const status = await readStatus(state)
      expect(status).toMatchObject({ connected: true, waiting: 0 })
      expect(status?.lastReceiptAt).toBeGreaterThan(since)
    }, WAIT)
  }
  return { ueid, state, logged, start, stopAgent, reports, identity: () => loadIdentity(state) }
}

test('an agent follows its collector to another key and authority, without anybody touching it', async () => {
  const { start, reports, stop, serve, turn, keys, identity, state, logged } = await site()
  await start()
  await reports()
  const before = await identity()
  await stop()
  await turn({ signingKey: true, authority: true })
  await serve()
  await reports()
  const after = await identity()
  const now = await keys()
  expect(toHex(after.collector.key.thumbprint)).toBe(toHex(now.signer.keyId))
  expect(toHex(before.collector.key.thumbprint)).not.toBe(toHex(now.signer.keyId))
  expect(certificatesIn(after.tls.certificateAuthority)).toHaveLength(2)
  // The new authorities were used, and then the former ones forgotten.
  await vi.waitFor(async () => expect((await identity()).trust).toMatchObject({ number: 1, fallback: null }), WAIT)
  // What the collector concluded before is shown on, and what it concludes now too.
  await vi.waitFor(async () => expect((await readStatus(state))?.result?.liveness).toBe('fresh'), WAIT)
  expect(logged.filter((line) => line.includes('statement 1 is followed'))).toHaveLength(1)
}, 240_000)

test('an agent that was off while keys, authorities and addresses changed twice finds its way at its next start', async () => {
  const { start, stopAgent, reports, stop, serve, turn, identity, keys, move, urls } = await site()
  const agent = await start()
  await reports()
  await stopAgent(agent)
  await stop()
  const left = urls()
  await turn({ signingKey: true, authority: true })
  // No server certificate by the authority that this device knows is left.
  await turn({ signingKey: true, authority: true, dropFormer: true })
  const [first] = certificatesIn((await identity()).tls.certificateAuthority)
  expect(certificatesIn((await keys()).authorities)).not.toContain(first)
  const https = Number(new URL(left.collectorUrl).port)
  move({ https, mqtt: await freePort() })
  await turn({})
  await serve()
  await start()
  await reports()
  const { collector, trust, tls } = await identity()
  expect(trust.number).toBe(3)
  expect(collector.mqttUrl).toBe(urls().mqttUrl)
  expect(collector.mqttUrl).not.toBe(left.mqttUrl)
  expect(toHex(collector.key.thumbprint)).toBe(toHex((await keys()).signer.keyId))
  expect(new X509Certificate(tls.certificateAuthority).fingerprint256).toBe(
    new X509Certificate((await keys()).authority.certificate).fingerprint256,
  )
}, 180_000)

test('an agent that was sent to a broker that is not there goes on where it was, and follows when it is put right', async () => {
  const { start, reports, stop, serve, turn, identity, urls, logged } = await site()
  await start()
  await reports()
  await stop()
  const wrong = `mqtts://127.0.0.1:${await freePort()}`
  await turn({ mqttUrl: wrong })
  await serve()
  await vi.waitFor(async () => expect((await identity()).collector.mqttUrl).toBe(wrong), WAIT)
  await vi.waitFor(() => expect(logged.some((line) => line.includes('in the former way'))).toBe(true), WAIT)
  await reports()
  expect((await identity()).trust.fallback?.mqttUrl).toBe(urls().mqttUrl)
  await stop()
  await turn({})
  await serve()
  await vi.waitFor(async () => {
    const { collector, trust } = await identity()
    expect([collector.mqttUrl, trust.number, trust.fallback]).toEqual([urls().mqttUrl, 2, null])
  }, WAIT)
  await reports()
}, 240_000)

test('an agent whose broker shows a certificate that has expired says why, once, and goes on when there is another', async () => {
  const { start, reports, stop, serve, keys, urls, state, logged } = await site()
  await start()
  await reports()
  await stop()
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const cert = await issueCertificate((await keys()).authority, {
    subject: { role: 'server', names: ['127.0.0.1'] },
    publicKeyInfo: publicKey.export({ format: 'der', type: 'spki' }),
    notBefore: Date.now() - 1_800_000,
    notAfter: Date.now() - 60_000,
    random,
  })
  const broker = createServer({ key: privateKey.export({ format: 'pem', type: 'pkcs8' }), cert })
  broker.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => broker.listen(Number(new URL(urls().mqttUrl).port), '127.0.0.1', resolve))
  const why = 'not connected: certificate has expired'
  const told = (level: string): number => logged.filter((line) => line.includes(` ${level} ${why}`)).length
  await vi.waitFor(async () => expect((await readStatus(state))?.problem).toBe(why), WAIT)
  await vi.waitFor(() => expect(told('debug')).toBeGreaterThan(1), WAIT)
  expect(told('warn')).toBe(1)
  await new Promise((resolve) => broker.close(resolve))
  await serve()
  await reports()
  expect((await readStatus(state))?.problem).toBeNull()
}, 240_000)

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { loadIdentity } from '../../../agent/state/identity.ts'
import { createApiToken } from '../../../collector/api/authentication.ts'
import type { Collector } from '../../../collector/app.ts'
import { connect } from '../../../collector/cli/client/api.ts'
import { loadOrCreateKeys } from '../../../collector/trust/keys.ts'
import { rotate } from '../../../collector/trust/rotation.ts'
import { FleetSeed } from '../../../deploy/simulator/keys/seed.ts'
import { serialOf } from '../../../deploy/simulator/keys/gateway-keys.ts'
import { runFleet, type FleetRun } from '../../../deploy/simulator/run.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { random } from '../../../shared/crypto/node.ts'
import { freePort } from '../../support/mosquitto.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { runCollector, Workbench } from '../../support/test-collector.ts'

const scratch = useScratchDirectories('simulator-succession')
const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0).reverse()) await stop()
})

const GATEWAYS = 3
const WAIT = { timeout: 60_000, interval: 200 }

/** A collector on ports that stay, and a fleet that can be let run at it. */
async function site() {
  const directory = scratch()
  const [https, mqtt] = [await freePort(), await freePort()]
  const urls = { collectorUrl: `https://127.0.0.1:${https}`, mqttUrl: `mqtts://127.0.0.1:${mqtt}` }
  let collector: Collector | undefined
  const serve = async (): Promise<void> => {
    const settings = [
      `mqtt.listen_port=${mqtt}`,
      `http.port=${https}`,
      `http.public_url=${urls.collectorUrl}`,
      `mqtt.public_url=${urls.mqttUrl}`,
      'freshness.epoch_period_seconds=10',
      'receipts.min_interval_seconds=0',
    ]
    collector = await runCollector(directory, ...settings)
  }
  const stop = async (): Promise<void> => {
    await collector?.stop()
    collector = undefined
  }
  running.push(stop)
  const keys = () => loadOrCreateKeys({ dataDirectory: join(directory, 'data'), now: Date.now(), random })
  const turn = async () =>
    rotate({
      keys: await keys(),
      signingKey: true,
      authority: true,
      dropFormer: false,
      ...urls,
      now: Date.now(),
      random,
    })
  await serve()
  const bench = await Workbench.open(directory)
  running.push(() => bench.close())
  const owner = { name: 'simulator', role: 'operator', scope: null, expiresAt: null } as const
  const token = await createApiToken(bench.store, owner, { now: Date.now(), random })
  const environment = {
    KEEPSEAL_URL: urls.collectorUrl,
    KEEPSEAL_TOKEN: token.text,
    // The certificate of the server serves on, by the authority that was there first.
    KEEPSEAL_CA_FILE: join(directory, 'first-authority.pem'),
  }
  writeFileSync(environment.KEEPSEAL_CA_FILE, bench.ca)
  const said: string[] = []
  const gateways = join(directory, 'gateways')
  const run = (stop: AbortSignal): FleetRun => ({
    api: connect({ url: undefined, tokenFile: undefined, caFile: undefined, config: undefined }, environment),
    authorities: bench.ca,
    directory: gateways,
    seed: new FleetSeed('succession'),
    gateways: GATEWAYS,
    networks: { always: 1 },
    scenario: { title: 'nothing happens', durationSeconds: 36_000, steps: [], findings: [] },
    speed: 60,
    approve: false,
    stop,
    say: (line) => said.push(line),
  })
  const identities = () =>
    Promise.all(Array.from({ length: GATEWAYS }, (_, index) => loadIdentity(join(gateways, serialOf(index)))))
  /** Waits until reports of all gateways are fresh that came from now on: they answer an epoch by the key in force. */
  const reported = async (): Promise<void> => {
    const since = Date.now()
    await vi.waitFor(async () => {
      const { items } = await bench.store.devices.list({ limit: 100 })
      expect(items.filter(({ state }) => (state.lastFreshAt ?? 0) > since + 1000)).toHaveLength(GATEWAYS)
    }, WAIT)
  }
  return { serve, stop, turn, keys, said, run, identities, reported }
}

test('simulated gateways follow their collector to its next key, while they run and when they come back', async () => {
  const { serve, stop, turn, keys, said, run, identities, reported } = await site()
  const trusted = async () =>
    (await identities()).map(({ trust, collector }) => [trust.number, toHex(collector.key.thumbprint)])
  const first = new AbortController()
  running.push(async () => first.abort())
  const ran = runFleet(run(first.signal))
  await reported()
  await stop()
  await turn()
  await serve()
  await reported()
  expect(said).toContain('the collector was followed to statement 1')
  const one = toHex((await keys()).signer.keyId)
  expect(await trusted()).toEqual(Array.from({ length: GATEWAYS }, () => [1, one]))
  first.abort()
  expect((await ran).refused).toEqual({})
  // And once more while nobody is there.
  await stop()
  await turn()
  await serve()
  const second = new AbortController()
  running.push(async () => second.abort())
  const again = runFleet(run(second.signal))
  await reported()
  second.abort()
  expect((await again).refused).toEqual({})
  const two = toHex((await keys()).signer.keyId)
  expect(await trusted()).toEqual(Array.from({ length: GATEWAYS }, () => [2, two]))
}, 180_000)

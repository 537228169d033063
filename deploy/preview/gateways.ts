import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { connect } from '../../collector/cli/client/api.ts'
import { FleetSeed } from '../simulator/keys/seed.ts'
import { runFleet, SIMULATED_PRODUCT } from '../simulator/run.ts'
import type { Scenario } from '../simulator/scenario.ts'
import type { PreviewPorts } from './ports.ts'

const GATEWAYS = 6
/** A report in five seconds of each. */
const SPEED = 60
const MINUTE = 60
const YEAR = 365 * 86_400

/** Of six, one boots a foreign kernel and another opens a port; nothing happens to the others. */
const SCENARIO: Scenario = {
  title: 'one gateway is tampered with, one drifts',
  durationSeconds: YEAR,
  steps: [
    { atSeconds: 15 * MINUTE, gateways: { first: 1 }, change: { kind: 'tampered-boot' } },
    {
      atSeconds: 15 * MINUTE,
      gateways: { from: 1 / GATEWAYS, to: 2 / GATEWAYS },
      change: { kind: 'listener', port: 4444, executable: '/tmp/nc' },
    },
  ],
  findings: ['boot.kernel-changed', 'sockets.listener-added'],
}

export interface SimulatedGateways {
  /** Resolves when the collector has found out what was done to them; also when that takes too long, or they fail. */
  readonly found: Promise<void>
  stop(): Promise<void>
}

const NO_FLAGS = { url: undefined, tokenFile: undefined, caFile: undefined, config: undefined }
const Devices = v.object({ model: v.string(), latch: v.string(), verdict: v.string() })
const FOUND_TIMEOUT_MS = 60_000
const LOOK_MS = 500

/** Simulated gateways beside the real one, until the preview ends. They say of themselves that they are simulated. */
export function simulateGateways(home: string, ports: PreviewPorts, say: (line: string) => void): SimulatedGateways {
  const caFile = join(home, 'collector', 'keys', 'device-ca.pem')
  const api = connect(NO_FLAGS, {
    KEEPSEAL_URL: `https://localhost:${ports.https}`,
    KEEPSEAL_TOKEN: readFileSync(join(home, 'api-token'), 'utf8').trim(),
    KEEPSEAL_CA_FILE: caFile,
  })
  const ended = new AbortController()
  const over = new AbortController()
  const running = runFleet({
    api,
    authorities: readFileSync(caFile, 'utf8'),
    directory: join(home, 'gateways'),
    seed: new FleetSeed('preview'),
    gateways: GATEWAYS,
    networks: { always: 1 },
    scenario: SCENARIO,
    speed: SPEED,
    approve: true,
    stop: ended.signal,
    say: () => undefined,
  }).catch((error: unknown) => {
    over.abort()
    if (!ended.signal.aborted) say(`The simulated gateways have ended: ${error instanceof Error ? error.message : ''}`)
  })
  const stopped = AbortSignal.any([ended.signal, over.signal])
  const look = async (): Promise<void> => {
    for (const end = Date.now() + FOUND_TIMEOUT_MS; Date.now() < end && !stopped.aborted;) {
      const devices = (await api.list('/devices', {}, Devices, 100)).items
      const simulated = devices.filter(({ model }) => model === SIMULATED_PRODUCT.model)
      const has = (test: (device: (typeof simulated)[number]) => boolean): boolean => simulated.some(test)
      if (has(({ latch }) => latch === 'failed') && has(({ verdict }) => verdict === 'warning')) {
        say(`Of ${simulated.length} simulated gateways one was tampered with, and one drifts.`)
        return
      }
      await sleep(LOOK_MS, undefined, { signal: stopped }).catch(() => undefined)
    }
  }
  return {
    found: look(),
    async stop() {
      ended.abort()
      await running
    },
  }
}

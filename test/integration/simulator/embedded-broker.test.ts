import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiToken } from '../../../collector/api/authentication.ts'
import type { Collector } from '../../../collector/app.ts'
import { connect } from '../../../collector/cli/client/api.ts'
import { FleetSeed } from '../../../deploy/simulator/keys/seed.ts'
import { runFleet, SIMULATED_PRODUCT, type FleetRun } from '../../../deploy/simulator/run.ts'
import type { Scenario } from '../../../deploy/simulator/scenario.ts'
import { random } from '../../../shared/crypto/node.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { runCollector, Workbench } from '../../support/test-collector.ts'

const GATEWAYS = 20

/** Of an hour that passes in a minute. */
const SPEED = 60
const scenario: Scenario = {
  title: 'one opens a port, another boots a foreign kernel',
  durationSeconds: 1_200,
  steps: [
    { atSeconds: 600, gateways: { first: 1 }, change: { kind: 'listener', port: 4444, executable: '/tmp/nc' } },
    { atSeconds: 600, gateways: { from: 0.95, to: 1 }, change: { kind: 'tampered-boot' } },
  ],
  findings: ['sockets.listener-added', 'boot.kernel-changed'],
}

describe('simulated gateways at a running collector', () => {
  const scratch = useScratchDirectories('simulator')
  let collector: Collector
  let bench: Workbench
  let run: FleetRun
  const said: string[] = []

  beforeAll(async () => {
    const directory = scratch()
    collector = await runCollector(directory)
    bench = await Workbench.open(directory)
    const token = await createApiToken(
      bench.store,
      { name: 'simulator', role: 'operator', scope: null, expiresAt: null },
      { now: Date.now(), random },
    )
    const environment = {
      KEEPSEAL_URL: `https://localhost:${collector.servers.httpsPort}`,
      KEEPSEAL_TOKEN: token.text,
      KEEPSEAL_CA_FILE: join(directory, 'data', 'keys', 'device-ca.pem'),
    }
    const flags = { url: undefined, tokenFile: undefined, caFile: undefined, config: undefined }
    run = {
      api: connect(flags, environment),
      authorities: bench.ca,
      directory: join(directory, 'gateways'),
      seed: new FleetSeed('integration'),
      gateways: GATEWAYS,
      networks: { always: 1 },
      scenario,
      speed: SPEED,
      approve: true,
      stop: new AbortController().signal,
      say: (line) => said.push(line),
    }
  })
  afterAll(async () => {
    await bench.close()
    await collector.stop()
  })

  const devices = async () => {
    const { items } = await bench.store.devices.list({ limit: 100 })
    return items.filter(({ device }) => device.model === SIMULATED_PRODUCT.model)
  }
  const findings = async () => {
    const { items } = await bench.store.findings.list({ limit: 500 })
    return items.map(({ finding }) => finding.code).sort()
  }

  it('enrol, report, are approved, and two of them are found out, each once', { timeout: 120_000 }, async () => {
    const summary = await runFleet(run)
    expect(summary).toMatchObject({ refused: {}, lost: 0 })
    expect(summary.receipted).toBeGreaterThan(GATEWAYS)
    expect(await findings()).toEqual(['boot.kernel-changed', 'sockets.listener-added'])
    const found = await devices()
    expect(found).toHaveLength(GATEWAYS)
    expect(new Set(found.map(({ device }) => device.identity))).toEqual(new Set(['tpm-tofu']))
    const verdicts = found.map(({ state }) => state.verdict).sort()
    const good = Array.from({ length: GATEWAYS - 2 }, () => 'affirming')
    expect(verdicts).toEqual([...good, 'contraindicated', 'warning'])
  })

  it('come back as themselves, as gateways that were restarted', { timeout: 60_000 }, async () => {
    const ueids = (await devices()).map(({ device }) => device.ueid)
    await runFleet({ ...run, approve: false, scenario: { ...scenario, durationSeconds: 400, steps: [] } })
    expect((await devices()).map(({ device }) => device.ueid)).toEqual(ueids)
    // No TPM looks as if it was cleared, and no agent like a copy.
    expect(await findings()).toEqual(['boot.kernel-changed', 'sockets.listener-added'])
  })
})

import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { connect } from '../../collector/cli/client/api.ts'
import { FleetSeed } from '../../deploy/simulator/keys/seed.ts'
import { runFleet } from '../../deploy/simulator/run.ts'
import { repository } from '../architecture/sources.ts'
import { run } from '../vm/run.ts'
import { Engine } from './engine.ts'

/** The set of compose.yaml as it is, with the steps that its first lines tell, on its own networks and ports. */

const SERVICES = ['database', 'broker', 'collector'] as const

let engine: Engine
let work: string
let folder: string
const ids: Record<string, string> = {}

const compose = (...words: readonly string[]): string =>
  run('podman-compose', words, { cwd: folder, env: engine.environment })

beforeAll(() => {
  engine = new Engine(inject('engine'))
  work = mkdtempSync(join(tmpdir(), 'keepseal-compose-'))
  cpSync(join(repository, 'deploy'), join(work, 'deploy'), { recursive: true })
  folder = join(work, 'deploy', 'container')
})

afterAll(() => {
  engine.clear()
  rmSync(work, { recursive: true, force: true })
})

/** The lines that are to be typed before the first start. */
function firstSteps(): string {
  const text = readFileSync(join(folder, 'compose.yaml'), 'utf8')
  const steps = [...text.matchAll(/^# {3}(.+)$/gm)].map(([, line = '']) => line)
  // There is no terminal here.
  return steps.join('\n').replace('podman-compose run ', 'podman-compose run -T ')
}

describe('the set of compose.yaml', () => {
  it('starts after the steps that it tells, and each of its services is healthy', async () => {
    const steps = firstSteps()
    expect(steps).toContain('broker-certificate')
    run('sh', ['-euc', steps], { cwd: folder, env: engine.environment })
    compose('up', '--detach')
    for (const service of SERVICES) {
      const label = `label=com.docker.compose.service=${service}`
      ids[service] = engine.podman('ps', '--quiet', '--no-trunc', '--filter', label)
      await engine.becomesHealthy(ids[service])
    }
  })

  it.each(SERVICES)('runs %s without root, capabilities, new privileges and a writable root', (service) => {
    const status = engine.podman('exec', ids[service] ?? '', 'cat', '/proc/1/status')
    expect(status).toMatch(/^Uid:\t(?!0\t)\d+/m)
    expect(status).toMatch(/^CapPrm:\t0{16}$/m)
    expect(status).toMatch(/^CapBnd:\t0{16}$/m)
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(() => engine.podman('exec', ids[service] ?? '', 'touch', '/any')).toThrow(/Read-only file system/)
  })

  it('asks for the password of the database on its socket too', () => {
    const query = [
      'psql',
      '--no-password',
      '-h',
      '/run/postgresql',
      '-U',
      'keepseal-collector',
      'keepseal',
      '-c',
      'select 1',
    ]
    expect(() => engine.podman('exec', ids['collector'] ?? '', ...query)).toThrow(/no password supplied/)
  })

  it('lets nobody to the broker without a certificate of its authority', () => {
    const ca = join(folder, 'certificates', 'ca.pem')
    const parameters = [
      's_client',
      '-connect',
      'localhost:8883',
      '-CAfile',
      ca,
      '-verify_hostname',
      'localhost',
      '-tls1_3',
    ]
    // An MQTT CONNECT, so that it has to answer.
    const { stdout, stderr } = spawnSync('openssl', [...parameters, '-quiet', '-verify_return_error'], {
      input: Buffer.from('\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a', 'latin1'),
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect([stdout, stderr]).toEqual(['', expect.stringMatching(/certificate required/)])
  })

  it('enrols gateways, and accepts what they report', async () => {
    const command = ['node', '/opt/keepseal/dist/collector/main.js', 'api-token', 'create', '--role', 'operator']
    const token = engine.podman('exec', ids['collector'] ?? '', ...command, '--name', 'Ada')
    const caFile = join(work, 'ca.pem')
    const ca = engine.podman('exec', ids['collector'] ?? '', 'cat', '/var/lib/keepseal-collector/keys/device-ca.pem')
    writeFileSync(caFile, `${ca}\n`)
    const flags = { url: undefined, tokenFile: undefined, caFile: undefined, config: undefined }
    const environment = { KEEPSEAL_URL: 'https://localhost:8443', KEEPSEAL_TOKEN: token, KEEPSEAL_CA_FILE: caFile }
    const summary = await runFleet({
      api: connect(flags, environment),
      authorities: ca,
      directory: join(work, 'gateways'),
      seed: new FleetSeed('compose'),
      gateways: 2,
      networks: { always: 1 },
      scenario: { title: 'nothing happens', durationSeconds: 1800, steps: [], findings: [] },
      speed: 60,
      approve: true,
      stop: new AbortController().signal,
      say: (line) => console.log(`compose: ${line}`),
    })
    console.log('compose:', JSON.stringify(summary))
    expect(summary.receipted).toBeGreaterThanOrEqual(2)
    expect(summary.refused).toEqual({})
  })
})

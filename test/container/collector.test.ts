import { request } from 'node:https'
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest'
import { freePort } from '../support/mosquitto.ts'
import { Engine } from './engine.ts'

/** The image, built of the Containerfile as it is, and run as compose.yaml runs it. Told in order. */

const IMAGE = 'keepseal-collector'
const HARDENED = ['--read-only', '--cap-drop', 'all', '--security-opt', 'no-new-privileges', '--tmpfs', '/tmp']

let engine: Engine
let port: number
let id: string

beforeAll(() => {
  engine = new Engine(inject('engine'))
})

afterAll(() => engine.clear())

async function startCollector(): Promise<void> {
  port = await freePort()
  const publicUrl = `KEEPSEAL_COLLECTOR_HTTP__PUBLIC_URL=https://localhost:${port}`
  const reached = ['--publish', `127.0.0.1:${port}:8443`, '--volume', 'state:/var/lib/keepseal-collector']
  id = engine.podman('run', '--detach', ...HARDENED, ...reached, '--env', publicUrl, IMAGE)
  await engine.becomesHealthy(id)
}

const inside = (...words: readonly string[]): string => engine.podman('exec', id, ...words)
const collectorId = (): string => inside('cat', '/var/lib/keepseal-collector/keys/collector-id')

/** By the collector's own authority alone. */
function get(path: string, token?: string): Promise<{ readonly status: number; readonly text: string }> {
  const ca = inside('cat', '/var/lib/keepseal-collector/keys/device-ca.pem')
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` }
  return new Promise((resolve, reject) => {
    const outgoing = request(`https://localhost:${port}${path}`, { ca, headers, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

describe('the image of the collector', () => {
  let token: string
  let firstId: string

  it('becomes healthy by its own check', async () => {
    await startCollector()
    expect(engine.podman('inspect', '--format', '{{.State.Health.Status}}', id)).toBe('healthy')
  })

  it('runs without root, capabilities, new privileges and a writable root', () => {
    const status = inside('cat', '/proc/1/status')
    expect(status).toMatch(/^Uid:\t10001\t10001\t10001\t10001$/m)
    expect(status).toMatch(/^Gid:\t10001\t10001\t10001\t10001$/m)
    for (const set of ['CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(status).toMatch(new RegExp(`^${set}:\t0{16}$`, 'm'))
    expect(status).toMatch(/^NoNewPrivs:\t1$/m)
    expect(status).toMatch(/^Seccomp:\t2$/m)
    expect(() => inside('touch', '/opt/keepseal/any')).toThrow(/Read-only file system/)
  })

  it('serves pages and API, and the API to nobody without a token', async () => {
    token = inside(
      'node',
      '/opt/keepseal/dist/collector/main.js',
      'api-token',
      'create',
      '--role',
      'operator',
      '--name',
      'Ada',
    )
    const page = await get('/')
    expect([page.status, page.text.includes('<!doctype html>')]).toEqual([200, true])
    expect((await get('/api/v1/devices')).status).toBe(401)
    expect((await get('/api/v1/devices', token)).status).toBe(200)
  })

  it('has the program that backs PostgreSQL up, and no compiler', () => {
    expect(inside('pg_dump', '--version')).toMatch(/^pg_dump/)
    expect(() => inside('sh', '-c', 'command -v g++ || command -v make || command -v python3')).toThrow()
  })

  it('ends by SIGTERM, without a fault', () => {
    firstId = collectorId()
    const started = Date.now()
    engine.podman('kill', '--signal', 'TERM', id)
    expect(engine.podman('wait', id)).toBe('0')
    console.log(`image: ended in ${Date.now() - started} ms`)
    engine.podman('rm', id)
  })

  it('keeps its identity and its tokens in the volume, for the next container', async () => {
    await startCollector()
    expect(collectorId()).toBe(firstId)
    expect((await get('/api/v1/devices', token)).status).toBe(200)
  })
})

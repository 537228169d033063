import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadCollectorConfig } from '../../collector/config/load.ts'
import { repository } from '../architecture/sources.ts'

interface Service {
  readonly user: string
  readonly read_only: boolean
  readonly cap_drop: readonly string[]
  readonly privileged?: boolean
  readonly environment?: Readonly<Record<string, string>>
  readonly healthcheck?: unknown
  readonly volumes: readonly string[]
  readonly secrets?: readonly string[]
}

const folder = join(repository, 'deploy', 'container')
const compose = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, unknown>>
}
const image = readFileSync(join(folder, 'Containerfile'), 'utf8')

describe('the containers', () => {
  it.each(Object.entries(compose.services))('%s runs without root, capabilities and a writable root', (_, service) => {
    expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/)
    expect([service.read_only, service.cap_drop, service.privileged]).toEqual([true, ['ALL'], undefined])
  })

  it.each(Object.entries(compose.services))('%s tells whether it can do its work', (_, service) => {
    expect(service.healthcheck).toBeDefined()
  })

  it('ask the collector as its image does', () => {
    const [, own = '[]'] = /\nHEALTHCHECK [^[]*CMD (\[.*\])\n/.exec(image) ?? []
    expect(compose.services['collector']?.healthcheck).toMatchObject({
      test: ['CMD', ...(JSON.parse(own) as string[])],
    })
  })

  it('configure the collector by options that there are', () => {
    const environment = Object.fromEntries(
      Object.entries(compose.services['collector']?.environment ?? {}).map(([name, value]) => [
        name,
        // What compose makes of it where nothing else is set.
        value.replace(/^\$\{[A-Z_]+:-(.*)\}$/, '$1'),
      ]),
    )
    const { values } = loadCollectorConfig({ config: '/dev/null' }, environment)
    expect(values.store.engine).toBe('postgresql')
    expect(values.mqtt.broker).toBe('mqtts://broker:8883')
  })

  it('name volumes that there are', () => {
    const named = Object.values(compose.services).flatMap(({ volumes }) =>
      volumes.map((volume) => volume.split(':')[0] ?? '').filter((source) => /^\w/.test(source)),
    )
    expect(named.filter((name) => !Object.hasOwn(compose.volumes, name))).toEqual([])
  })

  it('give each service secrets that no other one has', () => {
    const secrets = Object.values(compose.services).flatMap(({ secrets: own = [] }) => own)
    expect(new Set(secrets).size).toBe(secrets.length)
    expect(secrets.length).toBeGreaterThan(0)
  })

  it('mount nothing into what is mounted read-only, where no mount point can be made', () => {
    for (const { volumes } of Object.values(compose.services)) {
      const mounts = volumes.map((volume) => volume.split(':'))
      const readOnly = mounts.filter(([, , mode]) => mode === 'ro').map(([, target = '']) => `${target}/`)
      expect(mounts.filter(([, target = '']) => readOnly.some((parent) => target.startsWith(parent)))).toEqual([])
    }
  })

  it('start the image as the user that it makes', () => {
    expect(image).toMatch(/\nUSER 10001:10001\n/)
    expect(compose.services['collector']?.user).toBe('10001:10001')
  })
})

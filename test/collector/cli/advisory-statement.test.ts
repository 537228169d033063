import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { saveDebianPosture } from '../../support/debian-posture.ts'
import { NOW, storedDevice, storedProduct } from '../store/samples.ts'
import { useCollector } from './support.ts'

const WIDE = (text: string) => text.split('\n').filter((line) => line.length > 80)

describe('keepseal advisory, for some devices of a product', () => {
  const collector = useCollector()

  /** Two devices with an old zlib, of which one has telnetd as well. */
  async function withDevices() {
    const { store, run, directory } = collector()
    const product = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    const zlib = { name: 'zlib1g', version: '1:1.2.13-1', source: 'zlib' }
    const devices = []
    for (const [name, packages] of [
      ['a', [zlib]],
      ['b', [zlib, { name: 'telnetd', version: '1' }]],
    ] as const) {
      const device = await storedDevice(store, name, product.id)
      const postureDigest = await saveDebianPosture(store, 'Acme', name, packages)
      await store.devices.saveState(device.id, { ...initialDeviceState, postureDigest, lastFreshAt: NOW })
      devices.push(device)
    }
    const file = join(directory, 'dsa.json')
    const affected = [{ package: { ecosystem: 'Debian:12', name: 'zlib' }, versions: ['1:1.2.13-1'] }]
    writeFileSync(file, JSON.stringify({ id: 'DSA-1000', modified: '2026-01-01T00:00:00Z', affected }))
    await run('vendor', 'advisory', 'import', file, '--feed', 'debian', '--of', 'distribution')
    return { ...collector(), devices, until: new Date(NOW + 86_400_000).toISOString() }
  }

  it('declares a configuration, states what it means there, shows it, and takes it back', async () => {
    const { run, store, devices, until } = await withDevices()
    const of = ['advisory', 'configuration']
    const declared = await run('vendor', ...of, 'declare', 'Gate 7', 'no-telnet', '--when', 'package-absent:telnetd')
    expect(declared).toMatchObject({ code: 0 })
    expect(await run('vendor', ...of, 'declare', 'Gate 7', 'no-telnet', '--when', 'package-absent:curl')).toMatchObject(
      { code: 4 },
    )
    expect(await run('vendor', ...of, 'declare', 'Gate 7', 'x', '--when', 'it is well')).toMatchObject({ code: 2 })
    await computeExposures(store)
    const listed = await run('auditor', ...of, 'list', 'Gate 7')
    expect(listed.stdout).toContain('no-telnet: 1 of 2 devices')
    const stating = ['DSA-1000', '--product', 'Gate 7', '--configuration', 'no-telnet', '--until', until]
    const why = ['--justification', 'component_not_present', '--reason', 'nobody calls it but telnetd']
    const status = ['--status', 'not-affected']
    expect(await run('vendor', 'advisory', 'state', ...stating, ...status, '--reason', 'x')).toMatchObject({ code: 2 })
    expect(await run('auditor', 'advisory', 'state', ...stating, ...status, ...why)).toMatchObject({ code: 4 })
    const said = await run('vendor', 'advisory', 'state', ...stating, ...status, ...why)
    expect(said.stdout).toContain('DSA-1000 is not-affected for configuration no-telnet')

    const [a, b] = devices.map(({ ueid }) => ueid)
    expect(await run('auditor', 'device', 'vulnerabilities', a ?? '')).toMatchObject({ code: 0 })
    expect(await run('auditor', 'device', 'vulnerabilities', b ?? '')).toMatchObject({ code: 1 })
    const all = await run('auditor', 'device', 'vulnerabilities', a ?? '', '--all')
    expect(all.stdout.replace(/\s+/g, ' ')).toContain('otherwise affected, until')
    const shown = await run('auditor', 'advisory', 'show', 'DSA-1000')
    expect(shown.stdout.replace(/\s+/g, ' ')).toContain('for configuration no-telnet: nobody calls it')
    const list = await run('auditor', 'advisory', 'list', '--product', 'Gate 7')
    expect(list).toMatchObject({ code: 1 })
    const statements = await run('auditor', 'advisory', 'statements', '--product', 'Gate 7')
    expect(statements.stdout).toContain('component_not_present')
    for (const { stdout } of [said, listed, all, shown, list, statements]) expect(WIDE(stdout)).toEqual([])

    const { items } = JSON.parse((await run('auditor', 'advisory', 'statements', '--json')).stdout) as {
      items: { id: string }[]
    }
    expect(await run('vendor', ...of, 'remove', 'Gate 7', 'no-telnet')).toMatchObject({ code: 4 })
    expect(await run('vendor', 'advisory', 'end', items[0]?.id ?? '')).toMatchObject({ code: 0 })
    expect(await run('vendor', 'advisory', 'end', items[0]?.id ?? '')).toMatchObject({ code: 4 })
    expect(await run('auditor', 'device', 'vulnerabilities', a ?? '')).toMatchObject({ code: 1 })
    expect((await run('auditor', 'advisory', 'statements')).stdout).toContain('Nothing was said')
    expect((await run('auditor', 'advisory', 'statements', '--all')).stdout).toContain('over since')
  })

  it('excludes it for a group, or for labels, and keeps a group that was named', async () => {
    const { run, devices, until } = await withDevices()
    const [a, b] = devices.map(({ ueid }) => ueid)
    await run('vendor', 'group', 'create', 'lab', 'site=lab')
    const excluding = ['DSA-1000', '--product', 'Gate 7', '--reason', 'not connected', '--until', until]
    expect(await run('vendor', 'advisory', 'exclude', ...excluding, '--group', 'lab')).toMatchObject({ code: 0 })
    const both = ['--group', 'lab', '--label', 'site=lab']
    expect(await run('vendor', 'advisory', 'exclude', ...excluding, ...both)).toMatchObject({ code: 1 })
    expect(await run('auditor', 'device', 'vulnerabilities', a ?? '')).toMatchObject({ code: 1 })
    // Also while no device is in it.
    const empty = await run('auditor', 'advisory', 'show', 'DSA-1000')
    expect(empty.stdout.replace(/\s+/g, ' ')).toContain('DSA-1000 is excluded for environment lab until')
    await run('vendor', 'device', 'label', a ?? '', 'site=lab')
    expect(await run('auditor', 'device', 'vulnerabilities', a ?? '')).toMatchObject({ code: 0 })
    expect(await run('auditor', 'device', 'vulnerabilities', b ?? '')).toMatchObject({ code: 1 })
    const shown = await run('auditor', 'advisory', 'show', 'DSA-1000')
    expect(shown.stdout.replace(/\s+/g, ' ')).toContain('for environment lab: not connected')
    expect(WIDE(shown.stdout)).toEqual([])
    expect(await run('vendor', 'group', 'remove', 'lab')).toMatchObject({ code: 4 })
    const vex = JSON.parse((await run('auditor', 'advisory', 'vex', '--product', 'Gate 7')).stdout) as {
      statements: { products: { '@id': string }[]; status: string }[]
    }
    const claims = vex.statements.map(({ products, status }) => `${products[0]?.['@id']} ${status}`).sort()
    expect(claims).toEqual(['pkg:generic/Acme/Gate%207 affected', 'pkg:generic/Acme/Gate%207?environment=lab affected'])
  })
})

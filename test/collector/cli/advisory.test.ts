import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { saveDebianPosture } from '../../support/debian-posture.ts'
import { NOW, storedDevice, storedProduct } from '../store/samples.ts'
import { useCollector } from './support.ts'

describe('keepseal advisory', () => {
  const collector = useCollector()

  /** Three devices of one product, with an old zlib; one more whose packages nobody knows. */
  async function withDevices() {
    const { store } = collector()
    const product = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    const digest = await saveDebianPosture(store, 'Acme', 'old', [
      { name: 'zlib1g', version: '1:1.2.13-1', source: 'zlib' },
      { name: 'odd', version: '1:1' },
    ])
    const devices = []
    for (const name of ['a', 'b', 'c', 'd']) {
      const device = await storedDevice(store, name, product.id)
      devices.push(device)
      if (name === 'd') continue
      const state = { ...initialDeviceState, postureDigest: digest, lastFreshAt: NOW, lastReceivedAt: NOW }
      await store.devices.saveState(device.id, state)
    }
    await computeExposures(store)
    return { ...collector(), product, devices }
  }

  const write = (name: string, value: unknown): string => {
    const path = join(collector().directory, name)
    writeFileSync(path, JSON.stringify(value))
    return path
  }

  it('writes an advisory, takes it in, and shows which devices it concerns and why', async () => {
    const { run, devices, directory } = await withDevices()
    const out = join(directory, 'acme.json')
    const options =
      'ACME-1 --package zlib --ecosystem Debian:12 --fixed 1:1.2.13-2 --severity high --alias CVE-2026-1000'.split(' ')
    const made = await run('vendor', 'advisory', 'new', ...options, '--summary', 'a lock that opens', '--out', out)
    expect(made).toMatchObject({ code: 0 })
    expect(await run('vendor', 'advisory', 'import', out)).toMatchObject({ code: 0 })
    const shown = await run('auditor', 'advisory', 'show', 'ACME-1')
    expect(shown.stdout).toContain('3 devices: zlib1g 1:1.2.13-1, fixed in 1:1.2.13-2')
    const list = await run('auditor', 'advisory', 'list', '--product', 'Gate 7')
    expect(list).toMatchObject({ code: 1 })
    expect(list.stdout).toContain('Of 1 device nobody knows the packages')
    const device = await run('auditor', 'device', 'vulnerabilities', devices[0]?.ueid ?? '')
    expect(device).toMatchObject({ code: 1 })
    expect(device.stdout.replace(/\s+/g, ' ')).toContain('older than the fixed version')
    for (const { stdout } of [shown, list, device]) {
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    }
    const unknown = await run('auditor', 'device', 'vulnerabilities', devices[3]?.ueid ?? '', '--json')
    expect(unknown.code).toBe(1)
    expect(JSON.parse(unknown.stdout)).toMatchObject({ state: 'no-packages', items: [] })
    expect((await run('auditor', 'advisory', 'list', '--about', 'CVE-2026-1000')).stdout).toContain('ACME-1')
    expect((await run('auditor', 'advisory', 'feeds')).stdout).toContain('own')
  })

  it('says no more of what was excluded, until that is over, and of what VEX settles', async () => {
    const { run, devices } = await withDevices()
    const osv = (id: string) => ({
      id,
      modified: '2026-01-01T00:00:00Z',
      aliases: [`CVE-2026-${id.slice(-4)}`],
      affected: [{ package: { ecosystem: 'Debian:12', name: 'zlib' }, versions: ['1:1.2.13-1'] }],
    })
    const file = write('dsa.json', [osv('DSA-1000'), osv('DSA-1001')])
    await run('vendor', 'advisory', 'import', file, '--feed', 'debian', '--of', 'distribution')
    const until = new Date(NOW + 86_400_000).toISOString()
    const options = ['--product', 'Gate 7', '--reason', 'not reachable', '--until', until]
    expect(await run('vendor', 'advisory', 'exclude', 'DSA-1000', ...options)).toMatchObject({ code: 0 })
    const vex = write('vex.json', {
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': 'ACME-VEX-1',
      author: 'Acme',
      timestamp: '2026-01-01T00:00:00Z',
      version: 1,
      statements: [
        {
          vulnerability: 'CVE-2026-1001',
          products: [{ '@id': 'pkg:deb/debian/zlib?arch=source&distro=debian-12' }],
          status: 'not_affected',
          justification: 'vulnerable_code_not_present',
        },
      ],
    })
    await run('vendor', 'advisory', 'import', vex)
    const ueid = devices[0]?.ueid ?? ''
    expect(await run('auditor', 'device', 'vulnerabilities', ueid)).toMatchObject({ code: 0 })
    const all = await run('auditor', 'device', 'vulnerabilities', ueid, '--all')
    expect(all.stdout).toContain('excluded until')
    expect(all.stdout.replace(/\s+/g, ' ')).toContain(
      'not-affected, not affected, as is stated ("vulnerable code not present")',
    )
    const document = JSON.parse((await run('auditor', 'advisory', 'vex', '--product', 'Gate 7')).stdout) as {
      statements: { vulnerability: { name: string }; status: string }[]
    }
    const said = Object.fromEntries(document.statements.map((one) => [one.vulnerability.name, one.status]))
    expect(said).toMatchObject({ 'DSA-1000': 'affected', 'DSA-1001': 'not_affected' })
  })

  it('takes KEV and EPSS, each as a whole and not in the place of advisories', async () => {
    const { run, store, directory } = collector()
    const kev = { catalogVersion: '1', dateReleased: '2026-01-01T00:00:00Z', count: 1 }
    const file = write('kev.json', { ...kev, vulnerabilities: [{ cveID: 'CVE-2026-0001', dateAdded: '2026-02-01' }] })
    const scores = join(directory, 'epss.csv')
    writeFileSync(scores, '#model\ncve,epss,percentile\nCVE-2026-0001,0.5,0.9\nCVE-2026-0002,0.5,0.9\n')
    expect((await run('vendor', 'advisory', 'import', file)).stdout).toContain('1 fact about')
    expect(await run('vendor', 'advisory', 'import', scores)).toMatchObject({ code: 0 })
    const facts = await store.advisories.facts(['CVE-2026-0001'])
    expect(facts.get('CVE-2026-0001')).toMatchObject({ addedAt: Date.UTC(2026, 1, 1), probability: 500_000 })
    writeFileSync(scores, 'cve,epss,percentile\nCVE-2026-0001,0.5,0.9\n')
    expect(await run('vendor', 'advisory', 'import', scores)).toMatchObject({ code: 4 })
    expect((await store.advisories.facts(['CVE-2026-0002'])).size).toBe(1)
    await run(
      'vendor',
      'advisory',
      'import',
      write('a.json', { id: 'A-1', modified: '2026-01-01T00:00:00Z' }),
      '--feed',
      'x',
    )
    expect(await run('vendor', 'advisory', 'import', file, '--feed', 'x')).toMatchObject({ code: 4 })
    expect(await store.advisories.byId('A-1')).toHaveLength(1)
  })

  it('takes nothing of a document with a fault in it, and tells the place', async () => {
    const { run, store } = collector()
    const file = write('bad.json', [
      { id: 'A-1', modified: '2026-01-01T00:00:00Z' },
      { id: 'A 2', modified: 'x' },
    ])
    const refused = await run('vendor', 'advisory', 'import', file)
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('1.')
    expect((await store.advisories.list({ limit: 9 })).items).toEqual([])
    expect(await run('vendor', 'advisory', 'import', write('no.json', { hello: 1 }))).not.toMatchObject({ code: 0 })
    expect(await run('auditor', 'advisory', 'import', file)).toMatchObject({ code: 4 })
    expect(await run('auditor', 'advisory', 'show', 'A-1')).toMatchObject({ code: 1 })
  })
})

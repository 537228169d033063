import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { addAdvisories } from '../../../collector/advisories/import.ts'
import { createApiToken } from '../../../collector/api/authentication.ts'
import { parseOsv } from '../../../shared/advisories/osv.ts'
import { random } from '../../../shared/crypto/node.ts'
import { computeExposures } from '../../../collector/advisories/compute.ts'
import type { SocketsContent } from '../../../shared/posture/sections/sockets.ts'
import { goodPosture } from '../../support/postures.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'
import { NOW } from '../store/samples.ts'
import { useCollector } from './support.ts'

let now = NOW

describe('keepseal release sbom', () => {
  const collector = useCollector(undefined, () => now)

  const write = (name: string, value: unknown): string => {
    const path = join(collector().directory, name)
    writeFileSync(path, JSON.stringify(value))
    return path
  }

  const bill = (components: readonly object[]) => ({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { component: { type: 'firmware', name: 'Gate', version: '1.0' } },
    components: components.map((one) => ({ type: 'library', ...one })),
  })
  const LODASH = { name: 'lodash', version: '4.17.20', purl: 'pkg:npm/lodash@4.17.20' }
  const osv = (id: string, ecosystem: string, name: string, fixed: string, more: object = {}) => ({
    id,
    published: new Date(now).toISOString(),
    modified: new Date(now).toISOString(),
    database_specific: { severity: 'critical' },
    affected: [
      { package: { ecosystem, name }, ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }] },
    ],
    ...more,
  })

  /** Five devices on one release, of which one has another zlib and a package more. */
  async function withRelease() {
    now = NOW
    const { store } = collector()
    const fleet = await PracticeFleet.certified(store)
    const release = await fleet.release('1.0', 1)
    const { packages, system, sockets } = goodPosture()
    const onDebian = { ...system, os: { value: { id: 'debian', versionId: '12' } } }
    const listener: SocketsContent['listeners'][number] = {
      protocol: 'tcp',
      family: 'ipv4',
      scope: 'any',
      port: 443,
      owner: 'known',
      programs: [{ executable: '/usr/sbin/nginx', origin: 'package', package: 'nginx' }],
    }
    const of = (list: readonly { name: string; version: string }[]) => ({
      system: onDebian,
      sockets: { ...sockets, listeners: [listener], total: 1 },
      packages: { ...packages, packages: [...list], total: list.length },
    })
    const same = await fleet.posture(
      of([
        { name: 'zlib1g', version: '1:1.2.13-1' },
        { name: 'nginx', version: '1.22-1' },
      ]),
    )
    const other = await fleet.posture(
      of([
        { name: 'zlib1g', version: '1:1.2.11-1' },
        { name: 'nginx', version: '1.22-1' },
        { name: 'netcat', version: '1.2-1' },
      ]),
    )
    await fleet.add(4, { postureDigest: same, ...fleet.runs(release) })
    await fleet.add(1, { postureDigest: other, ...fleet.runs(release) })
    await computeExposures(store)
    return { ...collector(), fleet, release, reference: `${fleet.product.model}@1.0` }
  }

  it('matches what no package manager knows, and compares the rest with what devices report', async () => {
    const { run, fleet, reference } = await withRelease()
    const file = write(
      'gate.cdx.json',
      bill([
        LODASH,
        { name: 'blob' },
        { name: 'zlib1g', purl: 'pkg:deb/debian/zlib1g@1:1.2.13-1' },
        { name: 'nginx', purl: 'pkg:deb/debian/nginx@1.22-1' },
        { name: 'curl', purl: 'pkg:deb/debian/curl@7.88-1' },
      ]),
    )
    const taken = await run('vendor', 'release', 'sbom', 'import', reference, file)
    expect(taken).toMatchObject({ code: 0 })
    const shown = await run('auditor', 'release', 'sbom', 'show', reference)
    expect(shown.code).toBe(1)
    expect(shown.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    const words = shown.stdout.replace(/\s+/g, ' ')
    expect(words).toContain('components 5, of which 3 of package managers')
    expect(words).toContain('no version 1: nothing can be ruled out')
    expect(words).toContain('curl 7.88-1: 5 devices')
    expect(words).toContain('zlib1g 1:1.2.13-1: 1 device, which have 1:1.2.11-1')
    expect(words).toContain('netcat 1.2-1: 1 device')

    const advisory = write('ghsa.json', [
      osv('GHSA-1', 'npm', 'lodash', '4.17.21'),
      osv('GHSA-2', 'npm', 'lodash', '4.17.22', { database_specific: { severity: 'low' } }),
      // The device says itself what it has of these.
      osv('DSA-9', 'Debian:12', 'nginx', '1.24-1', { database_specific: { severity: 'critical' } }),
    ])
    await run('vendor', 'advisory', 'import', advisory, '--feed', 'test', '--of', 'distribution')
    const concerned = JSON.parse((await run('auditor', 'advisory', 'show', 'GHSA-1', '--json')).stdout)
    expect(concerned.effects).toMatchObject([
      { package: 'lodash', installed: '4.17.20', devices: 5, status: 'affected' },
    ])
    const device = await run('auditor', 'device', 'vulnerabilities', fleet.devices[0]?.ueid ?? '')
    expect(device.stdout).toContain('GHSA-1')

    const updates = await run('auditor', 'advisory', 'list', '--product', fleet.product.model, '--by', 'update')
    expect(updates.code).toBe(1)
    expect(updates.stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
    // Both are critical: what listens to the network comes first. One update settles both of lodash.
    expect(updates.stdout).toMatch(/^1\. nginx 1\.24-1 \(Debian 12\)/)
    expect(updates.stdout).toMatch(/^2\. lodash 4\.17\.22 \(npm\)\n {3}settles 2 advisories on 5 of 5 devices/m)
    expect(updates.stdout).toMatch(/it listens on tcp\/443/)
    expect(await run('auditor', 'advisory', 'list', '--by', 'update')).toMatchObject({ code: 2 })
  })

  it('counts a component in time to patch: until devices run a release without it', async () => {
    const { run, store, fleet, reference, release } = await withRelease()
    await run('vendor', 'release', 'sbom', 'import', reference, write('a.json', bill([LODASH])))
    await run('vendor', 'advisory', 'import', write('ghsa.json', osv('GHSA-1', 'npm', 'lodash', '4.17.21')))
    await fleet.days(2, 'patch-management')
    const sample = async () =>
      (await store.practices.samples(fleet.product.id, 0, 'patch.critical-time')).get('patch.critical-time')?.at(-1)
    expect(await sample()).toMatchObject({ known: 5, percentiles: { open: 5 } })
    const next = await fleet.release('1.1', 2)
    now = fleet.now
    const fixed = { ...LODASH, version: '4.17.21', purl: 'pkg:npm/lodash@4.17.21' }
    await run('vendor', 'release', 'sbom', 'import', `${fleet.product.model}@1.1`, write('b.json', bill([fixed])))
    for (const unit of fleet.devices.slice(0, 4)) {
      const { postureDigest } = await store.devices.stateOf(unit.id)
      await fleet.set(unit, { postureDigest, ...fleet.runs(next) })
    }
    await fleet.days(1, 'patch-management')
    expect(await sample()).toMatchObject({ known: 5, percentiles: { open: 1, p50: 3 * DAY } })
    expect(release.id).not.toBe(next.id)
  })

  it('is of the content that the release had: of another one it counts no more, and shows it', async () => {
    const { run, store, reference, release } = await withRelease()
    await run('vendor', 'release', 'sbom', 'import', reference, write('a.json', bill([LODASH])))
    await run('vendor', 'advisory', 'import', write('ghsa.json', osv('GHSA-1', 'npm', 'lodash', '4.17.21')))
    await store.releases.save({ ...release, digest: new Uint8Array(32).fill(9) })
    await computeExposures(store)
    const shown = await run('auditor', 'release', 'sbom', 'show', reference)
    expect(shown).toMatchObject({ code: 1 })
    expect(shown.stdout).toContain('other content by now')
    const { effects } = JSON.parse((await run('auditor', 'advisory', 'show', 'GHSA-1', '--json')).stdout)
    expect(effects).toEqual([])
  })

  it('takes nothing of what is wrong, from nobody who may not, and of two who write at once one', async () => {
    const { run, url, tokens, store, reference, release } = await withRelease()
    const bad = write('bad.json', bill([{ name: 'x', purl: 'nothing' }]))
    const refused = await run('vendor', 'release', 'sbom', 'import', reference, bad)
    expect(refused.code).toBe(4)
    expect(refused.stderr).toContain('components.0.purl')
    const good = write('good.json', bill([LODASH]))
    expect(await run('auditor', 'release', 'sbom', 'import', reference, good)).toMatchObject({ code: 4 })
    expect(await run('auditor', 'release', 'sbom', 'show', reference)).toMatchObject({ code: 1 })
    expect(await store.releaseSboms.ofRelease(release.id)).toBeUndefined()
    const put = (replaces: string | null, releaseDigest: string) =>
      fetch(`${url}/api/v1/releases/${release.id}/sbom`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${tokens.vendor}`, 'content-type': 'application/json' },
        body: JSON.stringify({ replaces, releaseDigest, document: JSON.stringify(bill([LODASH])) }),
      })
    const digest = Buffer.from(release.digest).toString('hex')
    expect((await put('0'.repeat(64), digest)).status).toBe(409)
    expect((await put(null, '0'.repeat(64))).status).toBe(409)
    expect((await put(null, digest)).status).toBe(200)
    expect((await put(null, digest)).status).toBe(409)
  })

  it('takes one of whoever is bound to a vendor, of his own releases alone', async () => {
    const { url, store, fleet, release } = await withRelease()
    const { store: all } = collector()
    // Advisories that came meanwhile, of which nobody has looked yet at what they mean.
    const record = parseOsv(osv('GHSA-1', 'npm', 'lodash', '4.17.21'))
    await addAdvisories(all, 'test', 'distribution', [record], NOW)
    const put = async (vendor: string): Promise<number> => {
      const bound = { name: vendor, role: 'vendor', scope: { vendor, products: null }, expiresAt: null } as const
      const { text } = await createApiToken(store, bound, { now: NOW, random })
      const releaseDigest = Buffer.from(release.digest).toString('hex')
      const response = await fetch(`${url}/api/v1/releases/${release.id}/sbom`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${text}`, 'content-type': 'application/json' },
        body: JSON.stringify({ replaces: null, releaseDigest, document: JSON.stringify(bill([LODASH])) }),
      })
      return response.status
    }
    expect(await put('Rival')).toBe(404)
    expect(await put(fleet.product.vendor)).toBe(200)
    const [inventory] = [...(await store.releaseSboms.inventories([release.id])).values()]
    expect(await store.exposures.of(inventory ?? 0)).toMatchObject([{ advisory: 'GHSA-1', status: 'affected' }])
  })

  it("shows what a vendor's own VEX says of the product in the version that devices run", async () => {
    const { run, fleet, store } = await withRelease()
    const { vendor, model } = fleet.product
    const document = {
      document: {
        category: 'csaf_vex',
        csaf_version: '2.0',
        title: 'Log4Shell',
        tracking: {
          id: 'ACME-VEX-7',
          status: 'final',
          initial_release_date: new Date(now).toISOString(),
          current_release_date: new Date(now).toISOString(),
        },
      },
      product_tree: {
        branches: [
          {
            category: 'vendor',
            name: vendor,
            branches: [
              {
                category: 'product_name',
                name: model,
                branches: [{ category: 'product_version', name: '1.0', product: { name: 'x', product_id: 'P1' } }],
              },
            ],
          },
        ],
      },
      vulnerabilities: [
        {
          cve: 'CVE-2021-44228',
          product_status: { known_not_affected: ['P1'] },
          threats: [{ category: 'impact', details: 'The class was removed before shipping.', product_ids: ['P1'] }],
        },
      ],
    }
    await run('vendor', 'advisory', 'import', write('vex.json', document))
    const shown = await run('auditor', 'advisory', 'show', 'ACME-VEX-7')
    expect(shown.stdout.replace(/\s+/g, ' ')).toContain(
      `5 devices: ${model} 1.0: not-affected, not affected, as is stated ("The class was removed before shipping.")`,
    )
    expect((await store.exposedDevices.groups()).every(({ release }) => release !== null)).toBe(true)
  })
})

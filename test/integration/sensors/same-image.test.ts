import { execFileSync } from 'node:child_process'
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { measurePosture, type MeasuredPosture } from '../../../agent/attest/posture.ts'
import { absent } from '../../../agent/measure/client/asked.ts'
import { createHost } from '../../../agent/sensors/host.ts'
import { knowSelf } from '../../../agent/self/self.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { PackagesContent } from '../../../shared/posture/sections/packages.ts'
import { SECTION_IDS } from '../../../shared/posture/sections.ts'
import { copyTree, debianTree } from '../../support/debian-tree.ts'
import { becomeUnit, type Unit } from '../../support/unit.ts'

const ONE: Unit = {
  name: 'gateway-0001',
  id: '0123456789abcdef0123456789abcdef',
  address: '192.168.7.20',
  firstPid: 400,
  uptimeSeconds: 3_600,
  installedAt: 1_750_000_000,
  checkedAt: 1_760_000_000,
  ephemeralPort: 'C001',
}

const OTHER: Unit = {
  name: 'gateway-0002',
  id: 'fedcba98765432100123456789abcde0',
  address: '10.11.12.13',
  firstPid: 21_234,
  uptimeSeconds: 31_536_000,
  installedAt: 1_751_234_567,
  checkedAt: 1_761_234_567,
  ephemeralPort: 'EA60',
}

function measure(root: string, unit: Unit): Promise<MeasuredPosture> {
  const set = [`product.serial=${unit.name}`, `log.level=${unit === ONE ? 'info' : 'debug'}`]
  const { values: config } = loadAgentConfig({ config: '/dev/null', set }, {})
  return measurePosture(createHost({ root, byteOrder: 'LE', self: knowSelf(config) }), NO_HELPER)
}

/** Only this very system has one. */
const NO_HELPER = { sections: async () => absent('a recorded system') }

const digestsOf = ({ posture }: MeasuredPosture): Record<string, string> =>
  Object.fromEntries([...posture].map(([id, digest]) => [id, toHex(digest)]))

// The newest release, and one whose packages are years older. Where a mirror has dropped it, its name says that.
describe.each(['stable', 'bullseye'])('two units of one image, Debian %s', (suite) => {
  const tree = debianTree(suite)
  const reason = 'root' in tree ? '' : ` (skipped: ${tree.obstacle})`

  describe.skipIf(reason !== '')(`made by debootstrap${reason}`, () => {
    const roots: Record<'one' | 'other', string> = { one: '', other: '' }
    let one: MeasuredPosture
    let other: MeasuredPosture

    beforeAll(async () => {
      if (!('root' in tree)) return
      roots.one = copyTree(tree.root)
      roots.other = copyTree(tree.root)
      becomeUnit(roots.one, ONE)
      becomeUnit(roots.other, OTHER)
      one = await measure(roots.one, ONE)
      other = await measure(roots.other, OTHER)
    }, 120_000)

    afterAll(() => {
      for (const root of Object.values(roots)) if (root !== '') rmSync(root, { recursive: true, force: true })
    }, 60_000)

    test('have one digest for every section', () => {
      expect(Object.keys(digestsOf(one)).sort()).toEqual([...SECTION_IDS].sort())
      expect(digestsOf(other)).toEqual(digestsOf(one))
      expect(toHex(other.postureDigest)).toBe(toHex(one.postureDigest))
    })

    test('are measured, so that what is equal is not that nothing was seen', () => {
      const statuses = Object.fromEntries([...one.measurements].map(([id, { reading }]) => [id, reading.status]))
      expect(statuses).toMatchObject({
        boot: 'measured',
        sockets: 'measured',
        packages: 'measured',
        'patch-level': 'measured',
        system: 'measured',
        'update-channel': 'measured',
        agent: 'measured',
      })
      expect(Object.values(statuses)).not.toContain('failed')
    })

    test('differ in the state and in what tells their boots apart alone', () => {
      const state = (posture: MeasuredPosture) => Object.fromEntries(posture.state)
      expect(state(one)['sockets.own-addresses']).toBe('tcp/192.168.7.20:443')
      expect(state(other)['sockets.own-addresses']).toBe('tcp/10.11.12.13:443')
      expect(state(one)['update-channel.last-check-age']).not.toBe(state(other)['update-channel.last-check-age'])
      expect(Object.keys(state(other)).sort()).toEqual(Object.keys(state(one)).sort())
      expect(toHex(one.bootId)).not.toBe(toHex(other.bootId))
      expect([one.uptimeSeconds, other.uptimeSeconds]).toEqual([ONE.uptimeSeconds, OTHER.uptimeSeconds])
    })

    test('have the packages that dpkg-query lists, item by item', () => {
      const reading = one.measurements.get('packages')?.reading
      if (reading?.status !== 'measured') throw new Error('not measured')
      const { packages } = reading.content as PackagesContent
      const admin = join(roots.one, 'var/lib/dpkg')
      const form = ['Package', 'Architecture', 'Version'].map((field) => `\${${field}}`).join(' ')
      const listed = execFileSync('dpkg-query', [`--admindir=${admin}`, '-W', '-f', `${form}\n`], { encoding: 'utf8' })
      expect(packages.map(({ name, architecture, version }) => `${name} ${architecture} ${version}`).sort()).toEqual(
        listed.trim().split('\n').sort(),
      )
      expect(packages.length).toBeGreaterThan(50)
    })

    test('of which one gets another package have other digests for what tells of packages, and only there', async () => {
      const added = 'Package: backdoor\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n'
      appendFileSync(join(roots.other, 'var/lib/dpkg/status'), added)
      const [before, after] = [digestsOf(one), digestsOf(await measure(roots.other, OTHER))]
      expect(SECTION_IDS.filter((id) => before[id] !== after[id])).toEqual(['packages'])
    })
  })
})

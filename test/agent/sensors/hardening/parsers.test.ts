import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseInittab } from '../../../../agent/sensors/hardening/logins.ts'
import { parseProfiles } from '../../../../agent/sensors/hardening/mandatory-access.ts'
import { isRemote, parseMountinfo } from '../../../../agent/sensors/hardening/mounts.ts'
import { isUnconfinedLabel } from '../../../../agent/sensors/hardening/unconfined.ts'
import { KERNEL_SETTINGS, settingStrength } from '../../../../shared/posture/kernel-settings.ts'
import { MOUNT_OPTIONS } from '../../../../shared/posture/sections/hardening.ts'
import { mountLine } from '../../../support/hardening-trees.ts'

const byteString = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const lines = (...units: string[]) => fc.string({ maxLength: 120, unit: fc.constantFrom(...units) })

describe('mountinfo', () => {
  /** As the kernel writes a path, fs/proc_namespace.c. */
  const escaped = (path: string): string =>
    path.replace(/[ \t\n\\]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`)
  const point = fc.string({ maxLength: 12, unit: fc.constantFrom(...'ab/ \t\n\\-\u00ff') }).map((path) => `/${path}`)
  const options = fc.subarray(MOUNT_OPTIONS.slice(1, 4), { minLength: 0 })

  test('whatever a path holds, it is the one that was mounted, with its options', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(point, options), { selector: ([path]) => path, maxLength: 6 }), (all) => {
        const text = all.map(([path, given]) => mountLine(escaped(path), 'ext4', ['rw', ...given].join(','))).join('')
        const { mounts, malformed } = parseMountinfo(text)
        expect(malformed).toBe(0)
        expect([...mounts].map(([path, mount]) => [path, mount.options])).toEqual(all)
      }),
    )
  })

  test('any bytes are counted or understood', () => {
    fc.assert(
      fc.property(fc.oneof(byteString, lines('1', ' ', '/', '-', ' - ', '\n', 'ro')), (text) => {
        const { mounts, malformed } = parseMountinfo(text)
        expect(mounts.size + malformed).toBeLessThanOrEqual(text.split('\n').filter((line) => line !== '').length)
      }),
    )
  })

  test('the last mount of a point hides the others, and a read-only file system makes a mount read-only', () => {
    const { mounts } = parseMountinfo(mountLine('/a', 'ext4', 'rw,nosuid') + mountLine('/a', 'tmpfs', 'rw', 'x', 'ro'))
    expect(mounts.get('/a')).toEqual({ point: '/a', type: 'tmpfs', options: ['ro'] })
  })

  test('what looks like an option in a name is none', () => {
    const { mounts } = parseMountinfo(mountLine('/a,nosuid', 'ext4', 'rw', '/dev/x,noexec'))
    expect(mounts.get('/a,nosuid')?.options).toEqual([])
  })

  test.each([
    ['nfs4', true],
    ['fuse.sshfs', true],
    ['fuseblk', false],
    ['ext4', false],
    ['overlay', false],
  ])('%s', (type, remote) => {
    const { mounts } = parseMountinfo(mountLine('/', 'ext4', 'rw') + mountLine('/usr', type, 'rw'))
    const table = { value: { source: 'init', mounts, malformed: 0 } } as const
    expect([isRemote(table, '/usr/bin'), isRemote(table, '/opt'), isRemote(table, '/usrx')]).toEqual([
      remote,
      false,
      false,
    ])
  })
})

describe('profiles of AppArmor', () => {
  const name = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom(...'ab ()/') })
  const profile = fc.tuple(name, fc.constantFrom('enforce', 'complain', 'kill', 'unconfined'))
  const textOf = (all: readonly (readonly [string, string])[]) =>
    all.map(([one, mode]) => `${one} (${mode})\n`).join('')

  test('are counted, whatever they are called, and have one digest in every order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(profile, { selector: ([one]) => one, maxLength: 8 }), (all) => {
        const parsed = parseProfiles(textOf(all))
        expect(parsed?.modes.reduce((sum, { count }) => sum + count, 0)).toBe(all.length)
        expect(parsed?.notEnforced).toHaveLength(
          all.filter(([, mode]) => mode === 'complain' || mode === 'unconfined').length,
        )
        expect(parseProfiles(textOf(all.toReversed()))).toEqual(parsed)
      }),
    )
  })

  test('that differ in one mode have another digest', () => {
    expect(parseProfiles('a (enforce)\n')?.digest).not.toBe(parseProfiles('a (kill)\n')?.digest)
  })

  test('are not guessed from other lines', () => {
    expect(parseProfiles('a (enforce)\nb\n')).toBeUndefined()
    fc.assert(fc.property(byteString, (text) => void parseProfiles(text)))
  })
})

test.each([
  ['unconfined', true],
  ['/usr/sbin/x (complain)', true],
  ['/usr/sbin/x (enforce)', false],
  ['snap.x.y (kill)', false],
  ['x (unconfined)', true],
  ['unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023', true],
  ['system_u:system_r:unconfined_service_t:s0', true],
  ['system_u:system_r:initrc_t:s0', true],
  ['system_u:system_r:sshd_t:s0', false],
  ['_', true],
  ['System::Run', false],
])('the label %s', (label, expected) => {
  expect(isUnconfinedLabel(label)).toBe(expected)
})

describe('inittab', () => {
  test.each([
    ['ttyS0::respawn:/sbin/getty -L ttyS0 115200 vt100', [{ terminal: 'ttyS0', kind: 'login' }]],
    ['S0:12345:respawn:/bin/start_getty 115200 ttyS0 vt102', [{ terminal: 'ttyS0', kind: 'login' }]],
    ['ttyAMA0::askfirst:-/bin/sh', [{ terminal: 'ttyAMA0', kind: 'shell' }]],
    ['::askfirst:-/bin/ash', [{ terminal: 'console', kind: 'shell' }]],
    ['::askfirst:/usr/libexec/login.sh', [{ terminal: 'console', kind: 'login' }]],
    ['hvc0::respawn:/sbin/agetty --autologin root hvc0', [{ terminal: 'hvc0', kind: 'automatic' }]],
    ['tty1::respawn:/sbin/getty 38400 tty1', []],
    ['1:2345:respawn:/sbin/getty 38400 tty1', []],
    ['#ttyS0::respawn:/bin/sh', []],
    ['::sysinit:/bin/sh /etc/rc', []],
    ['::respawn:/usr/sbin/gatewayd', []],
  ])('%s', (line, expected) => {
    expect(parseInittab(`${line}\n`)).toEqual(expected)
  })

  test('of several on one terminal the most open counts', () => {
    const text = 'ttyS0::respawn:/sbin/getty ttyS0\nttyS0::askfirst:/bin/sh\nttyS0::respawn:/sbin/getty ttyS0\n'
    expect(parseInittab(text)).toEqual([{ terminal: 'ttyS0', kind: 'shell' }])
  })

  test('any bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(byteString, lines(':', 'respawn', 'sh', '\n', 'ttyS0', '/')),
        (text) => void parseInittab(text),
      ),
    )
  })
})

describe('the direction of a setting', () => {
  test('holds for every number: none is stronger than itself, and one of two that differ is the stronger', () => {
    const directed = KERNEL_SETTINGS.filter(({ stronger }) => stronger === 'higher' || stronger === 'lower')
    fc.assert(
      fc.property(
        fc.constantFrom(...directed),
        fc.integer({ min: -5, max: 70_000 }),
        fc.integer({ min: -5, max: 70_000 }),
        (one, a, b) => {
          const [x, y] = [a, b].map((value) => settingStrength(one.name, String(value))?.[one.name] ?? 0) as [
            number,
            number,
          ]
          expect(Math.sign(x - y)).toBe((one.stronger === 'higher' ? 1 : -1) * Math.sign(a - b) + 0)
          expect(Math.min(x, y)).toBeGreaterThan(0)
        },
      ),
    )
  })

  test('is not claimed for what is no value of it', () => {
    for (const [name, value] of [
      ['kernel.kptr_restrict', 'x'],
      ['kernel.kptr_restrict', ''],
      ['fs.suid_dumpable', '7'],
      ['kernel.unknown', '1'],
    ] as const) {
      expect(settingStrength(name, value)).toBeUndefined()
    }
  })

  test('names each setting once', () => {
    expect(new Set(KERNEL_SETTINGS.map(({ name }) => name)).size).toBe(KERNEL_SETTINGS.length)
  })
})

import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { operationsSensor } from '../../../../agent/sensors/operations.ts'
import { createHost, type Host } from '../../../../agent/sensors/host.ts'
import { SECTIONS } from '../../../../shared/posture/sections.ts'
import type { OperationsContent } from '../../../../shared/posture/sections/operations.ts'
import { ALPINE, DEBIAN, OPENWRT, runningUnit, YOCTO } from '../../../support/hardening-trees.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'

async function measure(host: Host) {
  const reading = await operationsSensor.measure(host)
  if (reading.status !== 'measured') throw new Error(reading.status)
  expect(v.is(SECTIONS.operations.schema, reading.content)).toBe(true)
  return { content: SECTIONS.operations.canonical(reading.content), state: reading.state ?? {} }
}
const of = async (tree: Tree): Promise<OperationsContent> => (await measure(treeHost(tree))).content

describe('whole systems', () => {
  test('Debian', async () => {
    expect(await of(DEBIAN)).toEqual({
      time: {
        services: [{ service: 'chrony', state: 'on' }],
        servers: [
          { service: 'chrony', kind: 'server', address: 'ntp.plant.example', nts: true },
          { service: 'chrony', kind: 'server', address: 'time.vendor.example', nts: true },
        ],
      },
      logging: {
        services: [{ service: 'rsyslog', state: 'on' }],
        targets: [
          { service: 'rsyslog', address: 'log.vendor.example:6514', protocol: 'tcp', tls: 'on', selector: '*.*' },
        ],
        journal: { value: { storage: 'persistent', forwardToSyslog: true } },
      },
      audit: {
        services: [{ service: 'auditd', state: 'on' }],
        commandLine: { value: 'default' },
        loginIds: { value: true },
        rules: { value: { count: 4, digest: expect.any(String) as string, locked: true } },
      },
      unread: [],
      truncated: false,
    })
  })

  test('Alpine', async () => {
    const { time, logging, audit } = await of(ALPINE)
    expect(time).toEqual({
      services: [{ service: 'ntpd', state: 'on' }],
      servers: [
        { service: 'ntpd', kind: 'server', address: '10.0.0.1', nts: false },
        { service: 'ntpd', kind: 'server', address: 'pool.ntp.org', nts: false },
      ],
    })
    expect(logging).toEqual({
      services: [{ service: 'syslogd', state: 'on' }],
      targets: [{ service: 'syslogd', address: 'log.example:514', protocol: 'udp', tls: 'off', selector: '' }],
      journal: { missing: 'absent' },
    })
    expect(audit).toMatchObject({ services: [{ service: 'auditd', state: 'off' }], rules: { missing: 'absent' } })
  })

  test('Alpine, where a service was stopped by hand', async () => {
    const { '/run/openrc/started/ntpd': _, ...stopped } = ALPINE
    expect((await of(stopped)).time.services).toEqual([{ service: 'ntpd', state: 'stopped' }])
  })

  test('OpenWrt', async () => {
    const { time, logging } = await of(OPENWRT)
    expect(time).toEqual({
      services: [{ service: 'sysntpd', state: 'on' }],
      servers: ['0', '1'].map((number) => ({
        service: 'sysntpd',
        kind: 'server',
        address: `${number}.openwrt.pool.ntp.org`,
        nts: false,
      })),
    })
    expect(logging.targets).toEqual([
      { service: 'logd', address: '192.0.2.1:514', protocol: 'tcp', tls: 'off', selector: '' },
    ])
    const off = String(OPENWRT['/etc/config/system']).replace("enabled '1'", "enabled '0'")
    expect((await of({ ...OPENWRT, '/etc/config/system': off })).time.services).toEqual([
      { service: 'sysntpd', state: 'off' },
    ])
  })

  test('Yocto', async () => {
    const { time, logging, audit } = await of(YOCTO)
    expect(time).toEqual({
      services: [{ service: 'ntpd', state: 'on' }],
      servers: [
        { service: 'ntpd', kind: 'pool', address: 'pool.example', nts: true },
        { service: 'ntpd', kind: 'reference-clock', address: '127.127.1.0', nts: false },
        { service: 'ntpd', kind: 'server', address: 'time.example', nts: false },
      ],
    })
    expect(logging).toMatchObject({
      services: [{ service: 'syslogd', state: 'on' }],
      targets: [{ address: 'log.example:514' }],
    })
    expect(audit.commandLine).toEqual({ value: 'off' })
  })

  test('an empty tree is no system', async () => {
    expect(await operationsSensor.measure(treeHost({}))).toEqual({
      status: 'not-supported',
      reason: 'no-platform-facts',
    })
  })
})

describe('systemd-timesyncd', () => {
  const base: Tree = {
    '/run/systemd/system': { directory: true },
    ...runningUnit('systemd-timesyncd', 'sysinit.target'),
    '/proc/uptime': '3600.00 1.00\n',
  }

  test('drop-ins prevail over the file, and those of /etc over those of the vendor', async () => {
    const { time } = await of({
      ...base,
      '/etc/systemd/timesyncd.conf': '[Time]\nNTP=a b\nFallbackNTP=c\n',
      '/usr/lib/systemd/timesyncd.conf.d/10-x.conf': '[Time]\nNTP=vendor\n',
      '/etc/systemd/timesyncd.conf.d/10-x.conf': '[Time]\nNTP=ours\n',
    })
    expect(time.services).toEqual([{ service: 'systemd-timesyncd', state: 'on' }])
    expect(time.servers.map(({ kind, address }) => `${kind} ${address}`)).toEqual(['fallback c', 'server ours'])
  })

  test('what differs from moment to moment is state', async () => {
    const tree = (modified: number): Tree => ({
      ...base,
      '/run/systemd/timesync/synchronized': { modified },
      '/sys/class/rtc/rtc0/since_epoch': '1000005\n',
    })
    const at = (modified: number) => measure(treeHost(tree(modified), { now: () => 1_000_000 }))
    const [one, other] = [await at(999_000), await at(900_000)]
    expect(one.content).toEqual(other.content)
    expect(one.state).toEqual({
      'operations.clock-synchronised': true,
      'operations.clock-sync-age': 1000,
      'operations.rtc-difference': 5,
    })
    expect(other.state).toMatchObject({ 'operations.clock-sync-age': 100_000 })
    const never = await measure(treeHost({ ...base, '/run/systemd/timesync': { directory: true } }))
    expect(never.state).toEqual({ 'operations.clock-synchronised': false })
  })

  test('secrets in addresses are not told', async () => {
    const { logging } = await of({
      ...base,
      ...runningUnit('systemd-journal-upload'),
      '/etc/systemd/journal-upload.conf': '[Upload]\nURL=https://user:secret@log.example:19532\n',
    })
    expect(JSON.stringify(logging)).not.toContain('secret')
    expect(logging.targets).toMatchObject([{ service: 'journal-upload', tls: 'on' }])
  })
})

test('a script beside a unit is not a second service, and without systemd it is the one', async () => {
  const tree: Tree = {
    '/etc/init.d/chrony': '',
    '/etc/rc5.d/S01chrony': { link: '../init.d/chrony' },
    '/proc/cmdline': '',
  }
  expect((await of(tree)).time.services).toEqual([{ service: 'chrony', state: 'on' }])
  expect((await of({ ...tree, '/run/systemd/system': { directory: true } })).time.services).toEqual([])
})

describe('includes', () => {
  const chrony = (text: string): Tree => ({ '/etc/chrony.conf': text, '/proc/cmdline': '' })

  test('that name each other end', async () => {
    const { time, truncated } = await of({
      ...chrony('include /etc/b\nserver a\n'),
      '/etc/b': 'include /etc/chrony.conf\nserver b\n',
    })
    expect(time.servers.map(({ address }) => address)).toEqual(['a', 'b'])
    expect(truncated).toBe(false)
  })

  test('that go on for ever are cut, which is said', async () => {
    const chain = Object.fromEntries(
      Array.from({ length: 100 }, (_, index) => [`/etc/c${index}`, `include /etc/c${index + 1}\n`]),
    )
    expect((await of({ ...chrony('include /etc/c0\n'), ...chain })).truncated).toBe(true)
  })

  test('with a pattern that is not followed are said to be unread', async () => {
    expect((await of(chrony('include /etc/chrony/[ab]*.conf\n'))).unread).toEqual([
      { path: '/etc/chrony/[ab]*.conf', why: 'malformed' },
    ])
  })

  test('more servers than are listed are cut, which is said', async () => {
    const { time, truncated } = await of(
      chrony(Array.from({ length: 100 }, (_, index) => `server s${index}\n`).join('')),
    )
    expect([time.servers.length, truncated]).toEqual([64, true])
  })
})

test.each([
  ['/etc/chrony/chrony.conf', 'no-permission'],
  ['/etc/rsyslog.d', 'no-permission'],
  ['/etc/rsyslog.conf', 'no-permission'],
])('%s that may not be read is named', async (path, why) => {
  const { content } = await measure(withoutPermission(treeHost(DEBIAN), path))
  expect(content.unread).toEqual([{ path, why }])
})

test('units that may not be looked at are unknown, and not off', async () => {
  const { content } = await measure(withoutPermission(treeHost(DEBIAN), '/etc/systemd/system'))
  expect(content.time.services).toContainEqual({ service: 'chrony', state: 'unknown' })
})

test('the rules of audit: order and words count, comments and blanks do not', async () => {
  const rules = async (text: string) => (await of({ '/etc/audit/audit.rules': text })).audit.rules
  const one = await rules('-D\n-w /a  -p wa\n')
  expect(await rules('# x\n\n -D \n-w /a -p wa')).toEqual(one)
  expect(await rules('-w /a -p wa\n-D\n')).not.toEqual(one)
  expect(await rules('-D\n-w /b -p wa\n')).not.toEqual(one)
  expect(await rules('-e 2\n')).toMatchObject({ value: { locked: true } })
})

test('this machine is measured', async () => {
  const { content } = await measure(createHost())
  expect(content.audit.commandLine).toHaveProperty('value')
})

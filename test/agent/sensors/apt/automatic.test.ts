import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { automaticUpdates } from '../../../../agent/sensors/apt/automatic.ts'
import { parseAptConfiguration, type AptSettings } from '../../../../agent/sensors/apt/configuration.ts'
import { lastUpgrade } from '../../../../agent/sensors/apt/last-install.ts'
import { treeHost, type Tree } from '../../../support/host-tree.ts'
import { ENABLED, PERIODIC_ON, RUNNING } from '../../../support/apt-tree.ts'

function automatic(tree: Tree, text = PERIODIC_ON) {
  const settings: AptSettings = new Map()
  expect(parseAptConfiguration(text, settings)).toBe(0)
  return automaticUpdates(treeHost(tree), settings)
}
const stateOf = (tree: Tree, text?: string) => automatic(tree, text).state
const without = (path: string): Tree => Object.fromEntries(Object.entries(ENABLED).filter(([one]) => one !== path))
const masked = { link: '/dev/null' }

describe('automatic updates of apt', () => {
  test('are on where everything that they take is there', () => {
    const { state, settings } = automatic(ENABLED)
    expect(state).toBe('on')
    expect(settings).toContainEqual({ name: 'apt-daily.timer OnCalendar', value: '*-*-* 6,18:00', effect: 'none' })
    expect(settings).toContainEqual({ name: 'apt-daily.timer', value: 'enabled', effect: 'none' })
  })

  test.each([
    ['the package is gone', without('/usr/bin/unattended-upgrade'), undefined],
    ['the timer is disabled', without('/etc/systemd/system/timers.target.wants/apt-daily-upgrade.timer'), undefined],
    ['the timer is masked', { ...ENABLED, '/etc/systemd/system/apt-daily-upgrade.timer': masked }, undefined],
    ['APT::Periodic says so', ENABLED, 'APT::Periodic::Unattended-Upgrade "0";'],
    ['APT::Periodic says nothing', ENABLED, ''],
    ['all of APT::Periodic is off', ENABLED, `${PERIODIC_ON} APT::Periodic::Enable "0";`],
  ] as [string, Tree, string | undefined][])('are off where %s', (_, tree, text) => {
    expect(stateOf(tree, text)).toBe('off')
  })

  test.each([
    ['its service is disabled', without('/etc/systemd/system/multi-user.target.wants/unattended-upgrades.service')],
    ['its service is masked', { ...ENABLED, '/etc/systemd/system/unattended-upgrades.service': masked }],
    ['its service is stopped', { ...ENABLED, ...RUNNING }],
    ['no lists are fetched', without('/etc/systemd/system/timers.target.wants/apt-daily.timer')],
  ] as [string, Tree][])('are on in part where %s', (_, tree) => {
    expect(stateOf(tree)).toBe('partial')
  })

  test('are whole while the service runs, and while the system starts', () => {
    const group = { '/sys/fs/cgroup/system.slice/unattended-upgrades.service': { directory: true } as const }
    expect(stateOf({ ...ENABLED, ...RUNNING, ...group })).toBe('on')
    expect(stateOf({ ...ENABLED, ...RUNNING, '/proc/uptime': '20.1 3.0\n' })).toBe('on')
  })

  test('run by cron where there is no systemd', () => {
    const tree: Tree = { '/usr/bin/unattended-upgrade': '', '/etc/cron.daily/apt-compat': '' }
    expect(stateOf(tree)).toBe('on')
    expect(stateOf({ '/usr/bin/unattended-upgrade': '' })).toBe('off')
  })

  test("tell what they take, and what an administrator made of the timer's times", () => {
    const text = `${PERIODIC_ON} Unattended-Upgrade::Allowed-Origins { "a:b"; "c:d"; };
      Unattended-Upgrade::Origins-Pattern:: "origin=Debian";`
    const dropIn = '[Timer]\nOnCalendar=\n# OnCalendar=hourly\nOnCalendar=weekly\n'
    const { settings } = automatic({ ...ENABLED, '/etc/systemd/system/apt-daily.timer.d/x.conf': dropIn }, text)
    const valuesOf = (name: string) => settings.filter((one) => one.name === name).map(({ value }) => value)
    expect(valuesOf('allowed origin')).toEqual(['a:b', 'c:d'])
    expect(valuesOf('origins pattern')).toEqual(['origin=Debian'])
    expect(valuesOf('apt-daily.timer OnCalendar')).toEqual(['weekly'])
  })
})

describe('the last installed update', () => {
  const log = '/var/log/apt/history.log'
  const stanza = (day: string, what: string) =>
    `\nStart-Date: 2026-01-${day}  10:00:00\nCommandline: apt-get\n${what}: a (1, 2)\nEnd-Date: 2026-01-${day}  10:00:05\n`
  const at = (day: number) => new Date(2026, 0, day, 10, 0, 5).getTime() / 1000

  test('is the last stanza that upgraded something', () => {
    const text = stanza('02', 'Upgrade') + stanza('03', 'Upgrade') + stanza('04', 'Install')
    expect(lastUpgrade(treeHost({ [log]: text }))).toBe(at(3))
  })

  test('is found in the log of the month before', () => {
    const tree = { [log]: stanza('09', 'Remove'), [`${log}.1.gz`]: gzipSync(stanza('02', 'Upgrade')) }
    expect(lastUpgrade(treeHost(tree))).toBe(at(2))
  })

  test('is the later one of what apt and dpkg tell', () => {
    const steps = (day: string) =>
      `2026-01-${day} 10:00:05 upgrade bash:amd64 5.1 5.2\n2026-01-${day} 11:00:00 status installed bash:amd64 5.2\n`
    const both = (day: string) => treeHost({ [log]: stanza('03', 'Upgrade'), '/var/log/dpkg.log': steps(day) })
    expect(lastUpgrade(both('04'))).toBe(at(4))
    expect(lastUpgrade(both('02'))).toBe(at(3))
    expect(lastUpgrade(treeHost({ '/var/log/dpkg.log': steps('01') + steps('02') }))).toBe(at(2))
  })

  test('is unknown where no log tells, or it is damaged or a bomb', () => {
    expect(lastUpgrade(treeHost({}))).toBeUndefined()
    expect(lastUpgrade(treeHost({ [log]: '\nUpgrade: a\nEnd-Date: soon\n' }))).toBeUndefined()
    expect(lastUpgrade(treeHost({ [`${log}.1.gz`]: 'no gzip' }))).toBeUndefined()
    expect(lastUpgrade(treeHost({ [`${log}.1.gz`]: gzipSync(Buffer.alloc(9 << 20)) }))).toBeUndefined()
  })
})

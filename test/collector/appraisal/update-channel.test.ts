import { describe, expect, test } from 'vitest'
import { updateChannelSensor } from '../../../agent/sensors/update-channel.ts'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import { ENABLED, PERIODIC_ON, RUNNING } from '../../support/apt-tree.ts'
import { appraisalOf, approvalOf, ARRIVAL, deviationsOf } from '../../support/appraising.ts'
import { treeHost, type Tree } from '../../support/host-tree.ts'
import { GOOD_READINGS, SoftwareDevice } from '../../support/software-device.ts'

/** RFC 9580 appendix A.1 and the primary key of A.3. */
const KEY = Buffer.from('xjMEU/NfCxYJKwYBBAHaRw8BAQdAPwmJlL3ZFu1AUxl5NOSofIBzOhKA1i+AEJkuQ+47JAY=', 'base64')
const OTHER_KEY = Buffer.from('xioGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laM=', 'base64')

const group: Tree = { '/sys/fs/cgroup/system.slice/unattended-upgrades.service': { directory: true } }

/** A Debian gateway that installs updates by itself, as the vendor ships it. */
const DEBIAN: Tree = {
  ...ENABLED,
  ...RUNNING,
  ...group,
  '/etc/apt/sources.list': [
    'deb [signed-by=/usr/share/keyrings/debian.gpg] http://deb.debian.org/debian bookworm main',
    'deb [signed-by=/usr/share/keyrings/debian.gpg] http://deb.debian.org/debian-security bookworm-security main',
    '',
  ].join('\n'),
  '/etc/apt/sources.list.d/vendor.sources':
    'Types: deb\nURIs: https://vendor.example/apt\nSuites: stable\nComponents: main\nSigned-By: /etc/apt/keyrings/vendor.gpg\n',
  '/etc/apt/apt.conf.d/20auto-upgrades': PERIODIC_ON,
  '/etc/apt/apt.conf.d/50unattended-upgrades': 'Unattended-Upgrade::Origins-Pattern { "origin=Debian"; };\n',
  '/usr/share/keyrings/debian.gpg': KEY,
  '/etc/apt/keyrings/vendor.gpg': KEY,
}

const without = (tree: Tree, ...paths: string[]): Tree =>
  Object.fromEntries(Object.entries(tree).filter(([path]) => !paths.includes(path)))

function edited(tree: Tree, path: string, from: string, to: string): Tree {
  const text = tree[path]
  if (typeof text !== 'string' || !text.includes(from)) throw new Error(`${path} does not hold ${from}`)
  return { ...tree, [path]: text.replace(from, to) }
}

function reading(tree: Tree): SectionReading<'update-channel'> {
  const measured = updateChannelSensor.measure(treeHost(tree))
  if (measured instanceof Promise || measured.status !== 'measured') throw new Error('not measured')
  return measured
}

/** The findings of a device that was approved with one tree and now is as another one. */
async function findingsOf(before: Tree, after: Tree): Promise<string[]> {
  const device = new SoftwareDevice({ tpm: null })
  device.readings = { ...GOOD_READINGS, 'update-channel': reading(before) }
  const approved = approvalOf(device)
  const old = device.contents
  device.readings = { ...GOOD_READINGS, 'update-channel': reading(after) }
  const contents = new Map([...old, ...device.contents])
  return deviationsOf(appraisalOf(device, (await device.report()).bytes, { approved, contents }))
}

const LIST = '/etc/apt/sources.list'
const VENDOR = '/etc/apt/sources.list.d/vendor.sources'
const AUTO = '/etc/apt/apt.conf.d/20auto-upgrades'
const unit = '/etc/systemd/system'

describe('on apt, exactly one finding', () => {
  test.each([
    [
      'trusted=yes on one source',
      edited(DEBIAN, LIST, '[signed-by', '[trusted=yes signed-by'),
      'update-channel.unsigned-source source apt deb http://deb.debian.org/debian bookworm',
    ],
    [
      'Trusted: yes on a deb822 source',
      edited(DEBIAN, VENDOR, 'Types', 'Trusted: yes\nTypes'),
      'update-channel.unsigned-source source apt deb https://vendor.example/apt stable',
    ],
    [
      'allow-insecure=yes on one source',
      edited(DEBIAN, LIST, '[signed-by', '[allow-insecure=yes signed-by'),
      'update-channel.unsigned-source source apt deb http://deb.debian.org/debian bookworm',
    ],
    [
      'check-valid-until=no on one source',
      edited(DEBIAN, LIST, '[signed-by', '[check-valid-until=no signed-by'),
      'update-channel.checks-disabled source apt deb http://deb.debian.org/debian bookworm',
    ],
    [
      'an unsigned source added',
      { ...DEBIAN, '/etc/apt/sources.list.d/evil.list': 'deb [trusted=yes] http://evil.example ./\n' },
      'update-channel.unsigned-source source apt deb http://evil.example ./',
    ],
    [
      'a source added whose signature is checked',
      {
        ...DEBIAN,
        '/etc/apt/sources.list.d/b.list': 'deb [signed-by=/usr/share/keyrings/debian.gpg] http://b.example sid main\n',
      },
      'update-channel.source-added source apt deb http://b.example sid',
    ],
    ['a source removed', without(DEBIAN, VENDOR, '/etc/apt/keyrings/vendor.gpg'), undefined],
    [
      'AllowInsecureRepositories',
      { ...DEBIAN, '/etc/apt/apt.conf.d/99x': 'Acquire::AllowInsecureRepositories "true";' },
      'update-channel.checks-disabled setting apt Acquire::AllowInsecureRepositories',
    ],
    [
      'AllowUnauthenticated for one program',
      { ...DEBIAN, '/etc/apt/apt.conf.d/99x': 'Binary::apt-get::APT::Get::AllowUnauthenticated "true";' },
      'update-channel.checks-disabled setting apt binary::apt-get::apt::get::allowunauthenticated',
    ],
    [
      'a proxy',
      { ...DEBIAN, '/etc/apt/apt.conf.d/99x': 'Acquire::http::Proxy "http://proxy.example:3128";' },
      'update-channel.setting-changed setting apt acquire::http::proxy',
    ],
    [
      'another directory for the sources',
      { ...DEBIAN, '/etc/apt/apt.conf.d/99x': 'Dir::Etc::sourceparts "/opt/sources";' },
      'update-channel.setting-changed setting apt dir::etc::sourceparts',
    ],
    [
      'another key',
      { ...DEBIAN, '/etc/apt/keyrings/vendor.gpg': OTHER_KEY },
      'update-channel.key-changed keyring apt /etc/apt/keyrings/vendor.gpg',
    ],
    [
      'a key for every source',
      { ...DEBIAN, '/etc/apt/trusted.gpg.d/x.gpg': OTHER_KEY },
      'update-channel.key-changed keyring apt /etc/apt/trusted.gpg.d/x.gpg',
    ],
    ['unattended-upgrades stopped', without(DEBIAN, Object.keys(group)[0] ?? ''), 'off'],
    [
      'unattended-upgrades disabled and stopped',
      without(DEBIAN, Object.keys(group)[0] ?? '', `${unit}/multi-user.target.wants/unattended-upgrades.service`),
      'off',
    ],
    [
      'unattended-upgrades masked',
      { ...DEBIAN, [`${unit}/unattended-upgrades.service`]: { link: '/dev/null' } },
      'off',
    ],
    ['unattended-upgrades removed', without(DEBIAN, '/usr/bin/unattended-upgrade'), 'off'],
    [
      'APT::Periodic::Unattended-Upgrade at 0',
      edited(DEBIAN, AUTO, 'Unattended-Upgrade "1"', 'Unattended-Upgrade "0"'),
      'off',
    ],
    ['the timer disabled', without(DEBIAN, `${unit}/timers.target.wants/apt-daily-upgrade.timer`), 'off'],
    ['the timer masked', { ...DEBIAN, [`${unit}/apt-daily-upgrade.timer`]: { link: '/dev/null' } }, 'off'],
    [
      'another schedule',
      { ...DEBIAN, [`${unit}/apt-daily-upgrade.timer.d/x.conf`]: '[Timer]\nOnCalendar=\nOnCalendar=monthly\n' },
      'update-channel.automatic-updates-changed automatic apt',
    ],
    [
      'other origins',
      edited(DEBIAN, '/etc/apt/apt.conf.d/50unattended-upgrades', 'Debian', 'Evil'),
      'update-channel.automatic-updates-changed automatic apt',
    ],
    [
      'a line that cannot be understood',
      edited(DEBIAN, LIST, 'deb ', 'debris\ndeb '),
      'update-channel.not-readable malformed apt',
    ],
  ] as [string, Tree, string | undefined][])('%s', async (_, after, expected) => {
    const found = await findingsOf(DEBIAN, after)
    if (expected === undefined) {
      expect(found).toEqual([
        'update-channel.source-removed source apt deb https://vendor.example/apt stable',
        'update-channel.key-changed keyring apt /etc/apt/keyrings/vendor.gpg',
      ])
    } else {
      expect(found).toEqual([expected === 'off' ? 'update-channel.automatic-updates-off automatic apt' : expected])
    }
  })

  test('a source of an approved one that is mended', async () => {
    const weak = edited(DEBIAN, LIST, '[signed-by', '[trusted=yes signed-by')
    expect(await findingsOf(weak, DEBIAN)).toEqual([
      'update-channel.source-changed source apt deb http://deb.debian.org/debian bookworm',
    ])
  })

  test('a source that is added where an approved setting lets anything in', async () => {
    const weak: Tree = { ...DEBIAN, '/etc/apt/apt.conf': 'Acquire::AllowInsecureRepositories "1";' }
    const after: Tree = { ...weak, '/etc/apt/sources.list.d/x.list': 'deb http://x s main\n' }
    expect(await findingsOf(weak, after)).toEqual(['update-channel.unsigned-source source apt deb http://x s'])
  })

  test('nothing, where only the order of files and lines is another one', async () => {
    const lines = (DEBIAN[LIST] as string).trim().split('\n')
    const after: Tree = { ...DEBIAN, [LIST]: lines[1] ?? '', '/etc/apt/sources.list.d/a.list': lines[0] ?? '' }
    expect(await findingsOf(DEBIAN, after)).toEqual([])
  })
})

describe('on other systems', () => {
  const repo = '/etc/yum.repos.d/x.repo'
  const dnf: Tree = { '/etc/dnf/dnf.conf': '[main]\ngpgcheck=1\n', [repo]: '[x]\nbaseurl=https://x\ngpgcheck=1\n' }
  const opkg: Tree = { '/etc/opkg.conf': 'option check_signature\n', '/etc/opkg/f.conf': 'src/gz f http://f\n' }
  const ostree: Tree = { '/ostree/repo/config': '[remote "r"]\nurl=https://r\ngpg-verify=true\n' }
  const apk: Tree = { '/etc/apk/repositories': 'https://a/main\n' }
  const hawkbit: Tree = { '/etc/rauc-hawkbit-updater/config.conf': '[client]\nhawkbit_server=h\nssl_verify=true\n' }

  test.each([
    ['gpgcheck=0 of a repository', dnf, edited(dnf, repo, 'gpgcheck=1', 'gpgcheck=0'), 'unsigned-source source dnf x'],
    [
      'gpgcheck=0 for all',
      dnf,
      edited(dnf, '/etc/dnf/dnf.conf', 'gpgcheck=1', 'gpgcheck=0'),
      'checks-disabled signatures dnf',
    ],
    ['sslverify=0', dnf, edited(dnf, repo, 'gpgcheck', 'sslverify=0\ngpgcheck'), 'checks-disabled source dnf x'],
    [
      'check_signature gone',
      opkg,
      edited(opkg, '/etc/opkg.conf', 'option check_signature', ''),
      'checks-disabled signatures opkg',
    ],
    [
      'gpg-verify=false',
      ostree,
      edited(ostree, '/ostree/repo/config', 'true', 'false'),
      'unsigned-source source ostree r',
    ],
    [
      'allow-untrusted',
      apk,
      { ...apk, '/etc/apk/config': 'allow-untrusted\n' },
      'checks-disabled setting apk allow-untrusted',
    ],
    [
      'ssl_verify=false',
      hawkbit,
      edited(hawkbit, '/etc/rauc-hawkbit-updater/config.conf', 'true', 'false'),
      'checks-disabled source hawkbit server',
    ],
    ['another package manager', apk, { ...apk, ...opkg }, undefined],
  ] as [string, Tree, Tree, string | undefined][])('%s', async (_, before, after, expected) => {
    const found = await findingsOf(before, after)
    if (expected === undefined) {
      expect(found).toEqual([
        'update-channel.setting-changed signatures opkg',
        'update-channel.source-added source opkg f',
      ])
    } else expect(found).toEqual([`update-channel.${expected}`])
  })
})

describe('the last key of a source', () => {
  const DAY = 86_400
  const NOW = ARRIVAL / 1000
  async function withExpiry(expires: number | string | undefined, approved = true) {
    const device = new SoftwareDevice({ tpm: null })
    const state = new Map(expires === undefined ? [] : [['update-channel.key-expiry', expires] as const])
    const { bytes } = await device.report({}, { state })
    return appraisalOf(device, bytes, approved ? {} : { approved: undefined })
  }

  test.each([
    [31 * DAY, []],
    [29 * DAY, ['update-channel.key-expiring signing keys']],
    [1, ['update-channel.key-expiring signing keys']],
    [0, ['update-channel.key-expired signing keys']],
    [-400 * DAY, ['update-channel.key-expired signing keys']],
  ])('that ends in %d seconds', async (left, expected) => {
    const appraisal = await withExpiry(NOW + left)
    expect(deviationsOf(appraisal)).toEqual(expected)
    expect(appraisal.verdict).toBe(expected.length === 0 ? 'affirming' : 'warning')
  })

  test('is named with its date, also one that no calendar has', async () => {
    expect((await withExpiry(NOW + DAY)).deviations).toMatchObject([{ after: 'until 2026-06-02' }])
    expect((await withExpiry(-9e15)).deviations).toMatchObject([{ after: 'until -9000000000000000' }])
  })

  test('says nothing where it never ends, is no time, or nothing is approved', async () => {
    for (const expires of [undefined, 'soon']) expect(deviationsOf(await withExpiry(expires))).toEqual([])
    expect(deviationsOf(await withExpiry(NOW, false))).toEqual([])
  })
})

test('what lets unsigned updates in is critical, and all of it reassesses the certificate for one cause', () => {
  const codes = Object.keys(findings).filter((code) => code.startsWith('update-channel.')) as FindingCode[]
  for (const code of codes) expect(findings[code]).toMatchObject({ axis: 'posture', trigger: 'T6' })
  const critical = codes.filter((code) => findings[code].severity === 'critical')
  expect(critical).toEqual(['update-channel.unsigned-source', 'update-channel.checks-disabled'])
})

describe('a source of apt that is trusted without a signature, in any way in which apt reads it, is one finding', () => {
  test.each(['yes', 'Yes', '1', '01', '0x1', '+1', '"yes"', '%79es', 'y%45s'])('trusted=%s', async (value) => {
    const after = edited(DEBIAN, LIST, 'deb [', `deb [trusted=${value} `)
    expect(await findingsOf(DEBIAN, after)).toEqual([
      expect.stringMatching(/^update-channel\.unsigned-source source apt/),
    ])
  })

  test('the name of the option with escapes', async () => {
    const after = edited(DEBIAN, LIST, 'deb [', 'deb [%74rusted=yes ')
    expect(await findingsOf(DEBIAN, after)).toEqual([
      expect.stringMatching(/^update-channel\.unsigned-source source apt/),
    ])
  })

  test('in the other style', async () => {
    const after = edited(DEBIAN, '/etc/apt/sources.list.d/vendor.sources', 'Types', 'Trusted: 01\nTypes')
    expect(await findingsOf(DEBIAN, after)).toEqual([
      expect.stringMatching(/^update-channel\.unsigned-source source apt/),
    ])
  })
})

test.each(['Dir::Bin::gpg', 'Dir::Bin::Methods::gpgv', 'APT::Key::gpgvcommand', 'APT::Hashes::SHA1::Weak'])(
  'what checks signatures replaced by %s is one finding',
  async (name) => {
    const after = { ...DEBIAN, '/etc/apt/apt.conf.d/99x': `${name} "/tmp/x";\n` }
    expect(await findingsOf(DEBIAN, after)).toEqual([
      expect.stringMatching(/^update-channel\.setting-changed setting apt/),
    ])
  },
)

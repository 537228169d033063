import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { createHost } from '../../../agent/sensors/host.ts'
import { parseOsRelease } from '../../../agent/sensors/os-release.ts'
import { systemSensor } from '../../../agent/sensors/system.ts'
import { treeHost, withoutPermission } from '../../support/host-tree.ts'

const valueOf = (assignment: string): string | undefined => parseOsRelease(assignment)?.get('A')

describe('os-release', () => {
  test.each([
    ['A=plain', 'plain'],
    ['A=', ''],
    ["A='single $x'", 'single $x'],
    ['A="double \\" \\$ \\\\ \\`"', 'double " $ \\ `'],
    ['A="a\\b"', 'a\\b'],
    ['# comment\n\nA=1\nA=2\n', '2'],
  ])('%j', (line, value) => {
    expect(valueOf(line)).toBe(value)
  })

  test.each([
    'A=a b',
    'A="open',
    "A='",
    'A="a"b"',
    "A='a'b'",
    'A="$(reboot)"',
    'A=`x`',
    'A=a;b',
    '=x',
    '1A=x',
    'export A=1',
    'A="x\\"',
  ])('%j is refused: a shell would read something else or more', (line) => {
    expect(parseOsRelease(`B=1\n${line}`)).toBeUndefined()
  })
})

const OS = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\nHOME_URL="https://example.org/"\n'
const kernel = {
  '/proc/sys/kernel/osrelease': '6.1.0-35-arm64\n',
  '/proc/sys/kernel/arch': 'aarch64\n',
  '/proc/version': 'Linux version 6.1.0-35-arm64 (x@y) #1 SMP\n',
}

test('operating system and kernel', () => {
  const host = treeHost({ ...kernel, '/etc/os-release': { link: '../usr/lib/os-release' }, '/usr/lib/os-release': OS })
  expect(systemSensor.measure(host)).toEqual({
    status: 'measured',
    content: {
      os: { value: { id: 'debian', versionId: '12', prettyName: 'Debian 12' } },
      kernel: {
        release: { value: '6.1.0-35-arm64' },
        machine: { value: 'aarch64' },
        build: { value: 'Linux version 6.1.0-35-arm64 (x@y) #1 SMP' },
      },
    },
    state: { 'system.stale-processes': 0 },
  })
})

test('what is not there is said to be absent, refused or damaged, each by its name', () => {
  const host = treeHost({ '/etc/os-release': 'rm -rf /\n', '/proc/version': 'v\n' })
  expect(systemSensor.measure(withoutPermission(host, '/proc/version'))).toMatchObject({
    content: {
      os: { missing: 'malformed' },
      kernel: { release: { missing: 'absent' }, build: { missing: 'no-permission' } },
    },
  })
  expect(systemSensor.measure(treeHost({}))).toEqual({ status: 'not-supported', reason: 'no-platform-facts' })
})

test('an unreadable /etc/os-release does not give way to the one in /usr/lib', () => {
  const host = withoutPermission(treeHost({ '/etc/os-release': OS, '/usr/lib/os-release': OS }), '/etc/os-release')
  expect(systemSensor.measure(host)).toMatchObject({ content: { os: { missing: 'no-permission' } } })
})

test('agrees with uname on this machine', () => {
  const [release, machine] = execFileSync('uname', ['-rm'], { encoding: 'utf8' }).trim().split(' ')
  const reading = systemSensor.measure(createHost())
  expect(reading).toMatchObject({ content: { kernel: { release: { value: release } } } })
  expect([{ value: machine }, { missing: 'absent' }]).toContainEqual(
    (reading as { content: { kernel: { machine: unknown } } }).content.kernel.machine,
  )
})

import { expect, test } from 'vitest'
import { createHost } from '../../../../agent/sensors/host.ts'
import { unitState } from '../../../../agent/sensors/update-channel/systemd-units.ts'
import { treeHost, writeTree, type Tree } from '../../../support/host-tree.ts'

const UNIT = 'apt-daily-upgrade.timer'
const ENABLED: Tree = {
  [`/usr/lib/systemd/system/${UNIT}`]: '[Timer]\nOnCalendar=daily\n',
  [`/etc/systemd/system/timers.target.wants/${UNIT}`]: { link: `/usr/lib/systemd/system/${UNIT}` },
}

test('a unit that is linked from a target is enabled', () => {
  expect(unitState(treeHost(ENABLED), UNIT)).toBe('enabled')
})

test.each([
  ['is empty', `/etc/systemd/system/${UNIT}`, ''],
  ['leads to /dev/null', `/etc/systemd/system/${UNIT}`, { link: '/dev/null' }],
  ['is empty in a directory of systemd itself', `/run/systemd/transient/${UNIT}`, ''],
])('a unit that %s is masked', (_, path, entry) => {
  expect(unitState(treeHost({ ...ENABLED, [path]: entry }), UNIT)).toBe('masked')
})

test('a unit that leads to a device by another way is masked', () => {
  // Without a root of its own, since no device can be made in one.
  const root = writeTree({ '/unit': { link: `${'../'.repeat(32)}dev/null` } })
  const host = createHost()
  const at = (path: string): string => path.replace(`/etc/systemd/system/${UNIT}`, `${root}/unit`)
  const seen = {
    ...host,
    stat: (path: string) => host.stat(at(path)),
    readLink: (path: string) => host.readLink(at(path)),
  }
  expect(unitState(seen, UNIT)).toBe('masked')
})

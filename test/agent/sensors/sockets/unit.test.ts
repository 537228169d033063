import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isContainer, readUnit, unitOf } from '../../../../agent/sensors/sockets/unit.ts'
import { treeHost, withoutPermission } from '../../../support/host-tree.ts'

const HASH = '0123456789abcdef'.repeat(4)
const v2 = (path: string): string => `0::${path}\n`

test.each([
  ['a service', v2('/system.slice/ssh.service'), 'ssh.service'],
  ['an instance', v2('/system.slice/system-getty.slice/getty@tty1.service'), 'getty@tty1.service'],
  ['a connection that was accepted', v2('/system.slice/echo@12-10.0.0.1:7-10.0.0.2:5000.service'), 'echo@*.service'],
  ['a group below a service', v2('/system.slice/web.service/worker'), 'web.service'],
  ['the service manager', v2('/init.scope'), 'init.scope'],
  ['a login', v2('/user.slice/user-1000.slice/session-3.scope'), 'user session'],
  ['a login of a greeter', v2('/user.slice/user-1000.slice/session-c12.scope'), 'user session'],
  [
    'a unit of a user',
    v2('/user.slice/user-7.slice/user@7.service/app.slice/pipewire.service'),
    'pipewire.service (user)',
  ],
  ["a user's service manager", v2('/user.slice/user-7.slice/user@7.service/init.scope'), 'user@7.service'],
  [
    'an application of a user',
    v2('/user.slice/user-7.slice/user@7.service/app.slice/app-x-4711.scope'),
    'app-x-*.scope (user)',
  ],
  ['systemd-run', v2('/system.slice/run-u42.service'), 'run-*.service'],
  ['systemd-run of newer versions', v2(`/system.slice/run-p77-i78.service`), 'run-*.service'],
  ['an identifier', v2('/system.slice/job-01234567-89ab-cdef-0123-456789abcdef.service'), 'job-*.service'],
  ['D-Bus', v2('/system.slice/dbus-:1.23-org.example.A@0.service'), 'dbus-*-org.example.A@0.service'],
  ['a name that the kernel keeps', v2('/system.slice/_cpu.service'), 'cpu.service'],
  ['a removed group', v2('/system.slice/old.service (deleted)'), 'old.service'],
  ['version 1', '12:cpu,cpuacct:/x\n1:name=systemd:/system.slice/ssh.service\n', 'ssh.service'],
  [
    'both, where systemd has its own',
    `5:pids:/\n1:name=systemd:/system.slice/a.service\n0::/system.slice/b.service\n`,
    'a.service',
  ],
  ['docker under systemd', v2(`/system.slice/docker-${HASH}.scope`), 'docker container'],
  ['docker without', `4:memory:/docker/${HASH}\n0::/docker/${HASH}\n`, 'docker container'],
  ['podman', v2(`/machine.slice/libpod-${HASH}.scope/container`), 'podman container'],
  ['kubernetes', v2(`/kubepods.slice/kubepods-podx.slice/cri-containerd-${HASH}.scope`), 'kubernetes container'],
  ['some engine', v2(`/engine/${HASH}`), 'container'],
  ['lxc', v2('/lxc.payload.web/system.slice/nginx.service'), 'lxc container web'],
  ['lxc of version 1', '1:name=systemd:/lxc/web\n', 'lxc container web'],
  ['the root', v2('/'), undefined],
  ['slices alone', v2('/system.slice'), undefined],
  ['another manager', v2('/openrc.sshd'), undefined],
  ['nothing', '', undefined],
  ['something else', 'garbage\n', undefined],
  ['an escape in a name', v2('/system.slice/a\x1b[2J.service'), 'a\\x1b[2J.service'],
  ['bytes that are not UTF-8', v2('/system.slice/\xff\xfe.service'), '\\xff\\xfe.service'],
])('%s', (_, cgroup, unit) => {
  expect(unitOf(cgroup)).toBe(unit)
})

test('a container is told from a service, whatever that is called', () => {
  expect(['docker container', 'container', 'lxc container web'].every(isContainer)).toBe(true)
  expect(['container.service', 'docker.service', undefined, 'user session'].some(isContainer)).toBe(false)
})

test('a process without permission has a unit that is not known, one that has ended has none', () => {
  const host = treeHost({ '/proc/9/cgroup': v2('/system.slice/a.service') })
  expect(readUnit(host, '9')).toBe('a.service')
  expect(readUnit(host, '8')).toBeUndefined()
  expect(readUnit(withoutPermission(host, '/proc/9'), '9')).toBe('(unknown unit)')
})

test('no path gives a text that is not safe to show, or one that is different for another number', () => {
  const part = fc.string({
    unit: fc.constantFrom(...'ab1-@:._\x00\x1b\xff\\', '.service', '.scope', 'session-'),
    maxLength: 12,
  })
  fc.assert(
    fc.property(fc.array(part, { maxLength: 5 }), fc.nat(), fc.nat(), (parts, one, other) => {
      const unit = unitOf(v2(`/${parts.join('/')}`))
      // eslint-disable-next-line no-control-regex
      if (unit !== undefined) expect(unit).not.toMatch(/[\x00-\x1f\x7f]/)
      const numbered = (number: number) => unitOf(v2(`/${parts.join('')}/session-${number}.scope`))
      if (!parts.some((each) => each.includes('.s'))) expect(numbered(one)).toBe(numbered(other))
    }),
  )
})

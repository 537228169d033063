import type { Host } from '../host.ts'
import { printable } from '../text.ts'

const MAX_CGROUP_BYTES = 64 * 1024
const UNREADABLE = '(unknown unit)'
const MAX_UNIT = 256

/** The kernel's mark on a control group that was removed while a process is in it. */
const DELETED = ' (deleted)'

/** systemd.unit(5): kinds of units that processes are in. */
const UNIT = /^[^/]+\.(?:service|scope|socket|mount|swap)$/

/** What container engines call a container: 64 hexadecimal digits. */
const CONTAINER_ID = /[0-9a-f]{64}/

const ENGINES: readonly (readonly [mark: RegExp, name: string])[] = [
  [/kubepods|cri-containerd|crio/, 'kubernetes container'],
  [/libpod/, 'podman container'],
  [/docker/, 'docker container'],
  [/balena/, 'balena container'],
]

/**
 * Parts of names that are made anew each time: identifiers, numbers of systemd-run, of D-Bus connections, and
 * of processes at the end of scopes, and of connections that systemd.socket(5) has accepted.
 */
const TRANSIENT: readonly (readonly [part: RegExp, stable: string])[] = [
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '*'],
  [/[0-9a-f]{32,}/g, '*'],
  [/^run-[prui]\d+(?:-i\d+)?/, 'run-*'],
  [/^dbus-:\d+\.\d+-/, 'dbus-*-'],
  [/@(?:\d+-)+(?:\d+|[^@-]*:\d+-[^@]*:\d+)\.service$/, '@*.service'],
  [/-\d+\.scope$/, '-*.scope'],
]

/** The unit of a process, in the words of ./unit.ts's `unitOf`; undefined for one that is in none, or has ended. */
export function readUnit(host: Host, pid: string): string | undefined {
  const file = host.readText(`/proc/${pid}/cgroup`, MAX_CGROUP_BYTES)
  if (file.status === 'found') return unitOf(file.value)
  return file.status === 'absent' ? undefined : UNREADABLE
}

/**
 * Which unit /proc/PID/cgroup tells, cgroups(7): its name with its instance, `docker container` and the like for
 * containers, `user session` for logins, and `NAME (user)` for a unit of a user's own service manager. What is
 * different each time stands as `*`, so that equal systems read equal.
 */
export function unitOf(cgroup: string): string | undefined {
  const path = pathOf(cgroup)
  if (path === undefined) return undefined
  const parts = path.split('/').filter((part) => part !== '')
  const container = containerOf(parts)
  if (container !== undefined) return container
  const [unit, ...inner] = parts.map(unescaped).filter((part) => UNIT.test(part))
  if (unit === undefined) return undefined
  if (/^session-[^/]*\.scope$/.test(unit)) return 'user session'
  if (!/^user@[^/]*\.service$/.test(unit) || inner[0] === undefined) return stable(unit)
  return inner[0] === 'init.scope' ? stable(unit) : `${stable(inner[0])} (user)`
}

/** systemd keeps its units in a hierarchy of its own (version 1, and mixed), or in the only one (version 2). */
function pathOf(cgroup: string): string | undefined {
  let unified: string | undefined
  for (const line of cgroup.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line)
    if (match === null) continue
    const [, controllers, path = ''] = match
    const there = path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path
    if (controllers === 'name=systemd') return there
    if (controllers === '') unified = there
  }
  return unified
}

function containerOf(parts: readonly string[]): string | undefined {
  const lxc = parts.find((part) => part.startsWith('lxc.payload.'))
  if (lxc !== undefined) return printable(`lxc container ${lxc.slice('lxc.payload.'.length)}`, MAX_UNIT)
  if (parts[0] === 'lxc' && parts[1] !== undefined) return printable(`lxc container ${parts[1]}`, MAX_UNIT)
  if (!parts.some((part) => CONTAINER_ID.test(part))) return undefined
  const path = parts.join('/')
  return ENGINES.find(([mark]) => mark.test(path))?.[1] ?? 'container'
}

/** systemd puts an underscore before names that the kernel keeps for itself. */
const unescaped = (part: string): string => (part.startsWith('_') ? part.slice(1) : part)

function stable(unit: string): string {
  // A name of the file system has at most 255 bytes.
  const shown = TRANSIENT.reduce((name, [part, replacement]) => name.replace(part, replacement), unit.slice(0, 255))
  return printable(shown, MAX_UNIT)
}

/** Whether its files are others than those of the system. */
export const isContainer = (unit: string | undefined): boolean =>
  unit !== undefined && /^(?:\w+ )?container(?: |$)/.test(unit)

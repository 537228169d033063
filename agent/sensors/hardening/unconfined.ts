import type { Observation } from '../../../shared/posture/observation.ts'
import { MAX_NAMES, type HardeningContent } from '../../../shared/posture/sections/hardening.ts'
import { SOCKET_TABLES } from '../../../shared/posture/sections/sockets.ts'
import type { Host } from '../host.ts'
import { readEphemeralPorts } from '../sockets/ephemeral.ts'
import { executableOf, UNKNOWN_EXECUTABLE } from '../sockets/owners.ts'
import { Processes } from '../sockets/processes.ts'
import { parseSocketTable } from '../sockets/proc-net.ts'

const MAX_TABLE_BYTES = 24 * 1024 * 1024

/** Whether a module is there whose labels say what confines a process: AppArmor, SELinux or Smack. */
function isConfining({ modules, appArmor, seLinux }: HardeningContent['mac']): boolean {
  const isSmack = 'value' in modules && modules.value.split(',').includes('smack')
  const isAppArmor = 'value' in appArmor ? appArmor.value === 'enabled' : appArmor.missing !== 'absent'
  const isSeLinux = 'value' in seLinux ? seLinux.value !== 'disabled' : seLinux.missing !== 'absent'
  return isSmack || isAppArmor || isSeLinux
}

/** Sockets of TCP and UDP that can be reached from beyond the machine, without the ports that clients are given. */
function reachableSockets(host: Host): Observation<ReadonlySet<string>> {
  const isEphemeral = readEphemeralPorts(host)
  const inodes = new Set<string>()
  for (const table of SOCKET_TABLES) {
    const file = host.readFile(`/proc/net/${table}`, MAX_TABLE_BYTES)
    if (file.status === 'absent') continue
    if (file.status !== 'found') return { missing: file.status }
    for (const socket of parseSocketTable(table, file.value, host.byteOrder).sockets) {
      if (socket.address?.scope !== 'loopback' && !isEphemeral(socket)) inodes.add(socket.inode)
    }
  }
  return { value: inodes }
}

/** Domains of the reference policy of SELinux in which everything is allowed. */
const UNCONFINED_TYPES = /^(?:unconfined(?:_\w+)?_t|initrc_t|kernel_t)$/

/**
 * What a process's label says: `unconfined` or `profile (mode)` of AppArmor, `user:role:type:level` of SELinux, `_`, the
 * floor, of Smack. A profile that only complains confines nothing.
 */
export function isUnconfinedLabel(label: string): boolean {
  if (label === 'unconfined' || label === '_') return true
  const mode = / \(([a-z]+)\)$/.exec(label)?.[1]
  if (mode !== undefined) return mode === 'complain' || mode === 'unconfined'
  const [, , type] = label.split(':')
  return type !== undefined && UNCONFINED_TYPES.test(type)
}

/** proc_pid_attr(5); the first is AppArmor's own where several modules are stacked. */
const ATTRIBUTES = ['attr/apparmor/current', 'attr/current'] as const

/** A process whose label cannot be read is looked at further: nothing says that it is confined. */
function isUnconfined(host: Host, pid: string): boolean {
  for (const attribute of ATTRIBUTES) {
    const label = host.readText(`/proc/${pid}/${attribute}`, 4096)
    if (label.status !== 'found') continue
    return isUnconfinedLabel(label.value.replace(/[\0\n]+$/, ''))
  }
  return true
}

/** By executable: processes come and go. */
export function readUnconfined(host: Host, mac: HardeningContent['mac']): HardeningContent['unconfined'] {
  if (!isConfining(mac)) return { missing: 'absent' }
  const wanted = reachableSockets(host)
  if ('missing' in wanted) return wanted
  const processes = new Processes()
  processes.list(host, (pid) => isUnconfined(host, pid))
  const { sight, holders } = processes.holders(host, wanted.value)
  if (sight !== 'visible') return { missing: sight === 'bounded' ? 'too-large' : 'no-permission' }
  const pids = new Set([...holders.values()].flat())
  const found = new Set([...pids].map((pid) => executableOf(host, pid)?.shown ?? UNKNOWN_EXECUTABLE))
  return found.size > MAX_NAMES ? { missing: 'too-large' } : { value: [...found] }
}

import type { ServiceState } from '../../shared/posture/sections/operations.ts'
import type { Host } from './host.ts'
import { serviceState as systemdState } from './update-channel/systemd-units.ts'

/** What a service is called by each way of starting it. */
export interface ServiceNames {
  /** Units of systemd, without the ending. */
  readonly systemd?: readonly string[]
  /** Scripts in /etc/init.d: of OpenRC, OpenWrt, and SysV init. */
  readonly scripts?: readonly string[]
}

export type RunState = ServiceState['state'] | 'absent'

/** From what decides to what does not: of several names the first state of this list is the service's. */
const ORDER: readonly RunState[] = ['on', 'unknown', 'stopped', 'masked', 'off', 'absent']

/** Whether a service is started at boot, and runs as far as that shows, by whichever of the systems is there. */
export function runState(host: Host, { systemd = [], scripts = [] }: ServiceNames): RunState {
  const states = [...systemd.map((unit) => unitRunState(host, unit)), ...scripts.map((one) => scriptState(host, one))]
  return ORDER.find((state) => states.includes(state)) ?? 'absent'
}

function unitRunState(host: Host, unit: string): RunState {
  const state = systemdState(host, `${unit}.service`)
  if (state === 'enabled') return 'on'
  return state === 'disabled' ? 'off' : state
}

/** OpenRC starts what is linked here; OpenWrt and SysV init what has a link that begins with S and a number. */
const RUNLEVELS = ['sysinit', 'boot', 'default'] as const
const START_DIRECTORIES = ['/etc/rc.d', '/etc/rcS.d', '/etc/rc2.d', '/etc/rc3.d', '/etc/rc4.d', '/etc/rc5.d'] as const
const MAX_ENTRIES = 4096

function scriptState(host: Host, script: string): RunState {
  // Debian's packages bring a script beside the unit, which systemd leaves alone.
  if (host.stat('/run/systemd/system').status === 'found') return 'absent'
  const there = host.stat(`/etc/init.d/${script}`)
  if (there.status === 'absent') return 'absent'
  if (there.status !== 'found') return 'unknown'
  let isHidden = false
  for (const level of RUNLEVELS) {
    const { status } = host.readLink(`/etc/runlevels/${level}/${script}`)
    if (status === 'found') return isStopped(host, script) ? 'stopped' : 'on'
    if (status !== 'absent') isHidden = true
  }
  const link = new RegExp(`^S\\d+${script.replaceAll(/[^\w-]/g, '\\$&')}$`)
  for (const directory of START_DIRECTORIES) {
    const names = host.readDirectory(directory, MAX_ENTRIES)
    if (names.status === 'found' && names.value.some((name) => link.test(name))) return 'on'
    if (names.status !== 'found' && names.status !== 'absent') isHidden = true
  }
  return isHidden ? 'unknown' : 'off'
}

/** Services that are not up yet shortly after the boot are not stopped ones. */
const STARTING_SECONDS = 300

/** OpenRC notes here what it has started, once it has reached a runlevel. */
function isStopped(host: Host, script: string): boolean {
  const uptime = host.readText('/proc/uptime', 256)
  if (uptime.status !== 'found' || !(Number.parseFloat(uptime.value) >= STARTING_SECONDS)) return false
  if (host.stat('/run/openrc/softlevel').status !== 'found') return false
  return host.readLink(`/run/openrc/started/${script}`).status === 'absent'
}

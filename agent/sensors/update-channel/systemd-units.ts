import type { ChannelSetting } from '../../../shared/posture/sections/update-channel.ts'
import type { Host, HostStat } from '../host.ts'
import { setting } from './manager.ts'

/** systemd.unit(5), the system's unit search path in its order. */
const DIRECTORIES = [
  '/etc/systemd/system.control',
  '/run/systemd/system.control',
  '/run/systemd/transient',
  '/run/systemd/generator.early',
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]
const MAX_UNIT_BYTES = 256 * 1024
/** Services that are not up yet shortly after the boot are not stopped ones. */
const STARTING_SECONDS = 300

/** `stopped`: enabled, and systemd does not run it now. */
export type UnitState = 'absent' | 'masked' | 'disabled' | 'enabled' | 'stopped' | 'unknown'

/** What starts the units that are of interest here, systemd.special(7). */
const TARGETS = [
  'multi-user.target',
  'timers.target',
  'default.target',
  'network-online.target',
  'sysinit.target',
  'basic.target',
  'sockets.target',
]

/** Whether a unit is there and started at boot, as far as the file system tells. */
export function unitState(host: Host, unit: string): UnitState {
  let exists = false
  for (const directory of DIRECTORIES) {
    const link = host.readLink(`${directory}/${unit}`)
    if (link.status === 'no-permission') return 'unknown'
    if (link.status === 'found' && link.value === '/dev/null') return 'masked'
    const stat = host.stat(`${directory}/${unit}`)
    if (stat.status === 'no-permission') return 'unknown'
    if (stat.status !== 'found') continue
    if (isNothing(host, `${directory}/${unit}`, stat.value.kind)) return 'masked'
    exists = true
    break
  }
  if (!exists) return 'absent'
  const isWanted = DIRECTORIES.some((directory) =>
    TARGETS.some((target) =>
      ['wants', 'requires'].some((kind) => host.readLink(`${directory}/${target}.${kind}/${unit}`).status === 'found'),
    ),
  )
  return isWanted ? 'enabled' : 'disabled'
}

/** systemd.unit(5): a unit that is empty, or leads to /dev/null by whatever way, is masked. */
function isNothing(host: Host, path: string, kind: HostStat['kind']): boolean {
  if (kind !== 'file') return kind === 'other'
  const text = host.readText(path, 1)
  return text.status === 'found' && text.value === ''
}

/** The same for a service that runs all the time, which can be stopped without being disabled. */
export function serviceState(host: Host, unit: string): UnitState {
  const state = unitState(host, unit)
  return state === 'enabled' && isStopped(host, unit) ? 'stopped' : state
}

function isStopped(host: Host, unit: string): boolean {
  const uptime = host.readText('/proc/uptime', 256)
  if (uptime.status !== 'found' || !(Number.parseFloat(uptime.value) >= STARTING_SECONDS)) return false
  const slices = ['/sys/fs/cgroup/system.slice', '/sys/fs/cgroup/systemd/system.slice']
  const slice = slices.find((path) => host.stat(path).status === 'found')
  // Without the slice it is not systemd that runs here, or its groups cannot be seen.
  if (slice === undefined || host.stat('/run/systemd/system').status !== 'found') return false
  return host.stat(`${slice}/${unit}`).status === 'absent'
}

/** Of systemd.timer(5). RandomizedDelaySec and the like say nothing about how often. */
const WHEN: ReadonlySet<string> = new Set(['OnCalendar', 'OnBootSec', 'OnStartupSec', 'OnActiveSec', 'OnUnitActiveSec'])

/** When a timer elapses, its drop-ins included. An empty assignment takes all before it back, systemd.timer(5). */
export function timerSchedule(host: Host, unit: string): ChannelSetting[] {
  const main = DIRECTORIES.map((directory) => `${directory}/${unit}`).find((path) => host.stat(path).status === 'found')
  const dropIns = new Map<string, string>()
  for (const directory of DIRECTORIES) {
    const names = host.readDirectory(`${directory}/${unit}.d`, 256)
    for (const name of names.status === 'found' ? names.value : []) {
      if (name.endsWith('.conf') && !dropIns.has(name)) dropIns.set(name, `${directory}/${unit}.d/${name}`)
    }
  }
  let schedule: ChannelSetting[] = []
  const paths = [...dropIns].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  for (const path of main === undefined ? [] : [main, ...paths]) {
    const file = host.readText(path, MAX_UNIT_BYTES)
    if (file.status !== 'found') continue
    for (const [name, value] of timerLines(file.value)) {
      if (value === '') schedule = []
      else schedule.push(setting(`${unit} ${name}`, value))
    }
  }
  return schedule.slice(0, 16)
}

/** In their order, since a later one can take the earlier back. */
function* timerLines(text: string): Generator<[string, string]> {
  for (const [, name = '', value = ''] of text.matchAll(/^[ \t]*(On[A-Za-z]+)[ \t]*=[ \t]*(.*?)[ \t]*$/gm)) {
    if (WHEN.has(name)) yield [name, value]
  }
}

export const unitSetting = (unit: string, state: UnitState): ChannelSetting => setting(unit, state)

/** What a daemon that updates by itself does, by its unit. One without a unit is started by something unknown. */
export function serviceRuns(state: UnitState): 'on' | 'off' | 'unknown' {
  if (state === 'enabled') return 'on'
  return state === 'absent' || state === 'unknown' ? 'unknown' : 'off'
}

import type { Observation } from '../../shared/posture/observation.ts'
import { OS_FIELDS, type OsRelease } from '../../shared/posture/sections/system.ts'
import type { Host } from './host.ts'
import { observeLine } from './observe.ts'
import { OS_RELEASE, readOsRelease } from './os-release.ts'
import type { Reading, Sensor } from './sensor.ts'
import { staleState } from './system/stale-processes.ts'
import { printable } from './text.ts'

function readOs(host: Host): Observation<OsRelease> {
  const file = readOsRelease(host)
  if ('missing' in file) return file
  const os: OsRelease = {}
  for (const [field, variable] of Object.entries(OS_FIELDS)) {
    const value = file.value.get(variable)
    if (value !== undefined && value !== '') os[field as keyof OsRelease] = printable(value, 256)
  }
  return { value: os }
}

function measure(host: Host): Reading<'system'> {
  const content = {
    os: readOs(host),
    kernel: {
      release: observeLine(host, '/proc/sys/kernel/osrelease', 256),
      machine: observeLine(host, '/proc/sys/kernel/arch', 64),
      build: observeLine(host, '/proc/version', 1024),
    },
  }
  const all = [content.os, ...Object.values(content.kernel)]
  if (all.every((one) => 'missing' in one && one.missing === 'absent')) {
    return { status: 'not-supported', reason: 'no-platform-facts' }
  }
  return { status: 'measured', content, state: staleState(host) }
}

export const systemSensor: Sensor<'system'> = {
  id: 'system',
  title: 'operating system, kernel, and processes that run replaced files',
  section: 'system',
  reads: `${OS_RELEASE.join(' or ')}, /proc/sys/kernel/osrelease, /proc/sys/kernel/arch, /proc/version, /proc/PID/{maps,exe,cgroup}`,
  needs:
    'nothing beyond reading these files; the processes of other users, which are counted as unseen without it, need the ' +
    'privileged helper',
  blindSpots:
    'the machine type before Linux 6.1; live patches of the kernel; a kernel installed and not yet booted; scripts and ' +
    'interpreters that run old code, and for up to half an hour files that were replaced without a package ' +
    'manager; processes in other PID namespaces',
  budget: { cpuMs: 15 },
  remedy: 'Check that /proc is mounted and that os-release has the syntax of os-release(5).',
  privileged: true,
  measure,
}

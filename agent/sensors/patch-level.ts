import type { Observation } from '../../shared/posture/observation.ts'
import type { PatchLevelContent } from '../../shared/posture/sections/patch-level.ts'
import { APT_UPDATES_READS, readAptUpdates } from './patch-level/apt-updates.ts'
import { IMAGES_READS, readImages } from './patch-level/images.ts'
import { KERNEL_READS, readKernel } from './patch-level/kernel.ts'
import { findStaleProcesses } from './patch-level/stale-processes.ts'
import { readSupport } from './patch-level/support.ts'
import type { Host } from './host.ts'
import type { Reading, Sensor, StateScalar } from './sensor.ts'

/** One place on old systems and new: Debian's and Ubuntu's packages put the file there. */
const REBOOT = ['/run/reboot-required', '/var/run/reboot-required'] as const

/** Bound of a text in the state. */
const MAX_PROGRAMS_TEXT = 200

function readReboot(host: Host): Observation<'required' | 'not-flagged'> {
  for (const path of REBOOT) {
    const { status } = host.stat(path)
    if (status === 'found') return { value: 'required' }
    if (status !== 'absent') return { missing: status }
  }
  return { value: 'not-flagged' }
}

async function measure(host: Host): Promise<Reading<'patch-level'>> {
  const { updates, newestRelease } = await readAptUpdates(host)
  const { images, slot } = readImages(host)
  const content: PatchLevelContent = {
    updates,
    kernel: readKernel(host),
    reboot: readReboot(host),
    support: readSupport(host),
    images,
  }
  return {
    status: 'measured',
    content,
    state: {
      ...(newestRelease === undefined ? {} : { 'patch-level.metadata-age': host.now() - newestRelease }),
      ...(slot === undefined ? {} : { 'patch-level.slot': slot }),
      ...staleState(host),
    },
  }
}

/** What runs of replaced files depends on the moment: a restart ends it. So it is state. */
function staleState(host: Host): Record<string, StateScalar> {
  const found = findStaleProcesses(host)
  if (found === undefined) return {}
  const { stale, unseen, programs } = found
  return {
    'patch-level.stale-processes': stale,
    ...(unseen === 0 ? {} : { 'patch-level.unseen-processes': unseen }),
    ...(programs.length === 0 ? {} : { 'patch-level.stale-programs': boundedList(programs) }),
  }
}

function boundedList(names: readonly string[]): string {
  let text = ''
  for (const name of names) {
    const next = text === '' ? name : `${text} ${name}`
    if (Buffer.byteLength(next) > MAX_PROGRAMS_TEXT) return `${text} ...`
    text = next
  }
  return text
}

export const patchLevelSensor: Sensor<'patch-level'> = {
  id: 'patch-level',
  title: 'pending updates, kernel, reboot, end of support, image',
  section: 'patch-level',
  reads: [APT_UPDATES_READS, KERNEL_READS, REBOOT.join(' or '), 'os-release', IMAGES_READS, '/proc/PID/maps'].join(
    ', ',
  ),
  needs:
    'nothing beyond reading these files; the processes of other users are counted as unseen without CAP_SYS_PTRACE',
  blindSpots:
    'updates that no downloaded list tells of; lists that apt keeps compressed, other than by gzip; preferences and ' +
    "APT::Default-Release, whose presence alone is told; Ubuntu's phased updates; pending updates of other managers; " +
    'scripts and interpreters that run old code; processes in other PID namespaces; whether the support date is the ' +
    'right one for a derivative',
  budget: { cpuMs: 150 },
  remedy: 'Run `apt-get update`; make /var/lib/apt/lists and /etc/apt readable; let apt keep its lists uncompressed.',
  measure,
}

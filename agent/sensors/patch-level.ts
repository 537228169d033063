import type { Observation } from '../../shared/posture/observation.ts'
import type { PatchLevelContent } from '../../shared/posture/sections/patch-level.ts'
import { BOOT_LOADER_READS, readBootLoader, readEfiPrograms } from './patch-level/boot-loaders.ts'
import { IMAGES_READS, readImages } from './patch-level/images.ts'
import { KERNEL_READS, readKernel } from './patch-level/kernel.ts'
import { readSupport } from './patch-level/support.ts'
import { readUpdates, UPDATES_READS } from './patch-level/updates.ts'
import type { Host } from './host.ts'
import type { Reading, Sensor } from './sensor.ts'

/** One place on old systems and new: Debian's and Ubuntu's packages put the file there. */
const REBOOT = ['/run/reboot-required', '/var/run/reboot-required'] as const

function readReboot(host: Host): Observation<'required' | 'not-flagged'> {
  for (const path of REBOOT) {
    const { status } = host.stat(path)
    if (status === 'found') return { value: 'required' }
    if (status !== 'absent') return { missing: status }
  }
  return { value: 'not-flagged' }
}

async function measure(host: Host): Promise<Reading<'patch-level'>> {
  const { updates, newest } = await readUpdates(host)
  const { images, slot } = readImages(host)
  const content: PatchLevelContent = {
    updates,
    kernel: readKernel(host),
    reboot: readReboot(host),
    support: readSupport(host),
    images,
    bootLoader: readBootLoader(host),
    efiPrograms: readEfiPrograms(host),
  }
  return {
    status: 'measured',
    content,
    state: {
      ...(newest === undefined ? {} : { 'patch-level.metadata-age': host.now() - newest }),
      ...(slot === undefined ? {} : { 'patch-level.slot': slot }),
    },
  }
}

export const patchLevelSensor: Sensor<'patch-level'> = {
  id: 'patch-level',
  title: 'pending updates, kernel, reboot, end of support, image, boot loader',
  section: 'patch-level',
  reads: [UPDATES_READS, KERNEL_READS, REBOOT.join(' or '), 'os-release', IMAGES_READS, BOOT_LOADER_READS].join(', '),
  needs:
    'nothing beyond reading these files; an EFI system partition that root alone may read is not seen: the privileged ' +
    'helper would have to read all lists of packages anew each time',
  blindSpots:
    'updates that no downloaded list tells of; lists in xz, bzip2, zstd, zchunk or adb; preferences, priorities, ' +
    "exclusions and locks, whose presence alone is told; Ubuntu's phased updates; module streams of dnf; which updates " +
    'of apk and opkg are for security; pending updates of a second manager, and of flatpak, snap and container images; ' +
    'boot loaders that tell no version; whether the support date is the right one for a derivative',
  // While nothing changes. A list that has changed is read again, in slices: LZ4 takes about a second for 50 MB.
  budget: { cpuMs: 150 },
  remedy:
    'Let the package manager check for updates; make its lists and sources readable; let it keep the lists ' +
    'uncompressed, or compressed by gzip or LZ4.',
  measure,
}

import type { Observation } from '../../../shared/posture/observation.ts'
import type { KernelState } from '../../../shared/posture/sections/patch-level.ts'
import { compareVersions } from '../../../shared/versions/compare.ts'
import type { Host, HostFailure } from '../host.ts'
import { printable } from '../text.ts'

const RUNNING = '/proc/sys/kernel/osrelease'
/** A kernel has its modules in a directory of its release's name; /boot often holds only the image that is booted. */
const MODULES = ['/lib/modules', '/usr/lib/modules'] as const
const BOOT = '/boot'
const IMAGE = 'vmlinuz-'
const MAX_ENTRIES = 4096

export const KERNEL_READS = `${RUNNING}, ${MODULES.join(' or ')}, ${BOOT}`

/** The running kernel against the installed ones of its kind. What cannot be listed could hold a newer one. */
export function readKernel(host: Host): Observation<KernelState> {
  const release = host.readText(RUNNING, 1024)
  if (release.status !== 'found') return { missing: release.status }
  const running = release.value.trim()
  const installed = installedReleases(host)
  if ('status' in installed) return { missing: installed.status }
  const kind = kindOf(running)
  const comparable = [...installed].filter((one) => kindOf(one) === kind)
  if (installed.size === 0) return { missing: 'absent' }
  let newest = running
  for (const one of comparable) if (compareVersions('rpm', one, newest) === 'newer') newest = one
  if (newest !== running) return { value: { running: 'older', newest: printable(newest, 256) } }
  return { value: { running: installed.has(running) ? 'newest' : 'unlisted' } }
}

function installedReleases(host: Host): Set<string> | HostFailure {
  const releases = new Set<string>()
  for (const directory of MODULES) {
    const names = host.readDirectory(directory, MAX_ENTRIES)
    if (names.status === 'found') {
      // Removed kernels leave directories with what was built for them, without their own index of modules.
      for (const name of names.value) {
        if (host.stat(`${directory}/${name}/modules.order`).status === 'found') releases.add(name)
      }
    } else if (names.status !== 'absent') return names
  }
  const images = host.readDirectory(BOOT, MAX_ENTRIES)
  if (images.status === 'found') {
    for (const name of images.value) if (name.startsWith(IMAGE)) releases.add(name.slice(IMAGE.length))
  } else if (images.status !== 'absent') return images
  return releases
}

/**
 * What is left of a release without its numbers: `-amd64`, `-v8+`, `.x86_64`. Kernels of several kinds are installed
 * side by side, as on every Raspberry Pi, and none of them is an update of another.
 */
const kindOf = (release: string): string =>
  release
    .replace(/^\d+(?:[.~-]\d+|-?rc\d+)*/, '')
    // Fedora and its relatives: the distribution's release is not the kind.
    .replace(/^\.(?:fc|el|amzn)[\d_.]*/, '')

import type { Inventory, InventoryPackage } from '../model/advisory.ts'

/** `image`: a kernel that can be started. `other`: built from its source without being one, as headers are. */
export type KernelPart = 'image' | 'other'

const IMAGE =
  /^(?:linux-image-|linux-modules-|kernel(?:-core|-rt|-uek|-default|-64k)?$|kernel-(?:rt|uek)-core$|linux-(?:lts|virt|edge|stable|rpi\d?)$)/
/** Nothing of these runs: names, interfaces and tools to build with. */
const HEADERS = /^(?:linux-libc-dev|linux-headers-|linux-kbuild-|linux-doc|linux-source|kernel-(?:headers|devel|doc))/

/** Undefined for what is no part of a kernel. */
export function kernelPartOf({ name }: InventoryPackage): KernelPart | undefined {
  return IMAGE.test(name) ? 'image' : HEADERS.test(name) ? 'other' : undefined
}

/** Whether this package is the kernel that runs. */
export function isRunning(one: InventoryPackage, { runningKernel: release, manager }: Inventory): boolean {
  if (release === null) return false
  if (manager === 'dpkg') return one.name.endsWith(`-${release}`) || one.name.endsWith(`-${release}-unsigned`)
  if (manager === 'rpm') {
    const version = one.version.replace(/^\d+:/, '')
    return release === version || release === `${version}.${one.architecture ?? ''}`
  }
  // Alpine's linux-lts 6.6.14-r0 says 6.6.14-0-lts of itself.
  const [, version = '', revision = ''] = /^(.+)-r(\d+)$/.exec(one.version) ?? []
  return release.startsWith(`${version}-${revision}-`) && release.endsWith(one.name.replace(/^linux/, ''))
}

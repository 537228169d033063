import { ecosystemOf } from '../../shared/advisories/ecosystem.ts'
import type { PackagesContent } from '../../shared/posture/sections/packages.ts'
import type { Inventory } from '../model/advisory.ts'
import type { SystemContent } from '../../shared/posture/sections/system.ts'

/** Debian and Ubuntu sign kernels in a source package of another name, whose binary packages keep the kernel's version. */
const SIGNED_KERNEL = /^linux-signed(?:-(?!hwe|aws|azure|gcp|oracle|ibm|kvm|raspi|lowlatency|oem)[a-z0-9]+)?$/

export function inventoryOf(packages: PackagesContent, system: SystemContent | null): Inventory {
  const os = system === null || 'missing' in system.os ? undefined : ecosystemOf(system.os.value)
  const release = system?.kernel.release
  return {
    manager: packages.manager,
    ecosystem: os ?? null,
    runningKernel: release === undefined || 'missing' in release ? null : release.value,
    isWhole: packages.total === packages.packages.length && packages.malformed === 0 && !packages.incomplete,
    packages: packages.packages.map(({ name, version, architecture, source, sourceVersion }) => {
      const isSigned = source !== undefined && SIGNED_KERNEL.test(source)
      return {
        name,
        version,
        architecture: architecture ?? null,
        source: isSigned ? 'linux' : (source ?? name),
        sourceVersion: isSigned ? version : (sourceVersion ?? version),
      }
    }),
  }
}

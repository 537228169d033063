import type { Observation } from '../../../shared/posture/observation.ts'
import { MAX_VULNERABILITIES, type BootContent } from '../../../shared/posture/sections/boot.ts'
import type { Host } from '../host.ts'
import { observed, observeLine } from '../observe.ts'
import { printable } from '../text.ts'

const VULNERABILITIES = '/sys/devices/system/cpu/vulnerabilities'
/** The class lists the units themselves, the groups what they keep apart: which of them is there depends on the driver. */
const IOMMU = ['/sys/class/iommu', '/sys/kernel/iommu_groups'] as const

/** A parameter that the kernel shows as Y or N, or a setting that it shows as 0 or 1. Anything else says nothing. */
function readSwitch(host: Host, path: string): Observation<boolean> {
  return observed(host.readText(path, 64), (text) => {
    const value = /^([YN01])\n?$/.exec(text)?.[1]
    return value === undefined ? { missing: 'malformed' } : { value: value === 'Y' || value === '1' }
  })
}

/** On where either directory has entries. Off needs one that is there and empty, and none that could not be read. */
function readIommu(host: Host): Observation<boolean> {
  const listings = IOMMU.map((path) => host.readDirectory(path, 4096))
  const isOn = listings.some(
    (listing) => listing.status === 'too-large' || (listing.status === 'found' && listing.value.length > 0),
  )
  if (isOn) return { value: true }
  for (const { status } of listings) if (status !== 'found' && status !== 'absent') return { missing: status }
  return listings.some(({ status }) => status === 'found') ? { value: false } : { missing: 'absent' }
}

function readVulnerabilities(host: Host): BootContent['vulnerabilities'] {
  return observed(host.readDirectory(VULNERABILITIES, MAX_VULNERABILITIES), (names) => ({
    value: names.map((name) => ({
      name: printable(name, 64),
      mitigation: observeLine(host, `${VULNERABILITIES}/${name}`, 256),
    })),
  }))
}

/** How the running kernel guards itself, as far as it tells. */
export function readKernelProtection(host: Host) {
  return {
    moduleSignatures: readSwitch(host, '/sys/module/module/parameters/sig_enforce'),
    kexec: {
      loadDisabled: readSwitch(host, '/proc/sys/kernel/kexec_load_disabled'),
      loaded: readSwitch(host, '/sys/kernel/kexec_loaded'),
    },
    iommu: readIommu(host),
    vulnerabilities: readVulnerabilities(host),
    fsVeritySignatures: readSwitch(host, '/proc/sys/fs/verity/require_signatures'),
  }
}

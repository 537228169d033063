import { maskUnitValues, verityParameters } from '../../shared/posture/command-line.ts'
import type { Observation } from '../../shared/posture/observation.ts'
import { LOCKDOWN_MODES, MAX_VERITY_PARAMETERS, type BootContent } from '../../shared/posture/sections/boot.ts'
import { readMappings } from './boot/device-mapper.ts'
import { readKernelProtection } from './boot/kernel-protection.ts'
import type { Host } from './host.ts'
import { observed, observeLine } from './observe.ts'
import type { Reading, Sensor } from './sensor.ts'
import { printable } from './text.ts'

/** EFI_GLOBAL_VARIABLE, UEFI 2.10 section 3.3. */
const EFI_GLOBAL = '8be4df61-93ca-11d2-aa0d-00e098032b8c'
const SECURITYFS = '/sys/kernel/security'
const TPM_CLASS = '/sys/class/tpm'

/** efivarfs puts four bytes of attributes before the value, which for these variables is one byte, 0 or 1. */
function readEfiSwitch(host: Host, name: string): Observation<boolean> {
  return observed(host.readFile(`/sys/firmware/efi/efivars/${name}-${EFI_GLOBAL}`, 64), (bytes) => {
    const value = bytes[4]
    if (bytes.length !== 5 || (value !== 0 && value !== 1)) return { missing: 'malformed' }
    return { value: value === 1 }
  })
}

/** The file lists all modes and puts the one in force into brackets. */
function readLockdown(host: Host): BootContent['lockdown'] {
  return observed(host.readText(`${SECURITYFS}/lockdown`, 256), (text) => {
    const mode = LOCKDOWN_MODES.find((known) => text.includes(`[${known}]`))
    return mode === undefined ? { missing: 'malformed' } : { value: mode }
  })
}

/** Only where securityfs is mounted, which shows by its having entries, does a missing directory mean no IMA. */
function readIma(host: Host): Observation<boolean> {
  return observed(host.readDirectory(SECURITYFS, 1024), (names) =>
    names.length === 0 ? { missing: 'absent' } : { value: names.includes('ima') },
  )
}

function readTpms(host: Host): BootContent['tpms'] {
  return observed(host.readDirectory(TPM_CLASS, 16), (names) => ({
    value: names.map((name) => ({
      name: printable(name, 64),
      major: observed(host.readText(`${TPM_CLASS}/${name}/tpm_version_major`, 16), (text) =>
        /^\d{1,2}\n?$/.test(text) ? { value: Number.parseInt(text, 10) } : { missing: 'malformed' },
      ),
    })),
  }))
}

const MAX_COMMAND_LINE = 4096

/** Masked before it is cut, so that equal units are cut at the same place. */
function readCommandLine(host: Host): Pick<BootContent, 'commandLine' | 'verity'> {
  const line = observed(host.readText('/proc/cmdline', MAX_COMMAND_LINE * 4), (text) => ({
    value: maskUnitValues(text.replace(/\n$/, '')),
  }))
  if ('missing' in line) return { commandLine: line, verity: line }
  const verity = verityParameters(line.value).map(({ name, value }) => ({ name, value: printable(value, 512) }))
  return {
    commandLine: { value: printable(line.value, MAX_COMMAND_LINE) },
    verity: verity.length > MAX_VERITY_PARAMETERS ? { missing: 'too-large' } : { value: verity },
  }
}

function measure(host: Host): Reading<'boot'> {
  const content: BootContent = {
    firmware: {
      vendor: observeLine(host, '/sys/class/dmi/id/bios_vendor', 256),
      version: observeLine(host, '/sys/class/dmi/id/bios_version', 256),
      date: observeLine(host, '/sys/class/dmi/id/bios_date', 64),
    },
    deviceTreeModel: observeLine(host, '/sys/firmware/devicetree/base/model', 256),
    secureBoot: readEfiSwitch(host, 'SecureBoot'),
    setupMode: readEfiSwitch(host, 'SetupMode'),
    ...readCommandLine(host),
    lockdown: readLockdown(host),
    ima: readIma(host),
    tpms: readTpms(host),
    ...readKernelProtection(host),
    mappings: readMappings(host),
  }
  const { firmware, kexec, ...rest } = content
  const all = [firmware, kexec, rest].flatMap((fields) => Object.values(fields))
  if (all.every((one) => 'missing' in one && one.missing === 'absent')) {
    return { status: 'not-supported', reason: 'no-platform-facts' }
  }
  return { status: 'measured', content }
}

export const bootSensor: Sensor<'boot'> = {
  id: 'boot',
  title: 'what the operating system knows of its boot',
  section: 'boot',
  reads:
    '/proc/cmdline, /sys/class/dmi/id, /sys/firmware, /sys/kernel, /sys/class/tpm, /sys/class/iommu, /sys/block/dm-*, ' +
    '/sys/module/module, /sys/devices/system/cpu/vulnerabilities, /proc/sys/kernel, /proc/sys/fs/verity',
  needs: 'mounted /sys; efivarfs and securityfs where the platform has them',
  blindSpots:
    'all of it is told by the kernel: only the quote and its event log prove how the machine was booted; ' +
    'identifiers of a unit are masked, so that another of its own file systems or mappings looks the same; ' +
    'the root hash of a dm-verity mapping is seen only where the command line names it',
  budget: { cpuMs: 10 },
  remedy: 'Check that /sys, /sys/firmware/efi/efivars and /sys/kernel/security are mounted and visible to the service.',
  measure,
}

import type { Observation } from '../../../shared/posture/observation.ts'
import { MAX_BOOT_PROGRAMS, type BootProgram } from '../../../shared/posture/sections/patch-level.ts'
import type { Host } from '../host.ts'
import { observeLine } from '../observe.ts'
import { printable } from '../text.ts'
import { readPeSection } from './pe-section.ts'

const CHOSEN = '/proc/device-tree/chosen'
/** What tells its version in the device tree that it hands to the kernel. */
const IN_DEVICE_TREE = [
  ['u-boot', `${CHOSEN}/u-boot,version`],
  ['raspberry-pi', `${CHOSEN}/bootloader/version`],
] as const
/** The Boot Loader Interface, https://systemd.io/BOOT_LOADER_INTERFACE: systemd-boot, its stub, and newer GRUBs. */
const VENDOR = '4a67b082-0a4c-41cf-b6c7-440b29bb8c4f'
const EFI_VARIABLES = '/sys/firmware/efi/efivars'
const IN_VARIABLES = [
  ['loader', `${EFI_VARIABLES}/LoaderInfo-${VENDOR}`],
  ['stub', `${EFI_VARIABLES}/StubInfo-${VENDOR}`],
] as const
/** Where the EFI system partition is mounted. */
const PARTITIONS = ['/boot/efi/EFI', '/efi/EFI', '/boot/EFI'] as const
const MAX_ENTRIES = 256
const MAX_TEXT = 256
const MAX_SBAT_BYTES = 16 * 1024

export const BOOT_LOADER_READS = [...[...IN_DEVICE_TREE, ...IN_VARIABLES].map(([, path]) => path), ...PARTITIONS].join(
  ', ',
)

/** What started the kernel, where it tells its version. */
export function readBootLoader(host: Host): Observation<BootProgram[]> {
  const told: [name: string, version: Observation<string>][] = [
    ...IN_DEVICE_TREE.map(([name, path]): [string, Observation<string>] => [name, observeLine(host, path, MAX_TEXT)]),
    ...IN_VARIABLES.map(([name, path]): [string, Observation<string>] => [name, readVariable(host, path)]),
  ]
  const found = told.flatMap(([name, version]) => ('value' in version ? [{ name, version: version.value }] : []))
  const failure = told.find(([, version]) => 'missing' in version && version.missing !== 'absent')?.[1]
  if (failure !== undefined && 'missing' in failure) return failure
  return found.length === 0 ? { missing: 'absent' } : { value: found }
}

/** efivarfs: four bytes of attributes, then the text in UTF-16 with its final NUL. */
function readVariable(host: Host, path: string): Observation<string> {
  const file = host.readFile(path, 4 + MAX_TEXT * 2 + 2)
  if (file.status !== 'found') return { missing: file.status }
  const text = file.value.subarray(4).toString('utf16le').replace(/\0$/, '')
  if (file.value.length % 2 !== 0) return { missing: 'malformed' }
  return { value: printable(Buffer.from(text, 'utf8').toString('latin1'), MAX_TEXT) }
}

/**
 * What the EFI system partition has for the firmware to start, by what each program says of itself in its SBAT
 * metadata (https://github.com/rhboot/shim, SBAT.md): components, each with its generation and the vendor's version.
 */
export function readEfiPrograms(host: Host): Observation<BootProgram[]> {
  const programs: BootProgram[] = []
  let isThere = false
  for (const partition of PARTITIONS) {
    const vendors = host.readDirectory(partition, MAX_ENTRIES)
    if (vendors.status === 'absent') continue
    if (vendors.status !== 'found') return { missing: vendors.status }
    isThere = true
    for (const vendor of vendors.value) {
      const files = host.readDirectory(`${partition}/${vendor}`, MAX_ENTRIES)
      if (files.status === 'absent') continue
      if (files.status !== 'found') return { missing: files.status }
      for (const file of files.value.filter((name) => /\.efi$/i.test(name))) {
        programs.push(...readProgram(host, `${partition}/${vendor}/${file}`, `${vendor}/${file}`))
      }
    }
    // The other places are the same partition, or none.
    break
  }
  if (!isThere) return { missing: 'absent' }
  return programs.length > MAX_BOOT_PROGRAMS ? { missing: 'too-large' } : { value: programs }
}

function readProgram(host: Host, path: string, name: string): BootProgram[] {
  const shown = printable(name, MAX_TEXT)
  const file = host.open(path)
  if (file.status !== 'found') return [{ name: shown, version: `(${file.status})` }]
  try {
    const sbat = readPeSection(file.value, '.sbat', MAX_SBAT_BYTES)
    if (sbat === 'malformed') return [{ name: shown, version: '(malformed)' }]
    const components = sbat === undefined ? [] : parseSbat(sbat)
    if (components.length === 0) return [{ name: shown, version: '(no metadata)' }]
    return components.map((one) => ({ name: printable(`${name} ${one.component}`, MAX_TEXT), version: one.version }))
  } finally {
    file.value.close()
  }
}

/** component,generation,vendor,package,version,address: the line for the format itself says nothing of the program. */
function parseSbat(bytes: Buffer): { component: string; version: string }[] {
  const lines = bytes.toString('latin1').split('\0', 1).join('').split('\n')
  return lines.flatMap((line) => {
    const [component = '', generation = '', , , version = ''] = line.trim().split(',')
    if (component === '' || component === 'sbat' || !/^\d+$/.test(generation)) return []
    return [{ component, version: printable(`${version}, generation ${generation}`, MAX_TEXT) }]
  })
}

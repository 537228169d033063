import type { Image } from '../../../shared/posture/sections/patch-level.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { iniEntries, parseIni } from '../update-channel/ini.ts'

export const RAUC_CONFIGURATION = '/etc/rauc/system.conf'
const MAX_BYTES = 256 * 1024

export const RAUC_READS = `${RAUC_CONFIGURATION} and the status file that it names`

/**
 * What RAUC says is installed in the slot that runs, and in those that belong to it: the version of the bundle, where
 * RAUC keeps a central status file that may be read.
 *
 * @param booted the name by which the boot loader knows the slot, or its device, as `rauc.slot` has it
 */
export function raucVersions(host: Host, booted: string | undefined): Image['versions'] {
  const configuration = host.readText(RAUC_CONFIGURATION, MAX_BYTES)
  if (configuration.status !== 'found' || booted === undefined) return []
  const file = parseIni(configuration.value)
  const system = iniEntries(file, 'system')
  const data = system.get('data-directory')
  const path = system.get('statusfile') ?? (data === undefined ? undefined : `${data}/central.raucs`)
  const status = path?.startsWith('/') === true ? host.readText(path, MAX_BYTES) : undefined
  if (status?.status !== 'found') return []
  const slots = file.sections.filter(({ name }) => name.startsWith('slot.'))
  const running = slots.find(({ entries }) => entries.get('bootname') === booted || entries.get('device') === booted)
  // rauc(8), "Slot configuration": a slot whose parent runs belongs to it.
  const group = slots.filter(
    ({ name, entries }) => name === running?.name || `slot.${entries.get('parent') ?? ''}` === running?.name,
  )
  const told = parseIni(status.value)
  return group.flatMap(({ name }) => {
    const version = iniEntries(told, name).get('bundle.version')
    // The class of the slot, not which of two: that differs between units.
    const [, slotClass = ''] = name.split('.')
    return version === undefined ? [] : [{ name: printable(slotClass, 128), version: printable(version, 256) }]
  })
}

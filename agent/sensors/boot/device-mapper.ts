import { maskUnitValues } from '../../../shared/posture/command-line.ts'
import {
  MAX_MAPPINGS,
  type BootContent,
  type MAPPING_KINDS,
  type Mapping,
} from '../../../shared/posture/sections/boot.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { printable } from '../text.ts'

const BLOCK_DEVICES = '/sys/block'
/** DM_NAME_LEN and DM_UUID_LEN of linux/dm-ioctl.h are less. */
const MAX_FILE_BYTES = 256

/** How libcryptsetup begins the uuid of a mapping that it makes; the unit's own uuid and the name follow. */
const KINDS: readonly (readonly [prefix: string, kind: (typeof MAPPING_KINDS)[number]])[] = [
  ['CRYPT-VERITY-', 'verity'],
  ['CRYPT-LUKS1-', 'luks1'],
  ['CRYPT-LUKS2-', 'luks2'],
]

/** dm-verity and LUKS mappings. Others, such as logical volumes, are not listed; one that hides its kind is. */
export function readMappings(host: Host): BootContent['mappings'] {
  return observed(host.readDirectory(BLOCK_DEVICES, 4096), (devices) => {
    const mappings = devices.filter((device) => /^dm-\d+$/.test(device)).flatMap((device) => readMapping(host, device))
    return mappings.length > MAX_MAPPINGS ? { missing: 'too-large' } : { value: mappings }
  })
}

function readMapping(host: Host, device: string): readonly Mapping[] {
  const directory = `${BLOCK_DEVICES}/${device}/dm`
  const uuid = host.readText(`${directory}/uuid`, MAX_FILE_BYTES)
  if (uuid.status === 'absent') return [] // gone meanwhile
  const name = observed(host.readText(`${directory}/name`, MAX_FILE_BYTES), (text) => ({
    value: printable(maskUnitValues(text.replace(/\n$/, '')), 256),
  }))
  if (uuid.status !== 'found') return [{ kind: { missing: uuid.status }, name }]
  const kind = KINDS.find(([prefix]) => uuid.value.startsWith(prefix))?.[1]
  return kind === undefined ? [] : [{ kind: { value: kind }, name }]
}

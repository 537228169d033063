import type { Observation } from '../../../shared/posture/observation.ts'
import type { HardeningContent, SWAP_KINDS } from '../../../shared/posture/sections/hardening.ts'
import type { Host } from '../host.ts'
import { observed, observeLine } from '../observe.ts'
import { printable } from '../text.ts'
import { iniEntries, parseIni } from '../update-channel/ini.ts'
import { configurationFiles } from '../drop-ins.ts'

/** Where memory goes: to swap, and into the dumps of programs that crash. */

type SwapKind = (typeof SWAP_KINDS)[number]

const SWAPS = '/proc/swaps'
const CORE_PATTERN = '/proc/sys/kernel/core_pattern'
const LIMITS = '/proc/1/limits'
const COREDUMP_CONF = 'coredump.conf'
const MAX_BYTES = 64 * 1024

export const MEMORY_READS = [
  SWAPS,
  '/sys/class/block/dm-*/dm/uuid',
  CORE_PATTERN,
  LIMITS,
  `systemd/${COREDUMP_CONF}`,
].join(', ')

/** A device mapper target that begins its uuid so is encrypted, see libcryptsetup. Names of devices are the unit's. */
function deviceKind(host: Host, path: string): Observation<SwapKind> {
  const link = host.readLink(path)
  const device = (link.status === 'found' ? link.value : path).split('/').at(-1) ?? ''
  if (device.startsWith('zram')) return { value: 'memory' }
  if (!/^dm-\d+$/.test(device)) return { value: 'plain' }
  return observed(host.readText(`/sys/class/block/${device}/dm/uuid`, 1024), (uuid) => ({
    value: uuid.startsWith('CRYPT-') ? 'encrypted' : 'plain',
  }))
}

/** proc(5), swaps: a line of headings, then path, type, size, used and priority. */
function readSwap(host: Host): HardeningContent['swap'] {
  return observed(host.readText(SWAPS, MAX_BYTES), (text) => {
    const kinds = new Set<SwapKind>()
    for (const line of text.split('\n').slice(1)) {
      if (line === '') continue
      const [path = '', type] = line.split(/\s+/)
      if (type !== 'file' && type !== 'partition') return { missing: 'malformed' }
      const kind = type === 'file' ? { value: 'file' as const } : deviceKind(host, path.replaceAll('\\040', ' '))
      if ('missing' in kind) return kind
      kinds.add(kind.value)
    }
    return { value: [...kinds] }
  })
}

/** coredump.conf(5). Without any file the defaults that are built in hold, and it may not be installed at all. */
function readStorage(host: Host): Observation<string> {
  let storage: Observation<string> = { missing: 'absent' }
  for (const path of configurationFiles(host, COREDUMP_CONF)) {
    const file = observed(host.readText(path, MAX_BYTES), (text) => ({
      value: iniEntries(parseIni(text), 'Coredump').get('Storage') ?? '',
    }))
    if ('missing' in file) {
      if (file.missing !== 'absent') return file
    } else if (file.value !== '' || 'missing' in storage) {
      storage = { value: printable(file.value === '' ? 'default' : file.value, 128) }
    }
  }
  return storage
}

/** proc(5), limits: `Max core file size     0        unlimited        bytes` */
function readLimit(host: Host): Observation<string> {
  return observed(host.readText(LIMITS, MAX_BYTES), (text) => {
    const match = /^Max core file size +(\S+) +(\S+)/m.exec(text)
    return match === null
      ? { missing: 'malformed' }
      : { value: printable(`soft ${match[1] ?? ''}, hard ${match[2] ?? ''}`, 128) }
  })
}

export const readMemory = (host: Host): Pick<HardeningContent, 'swap' | 'coreDumps'> => ({
  swap: readSwap(host),
  coreDumps: {
    pattern: observeLine(host, CORE_PATTERN, 256),
    storage: readStorage(host),
    limit: readLimit(host),
  },
})

import type { Observation } from '../../../shared/posture/observation.ts'
import { MOUNT_OPTIONS, type MountOption, type Mounts } from '../../../shared/posture/sections/hardening.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { printable } from '../text.ts'

/** Process 1 has the system's own mounts; a service may have been given others (mount_namespaces(7), systemd.exec(5)). */
const INIT = '/proc/1/mountinfo'
const OWN = '/proc/self/mountinfo'
const MAX_BYTES = 8 * 1024 * 1024

/** Where options protect something. What else is mounted differs from unit to unit, as disks and containers do. */
export const MOUNT_POINTS: ReadonlySet<string> = new Set([
  '/',
  '/boot',
  '/boot/efi',
  '/boot/firmware',
  '/data',
  '/dev',
  '/dev/shm',
  '/etc',
  '/home',
  '/media',
  '/mnt',
  '/opt',
  '/overlay',
  '/proc',
  '/root',
  '/run',
  '/run/lock',
  '/srv',
  '/sys',
  '/tmp',
  '/usr',
  '/var',
  '/var/log',
  '/var/log/audit',
  '/var/tmp',
  '/var/volatile',
])

export interface Mount {
  /** A byte string, as all paths. */
  readonly point: string
  readonly type: string
  readonly options: readonly MountOption[]
}

export interface MountTable {
  readonly source: Mounts['source']
  /** By mount point: the last that was mounted there, which hides the others. */
  readonly mounts: ReadonlyMap<string, Mount>
  readonly malformed: number
}

/** proc(5): blanks and backslashes are written in octal. */
const unescape = (field: string): string =>
  field.includes('\\')
    ? field.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))
    : field

/** Some kernels write the same restriction as a word: hidepid=invisible, proc.rst. */
const SYNONYMS: Readonly<Record<string, string>> = {
  'hidepid=noaccess': 'hidepid=1',
  'hidepid=invisible': 'hidepid=2',
  'hidepid=ptraceable': 'hidepid=4',
}
const isKnown = (option: string): option is MountOption => (MOUNT_OPTIONS as readonly string[]).includes(option)

/** The options of the mount and of its file system: either of them makes it read-only. */
function optionsOf(mount: string, fileSystem: string): MountOption[] {
  const found = new Set<MountOption>()
  for (const option of `${mount},${fileSystem}`.split(',')) {
    const name = Object.hasOwn(SYNONYMS, option) ? (SYNONYMS[option] as string) : option
    if (isKnown(name)) found.add(name)
  }
  return [...found]
}

/**
 * Reads proc(5), mountinfo: `36 35 98:0 /root /point mount-options [optional fields] - type source fs-options`. Sources
 * and numbers differ from unit to unit and are left out.
 */
export function parseMountinfo(text: string): Omit<MountTable, 'source'> {
  const mounts = new Map<string, Mount>()
  let malformed = 0
  for (const line of text.split('\n')) {
    if (line === '') continue
    const separator = line.indexOf(' - ')
    const [id = '', , , , point = '', mount] = line.slice(0, Math.max(separator, 0)).split(' ', 6)
    const [type = '', , fileSystem] = line.slice(separator + 3).split(' ', 3)
    if (!/^\d+$/.test(id) || !point.startsWith('/') || mount === undefined || type === '' || fileSystem === undefined) {
      malformed += 1
      continue
    }
    const path = unescape(point)
    mounts.set(path, { point: path, type, options: optionsOf(mount, fileSystem) })
  }
  return { mounts, malformed }
}

export function readMounts(host: Host): Observation<MountTable> {
  const init = host.readText(INIT, MAX_BYTES)
  const [source, file] =
    init.status === 'found' ? (['init', init] as const) : (['own', host.readText(OWN, MAX_BYTES)] as const)
  if (init.status === 'too-large') return { missing: 'too-large' }
  return observed(file, (text) => ({ value: { source, ...parseMountinfo(text) } }))
}

/** What the section says of them. */
export function protectedMounts(table: Observation<MountTable>): Observation<Mounts> {
  if ('missing' in table) return table
  const { source, mounts, malformed } = table.value
  const points = [...mounts.values()]
    .filter(({ point }) => MOUNT_POINTS.has(point))
    .map(({ point, type, options }) => ({ point, type: printable(type, 128), options: [...options] }))
  return { value: { source, points, malformed } }
}

/** File systems that another machine answers for, or a program: looking into them can take for ever. */
const REMOTE = /^(?:nfs|cifs|smb|9p|afs|ceph|gluster|lustre|ocfs|gfs|orangefs|coda|ncp|autofs|fuse(?!blk))/

/** Whether this path or one above it belongs to such a file system. */
export function isRemote(table: Observation<MountTable>, path: string): boolean {
  if ('missing' in table) return false
  for (let at = path; ; at = at.slice(0, at.lastIndexOf('/')) || '/') {
    const mount = table.value.mounts.get(at)
    if (mount !== undefined) return REMOTE.test(mount.type)
    if (at === '/') return false
  }
}

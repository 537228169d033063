import type { Observation } from '../../../shared/posture/observation.ts'
import { MAX_ACCOUNTS, MAX_GROUPS, type Members } from '../../../shared/posture/sections/access/accounts.ts'
import { printableOrDigest } from '../digest.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import type { PasswdFile } from './passwd.ts'

const MAX_FILE_BYTES = 8 * 1024 * 1024

/** Groups that make superuser by sudo, su or doas, or nearly: containers, raw disks, memory, password hashes. */
export const PRIVILEGED_GROUPS = [
  'root',
  'wheel',
  'sudo',
  'admin',
  'docker',
  'podman',
  'containerd',
  'lxd',
  'incus',
  'incus-admin',
  'libvirt',
  'disk',
  'kmem',
  'shadow',
] as const

const isPrivileged = (name: string): boolean => (PRIVILEGED_GROUPS as readonly string[]).includes(name)

/** Members of these groups, by group(5) and by the group of their own that passwd(5) names. Root needs no group. */
export function readMembers(host: Host, passwd: Observation<PasswdFile>): Observation<Members> {
  if ('missing' in passwd) return passwd
  return observed(host.readText('/etc/group', MAX_FILE_BYTES), (text) => {
    const { members, byNumber, malformed } = parseGroups(text)
    for (const { name, superuser, gid } of passwd.value.entries) {
      const group = byNumber.get(gid.trim())
      if (group !== undefined && !superuser) add(members, name, group)
    }
    const sorted = [...members].sort(([a], [b]) => (a < b ? -1 : 1))
    const list = sorted.slice(0, MAX_ACCOUNTS).map(([name, groups]) => ({
      name: printableOrDigest(name, 128),
      groups: [...groups].slice(0, MAX_GROUPS),
    }))
    return { value: { list, more: sorted.length - list.length, malformed } }
  })
}

type MembersOf = Map<string, Set<string>>

function add(members: MembersOf, name: string, group: string): void {
  const known = members.get(name)
  if (known === undefined) members.set(name, new Set([group]))
  else known.add(group)
}

function parseGroups(text: string): { members: MembersOf; byNumber: Map<string, string>; malformed: number } {
  const members: MembersOf = new Map()
  const byNumber = new Map<string, string>()
  let malformed = 0
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const [name = '', password, gid, list = ''] = line.trim().split(':')
    if (password === undefined || gid === undefined) {
      // A line of `+` or `-` takes groups from elsewhere.
      if (!/^[+-]/.test(name)) malformed += 1
    } else if (isPrivileged(name) || /^0+$/.test(gid)) {
      const group = isPrivileged(name) ? name : 'root'
      byNumber.set(gid, group)
      for (const member of list.split(',')) if (member.trim() !== '') add(members, member.trim(), group)
    }
  }
  return { members, byNumber, malformed }
}

import { MAX_SERVICES, type AccessContent } from '../../../shared/posture/sections/access.ts'
import { digestOf, printableOrDigest, significantLines } from '../digest.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { printable } from '../text.ts'

const MAX_FILE_BYTES = 256 * 1024

/** Each file of pam.conf(5) by what it says. One that cannot be read makes the whole unknown. */
export function readPam(host: Host): AccessContent['pam'] {
  const names = host.readDirectory('/etc/pam.d', MAX_SERVICES)
  const files = observed(names, (all) => ({ value: all.map((name) => [name, `/etc/pam.d/${name}`] as const) }))
  const all =
    'missing' in files && files.missing === 'absent' ? { value: [['pam.conf', '/etc/pam.conf'] as const] } : files
  if ('missing' in all) return all
  const services = []
  for (const [name, path] of all.value) {
    const file = host.readText(path, MAX_FILE_BYTES)
    // A link that leads nowhere is no service, and does not make all others unknown.
    if (file.status === 'absent' && path !== '/etc/pam.conf') continue
    if (file.status !== 'found') return { missing: file.status }
    services.push({ service: printable(name, 128), digest: digestOf(significantLines(file.value).join('\n')) })
  }
  return { value: services }
}

const DATABASES: ReadonlySet<string> = new Set(['passwd', 'group', 'shadow', 'initgroups', 'sudoers'])

/** nsswitch.conf(5): where accounts, groups, passwords and the rules of sudo come from. */
export function readSources(host: Host): AccessContent['sources'] {
  return observed(host.readText('/etc/nsswitch.conf', MAX_FILE_BYTES), (text) => {
    const sources = new Map<string, string>()
    for (const line of significantLines(text)) {
      const [, database, services = ''] = /^(\w+) ?: ?(.*)$/.exec(line.replace(/#.*$/, '').trim()) ?? []
      if (database !== undefined && DATABASES.has(database)) sources.set(database, printableOrDigest(services, 256))
    }
    return { value: [...sources].map(([database, services]) => ({ database, services })) }
  })
}

/** securetty(5). */
export const readConsoles = (host: Host): AccessContent['consoles'] =>
  observed(host.readText('/etc/securetty', MAX_FILE_BYTES), (text) => {
    const terminals = [...new Set(significantLines(text))]
    if (terminals.length > 256) return { missing: 'too-large' }
    return { value: terminals.map((name) => printable(name, 64)) }
  })

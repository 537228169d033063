import { createHash } from 'node:crypto'
import type { Observation } from '../../../shared/posture/observation.ts'
import { ENFORCED } from '../../../shared/posture/mandatory-access.ts'
import { MAX_NAMES, type AppArmorProfiles, type HardeningContent } from '../../../shared/posture/sections/hardening.ts'
import type { Host } from '../host.ts'
import { observed } from '../observe.ts'
import { printable } from '../text.ts'

type Mac = HardeningContent['mac']

const MODULES = '/sys/kernel/security/lsm'
const APPARMOR = '/sys/module/apparmor/parameters/enabled'
const PROFILES = '/sys/kernel/security/apparmor/profiles'
const SELINUX = '/sys/fs/selinux'
const SELINUX_CONFIG = '/etc/selinux/config'
const MAX_PROFILES_BYTES = 4 * 1024 * 1024
const MAX_MODES = 16

export const MANDATORY_ACCESS_READS = [MODULES, APPARMOR, PROFILES, `${SELINUX}/enforce`, SELINUX_CONFIG].join(', ')

/**
 * Profiles that come and go: those that AppArmor makes while it learns (`//null-`), and those of containers and virtual
 * machines, which hold the identifier of what they are for.
 */
const PASSING = /\/\/null-|^(?:libvirt|lxc|lxd|incus|crun|snap\.lxd)-[0-9a-f-]{8,}/

/** `name (mode)` in each line. Undefined if any line is not. */
export function parseProfiles(text: string): AppArmorProfiles | undefined {
  const profiles = new Map<string, string>()
  for (const line of text.split('\n')) {
    if (line === '') continue
    const match = /^(.+) \(([a-z]+)\)$/.exec(line)
    if (match === null) return undefined
    const [, name = '', mode = ''] = match
    if (!PASSING.test(name)) profiles.set(name, mode)
  }
  const sorted = [...profiles].sort(([a], [b]) => (a < b ? -1 : 1))
  const modes = new Map<string, number>()
  for (const [, mode] of sorted) modes.set(mode, (modes.get(mode) ?? 0) + 1)
  if (modes.size > MAX_MODES) return undefined
  return {
    modes: [...modes].map(([mode, count]) => ({ mode: printable(mode, 128), count })),
    notEnforced: sorted
      .filter(([, mode]) => !ENFORCED.has(mode))
      .slice(0, MAX_NAMES)
      .map(([name]) => printable(name, 512)),
    digest: createHash('sha256')
      .update(sorted.map(([name, mode]) => `${name} (${mode})\n`).join(''), 'latin1')
      .digest('hex'),
  }
}

const orMalformed = <T>(value: T | undefined): Observation<T> =>
  value === undefined ? { missing: 'malformed' } : { value }

function readAppArmor(host: Host): Pick<Mac, 'appArmor' | 'profiles'> {
  const appArmor: Mac['appArmor'] = observed(host.readText(APPARMOR, 16), (text) =>
    orMalformed(({ Y: 'enabled', N: 'disabled' } as const)[text.trim()]),
  )
  // Without the module there can be none, whatever hides the file.
  const isOff = 'value' in appArmor ? appArmor.value === 'disabled' : appArmor.missing === 'absent'
  if (isOff) return { appArmor, profiles: { missing: 'absent' } }
  return {
    appArmor,
    profiles: observed(host.readText(PROFILES, MAX_PROFILES_BYTES), (text) => orMalformed(parseProfiles(text))),
  }
}

/** selinux(8): the file system is there where SELinux is; without it a configuration alone says that it is off. */
function readSeLinux(host: Host, configured: Mac['seLinuxConfigured']): Mac['seLinux'] {
  const enforce: Mac['seLinux'] = observed(host.readText(`${SELINUX}/enforce`, 16), (text) =>
    orMalformed(({ '1': 'enforcing', '0': 'permissive' } as const)[text.trim()]),
  )
  const isOff = 'missing' in enforce && enforce.missing === 'absent' && 'value' in configured
  return isOff ? { value: 'disabled' } : enforce
}

/** selinux_config(5): `SELINUX=` and `SELINUXTYPE=`. The last one counts. */
function readSeLinuxConfig(host: Host): Mac['seLinuxConfigured'] {
  return observed(host.readText(SELINUX_CONFIG, 64 * 1024), (text) => {
    const last = (name: string): string =>
      [...text.matchAll(new RegExp(`^[ \\t]*${name}[ \\t]*=[ \\t]*(\\S*)`, 'gm'))].at(-1)?.[1] ?? ''
    const mode = printable(last('SELINUX').toLowerCase(), 128)
    return { value: { mode, policy: printable(last('SELINUXTYPE'), 128) } }
  })
}

export function readMandatoryAccess(host: Host): Mac {
  const seLinuxConfigured = readSeLinuxConfig(host)
  return {
    modules: observed(host.readText(MODULES, 1024), (text) => ({ value: printable(text.trim(), 256) })),
    ...readAppArmor(host),
    seLinux: readSeLinux(host, seLinuxConfigured),
    seLinuxConfigured,
  }
}

import { describe, isUnread, level, type Observation } from './observation.ts'
import { codesFor, type Fact, type FactCodes } from './section-definition.ts'
import type { AppArmorProfiles, HardeningContent } from './sections/hardening.ts'

type Mac = HardeningContent['mac']

const MODES = { disabled: 0, permissive: 1, enforcing: 2 } as const

function profilesText({ modes, notEnforced, digest }: AppArmorProfiles): string {
  return [
    modes.map(({ mode, count }) => `${count} ${JSON.stringify(mode)}`).join(', '),
    `not enforced ${JSON.stringify(notEnforced)}`,
    digest,
  ].join('; ')
}

/** AppArmor's modes in which what a profile does not allow is refused. */
export const ENFORCED: ReadonlySet<string> = new Set(['enforce', 'kill'])

function profilesIn(profiles: AppArmorProfiles, isWanted: (mode: string) => boolean): number {
  return profiles.modes.reduce((sum, { mode, count }) => (isWanted(mode) ? sum + count : sum), 0)
}

function macStrength(mac: Mac): Fact['strength'] {
  const listed = (module: string): number =>
    level(mac.modules, (modules) => Number(modules.split(',').includes(module)))
  const isReadable = ![mac.modules, mac.appArmor, mac.profiles, mac.seLinux].some(isUnread)
  return {
    appArmor: level(mac.appArmor, (state) => Number(state === 'enabled')),
    profiles: level(mac.profiles, (all) => 1 + profilesIn(all, (mode) => ENFORCED.has(mode))),
    complaints: level(mac.profiles, (all) => 1 / (1 + profilesIn(all, (mode) => !ENFORCED.has(mode)))),
    seLinux: level(mac.seLinux, (mode) => MODES[mode]),
    configured: level(mac.seLinuxConfigured, ({ mode }) =>
      Object.hasOwn(MODES, mode) ? MODES[mode as keyof typeof MODES] : 0,
    ),
    smack: listed('smack'),
    tomoyo: listed('tomoyo'),
    readable: Number(isReadable),
  }
}

/**
 * One statement for all of it: what switches a module off shows in its list, its state and its profiles at once. What
 * could not be looked at has not become weaker; that it could not is said by the other code.
 */
export function macFact(mac: Mac, unconfined: HardeningContent['unconfined']): Fact {
  const configured = describe(mac.seLinuxConfigured, (one) => JSON.stringify([one.mode, one.policy]))
  const examined = 'missing' in unconfined && unconfined.missing === 'absent' ? 'not examined' : 'examined'
  return {
    subject: 'mandatory access control',
    value: [
      `modules ${describe(mac.modules, JSON.stringify)}`,
      `AppArmor ${describe(mac.appArmor)}`,
      `profiles ${describe(mac.profiles, profilesText)}`,
      `SELinux ${describe(mac.seLinux)}`,
      `configured ${configured}`,
      `listeners ${examined}`,
    ].join('; '),
    codes: {
      ...codesFor('hardening.mac-changed'),
      weakened: isUnread(mac.profiles) || isUnread(mac.seLinux) ? 'hardening.not-readable' : 'hardening.mac-weakened',
    },
    strength: macStrength(mac) ?? {},
  }
}

/** Where they are seen again, what is seen is stated beside this. */
const UNSEEN: FactCodes = { ...codesFor('hardening.not-readable'), removed: 'hardening.mac-changed' }

/** Whether they were looked for at all is part of the statement above. */
export function unconfinedFacts(unconfined: Observation<string[]>): readonly Fact[] {
  if ('missing' in unconfined) {
    if (unconfined.missing === 'absent') return []
    return [{ subject: 'unconfined listeners', value: describe(unconfined), codes: UNSEEN }]
  }
  return unconfined.value.map((executable) => ({
    subject: `unconfined listener ${JSON.stringify(executable)}`,
    value: 'unconfined',
    codes: {
      ...codesFor('hardening.unconfined-listener'),
      removed: 'hardening.listener-confined',
    },
  }))
}

import { macFact, unconfinedFacts } from './mandatory-access.ts'
import { settingStrength } from './kernel-settings.ts'
import { describe, isUnread, level, type Observation } from './observation.ts'
import { codesFor, type Fact, type FactCodes } from './section-definition.ts'
import type { HardeningContent, Mounts, Programs } from './sections/hardening.ts'

const NOT_READABLE = codesFor('hardening.not-readable')
const quoted = (texts: readonly string[]): string => texts.map((one) => JSON.stringify(one)).join(' ')

const MOUNT: FactCodes = { ...codesFor('hardening.mount-changed'), weakened: 'hardening.mount-option-lost' }

function optionStrength(option: string): readonly [string, number] {
  const [name = '', value] = option.split('=')
  return [name, value === undefined ? 1 : Number(value)]
}

/** A point that is mounted no more has lost its options. */
function mountFacts(mounts: Observation<Mounts>): readonly Fact[] {
  if ('missing' in mounts) return [{ subject: 'mounts', value: describe(mounts), codes: NOT_READABLE }]
  const { source, malformed, points } = mounts.value
  return [
    { subject: 'mounts', value: `of ${source}, malformed lines ${malformed}`, codes: NOT_READABLE },
    ...points.map(({ point, type, options }) => ({
      subject: `mount ${JSON.stringify(point)}`,
      value: `${['with', ...options].join(' ')}, ${JSON.stringify(type)}`,
      codes: MOUNT,
      strength: Object.fromEntries(options.map(optionStrength)),
    })),
  ]
}

const SETTING: FactCodes = {
  ...codesFor('hardening.kernel-setting-changed'),
  weakened: 'hardening.kernel-setting-weakened',
}

function settingFact({ name, value }: HardeningContent['settings'][number]): Fact {
  const fact = { subject: `setting ${JSON.stringify(name)}`, value: describe(value) }
  if (isUnread(value)) return { ...fact, codes: NOT_READABLE }
  const strength = 'missing' in value ? undefined : settingStrength(name, value.value)
  return { ...fact, codes: SETTING, ...(strength === undefined ? {} : { strength }) }
}

function swapFact(swap: HardeningContent['swap']): Fact {
  const isOpen = 'value' in swap && swap.value.some((kind) => kind === 'plain' || kind === 'file')
  return {
    subject: 'swap',
    value: describe(swap, (kinds) => (kinds.length === 0 ? 'none' : kinds.join(' '))),
    codes: isUnread(swap) ? NOT_READABLE : codesFor(isOpen ? 'hardening.swap-not-encrypted' : 'hardening.swap-changed'),
  }
}

function coreDumpFact({ pattern, storage, limit }: HardeningContent['coreDumps']): Fact {
  const shown = [pattern, storage, limit].map((one) => describe(one, JSON.stringify))
  return {
    subject: 'core dumps',
    value: `pattern ${shown[0]}; storage ${shown[1]}; limit ${shown[2]}`,
    codes: codesFor('hardening.core-dumps-changed'),
  }
}

const SET_ID: FactCodes = {
  added: 'hardening.setuid-added',
  changed: 'hardening.setuid-changed',
  removed: 'hardening.setuid-removed',
}
const WRITABLE: FactCodes = {
  added: 'hardening.writable-program',
  changed: 'hardening.writable-program',
  removed: 'hardening.writable-program-gone',
}

const cutFacts = (subject: string, cut: Programs['setIdCut'], codes: FactCodes): Fact[] =>
  cut === undefined ? [] : [{ subject, value: `${cut.total} in all, ${cut.digest}`, codes }]

function programFacts(programs: Programs): readonly Fact[] {
  return [
    { subject: 'programs looked at', value: programs.limited ? 'not all' : 'all', codes: NOT_READABLE },
    ...programs.setId.map(({ path, mode, owner, group }) => ({
      subject: `set-id ${JSON.stringify(path)}`,
      value: `${mode}, ${owner}, ${group}`,
      codes: SET_ID,
    })),
    ...cutFacts('set-id programs', programs.setIdCut, codesFor('hardening.setuid-changed')),
    ...programs.writable.map(({ path, by }) => ({
      subject: `writable ${JSON.stringify(path)}`,
      value: by,
      codes: WRITABLE,
    })),
    ...cutFacts('writable programs', programs.writableCut, codesFor('hardening.writable-program')),
    ...programs.unread.map(({ path, why }) => ({
      subject: `not looked at ${JSON.stringify(path)}`,
      value: why,
      codes: NOT_READABLE,
    })),
  ]
}

function usbFact({ authorizedDefault, usbguard, storage }: HardeningContent['usb']): Fact {
  return {
    subject: 'usb',
    value: [
      `authorized by default ${describe(authorizedDefault, (values) => quoted(values) || 'no bus')}`,
      `usbguard ${usbguard}`,
      `storage ${describe(storage)}`,
    ].join('; '),
    codes: { ...codesFor('hardening.usb-changed'), weakened: 'hardening.usb-weakened' },
    strength: {
      authorized: level(authorizedDefault, (values) => Number(values.every((value) => value === '0'))),
      usbguard: Number(usbguard === 'enabled'),
      storage: level(storage, (value) => Number(value === 'blocked')),
    },
  }
}

/** Below zero, which is what a terminal counts for on which there is nothing. */
const OPEN = { login: -1, automatic: -2, shell: -2 } as const

/** What the kernel says on a terminal and who may log in there are one thing: most systems do both or neither. */
function terminalFacts({ consoles, logins }: HardeningContent['debug']): readonly Fact[] {
  const terminals = new Map<string, { isConsole: boolean; kinds: (keyof typeof OPEN)[] }>()
  const at = (terminal: string) => {
    const known = terminals.get(terminal) ?? { isConsole: false, kinds: [] }
    terminals.set(terminal, known)
    return known
  }
  for (const terminal of 'value' in consoles ? consoles.value : []) at(terminal).isConsole = true
  for (const { terminal, kind } of 'value' in logins ? logins.value : []) at(terminal).kinds.push(kind)
  return [
    {
      subject: 'terminals',
      value: `consoles ${describe(consoles, () => 'known')}; logins ${describe(logins, () => 'known')}`,
      codes: NOT_READABLE,
    },
    ...[...terminals].map(([terminal, { isConsole, kinds }]) => ({
      subject: `terminal ${JSON.stringify(terminal)}`,
      value: [...(isConsole ? ['console'] : []), ...kinds].join(', '),
      codes: {
        added: 'hardening.debug-port-opened',
        changed: 'hardening.debug-port-changed',
        removed: 'hardening.debug-port-changed',
        weakened: 'hardening.debug-port-opened',
      } as const,
      strength: { quiet: isConsole ? -1 : 0, closed: Math.min(0, ...kinds.map((kind) => OPEN[kind])) },
    })),
  ]
}

function openingFact(subject: string, observed: Observation<unknown>, isOpen: (value: unknown) => boolean): Fact {
  const code =
    'value' in observed && isOpen(observed.value) ? 'hardening.debug-port-opened' : 'hardening.debug-port-changed'
  return { subject, value: describe(observed), codes: isUnread(observed) ? NOT_READABLE : codesFor(code) }
}

export function hardeningFacts(content: HardeningContent): readonly Fact[] {
  const { debug } = content
  return [
    macFact(content.mac, content.unconfined),
    ...unconfinedFacts(content.unconfined),
    ...mountFacts(content.mounts),
    swapFact(content.swap),
    ...content.settings.map(settingFact),
    coreDumpFact(content.coreDumps),
    ...programFacts(content.programs),
    usbFact(content.usb),
    ...terminalFacts(debug),
    openingFact('debugfs', debug.debugFileSystem, (mounted) => mounted === true),
    openingFact('kernel debugger', debug.kernelDebugger, (isSet) => isSet === true),
    openingFact('/dev/mem', debug.memoryDevice, (access) => access === 'open'),
  ]
}

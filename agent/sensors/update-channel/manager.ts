import {
  MAX_KEYRINGS,
  MAX_SETTINGS,
  MAX_SOURCES,
  type ChannelSetting,
  type SettingEffect,
  type UpdateChannel,
  type UpdateManager,
} from '../../../shared/posture/sections/update-channel.ts'
import { redactUri } from '../apt/uri.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'

/** What one update manager is found to do. The times are for the claim `state`: seconds since 1970. */
export interface ManagerReading {
  readonly channel: Omit<UpdateChannel, 'manager' | 'truncated'>
  /** When it last asked its sources with success, and by what that was told. */
  readonly lastCheck?: { readonly at: number; readonly source: string }
  /** When an update was last installed. */
  readonly lastInstall?: number
}

/** One update manager: undefined where this system does not have it. */
export interface Manager {
  readonly id: UpdateManager
  /** Throws SensorFailure where it is there, and its configuration as a whole cannot be read. */
  measure(host: Host): ManagerReading | undefined
}

/** The reading within the bounds of the section, and whether that cut anything off. */
export function bounded(manager: UpdateManager, reading: ManagerReading): UpdateChannel {
  const { channel } = reading
  const { sources, keyrings, settings, automatic } = channel
  return {
    ...channel,
    manager,
    sources: sources.slice(0, MAX_SOURCES),
    keyrings: keyrings.slice(0, MAX_KEYRINGS),
    settings: settings.slice(0, MAX_SETTINGS),
    automatic: { ...automatic, settings: automatic.settings.slice(0, MAX_SETTINGS) },
    truncated:
      sources.length > MAX_SOURCES ||
      keyrings.length > MAX_KEYRINGS ||
      settings.length > MAX_SETTINGS ||
      automatic.settings.length > MAX_SETTINGS,
  }
}

/** A setting out of a file; name and value are byte strings. An address in it is shown without what may be secret. */
export const setting = (name: string, value: string, effect: SettingEffect = 'none'): ChannelSetting => ({
  name: printable(name, 256),
  value: shown(value),
  effect,
})

function shown(value: string): string {
  // RFC 7512: a PKCS #11 URI can carry a PIN, and names a token that is the unit's own.
  if (/^pkcs11:/i.test(value)) return 'pkcs11:[redacted]'
  return value.includes('://') ? cut(redactUri(value)) : printable(value, 256)
}

/** What is printable already, within the section's bound. */
export const cut = (text: string): string => (text.length <= 256 ? text : `${text.slice(0, 252)}\\...`)

/** The words that configuration files use for yes and no; anything else is neither. */
export function truth(text: string | undefined): boolean | undefined {
  switch (text?.trim().toLowerCase()) {
    case '1':
    case 'yes':
    case 'true':
    case 'on':
    case 'enable':
    case 'enabled':
      return true
    case '0':
    case 'no':
    case 'false':
    case 'off':
    case 'disable':
    case 'disabled':
      return false
    default:
      return undefined
  }
}

/** What a rule says about a value: when it weakens what, or that only its presence may be told. */
export type SettingRule = 'neutral' | 'weakens-if-true' | 'weakens-if-false' | 'secret'

/** The settings that the rules name, in the file's own spelling of the names. Secrets are told as present. */
export function settingsOf(
  values: ReadonlyMap<string, string>,
  rules: Readonly<Record<string, SettingRule>>,
  prefix = '',
): ChannelSetting[] {
  const found: ChannelSetting[] = []
  for (const [name, rule] of Object.entries(rules)) {
    const value = values.get(name)
    if (value === undefined) continue
    const label = `${prefix}${name}`
    if (rule === 'secret') found.push(setting(label, value === '' ? 'empty' : 'present'))
    else found.push(setting(label, value, isWeakening(rule, value) ? 'weakens' : 'none'))
  }
  return found
}

function isWeakening(rule: SettingRule, value: string): boolean {
  if (rule === 'neutral') return false
  return truth(value) === (rule === 'weakens-if-true')
}

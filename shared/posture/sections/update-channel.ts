import * as v from 'valibot'
import { MISSING } from '../observation.ts'
import { keyOf, sortedTexts, sortedUnique, type Fact, type SectionDefinition } from '../section-definition.ts'
import { count, text } from '../text.ts'

export const MAX_SOURCES = 512
export const MAX_KEYRINGS = 256
export const MAX_KEYS = 256
export const MAX_SETTINGS = 256
export const MAX_URIS = 64

export const MANAGERS = ['apt', 'dnf', 'apk', 'opkg', 'rauc', 'swupdate', 'mender', 'ostree', 'hawkbit'] as const
export type UpdateManager = (typeof MANAGERS)[number]

/**
 * Whether content without a valid signature is refused. `default`, of a source: what the manager's own settings say.
 * `unknown`: the settings could not be read, or do not tell.
 */
export const SIGNATURES = ['enforced', 'not-enforced', 'unknown'] as const
export type Signatures = (typeof SIGNATURES)[number]

/**
 * `partial`: switched on, but a part of it is stopped or missing, so that it does not do its work. `none`: this manager
 * has no means of its own to install updates by itself.
 */
export const AUTOMATIC_STATES = ['on', 'partial', 'off', 'none', 'unknown'] as const
export type AutomaticState = (typeof AUTOMATIC_STATES)[number]

/**
 * `weakens`: something is taken that would be refused without the setting. `unsigned`: that is content without a valid
 * signature.
 */
export const SETTING_EFFECTS = ['none', 'weakens', 'unsigned'] as const
export type SettingEffect = (typeof SETTING_EFFECTS)[number]

/** A text without blanks: blanks separate what stands in one subject. */
const word = (maxLength: number) => v.pipe(text(maxLength), v.regex(/^\S*$/))

const settingSchema = v.strictObject({
  name: text(256),
  value: text(256),
  effect: v.picklist(SETTING_EFFECTS),
})
const settings = v.pipe(v.array(settingSchema), v.maxLength(MAX_SETTINGS))

const sourceSchema = v.strictObject({
  /** What the manager tells its sources apart by: `deb URI SUITE` of apt, the name of a repository or remote. */
  id: text(1024),
  /** Without credentials. Several are mirrors of one source. */
  uris: v.pipe(v.array(word(512)), v.maxLength(MAX_URIS)),
  transports: v.pipe(v.array(v.pipe(word(32), v.minLength(1))), v.maxLength(MAX_URIS)),
  signatures: v.picklist([...SIGNATURES, 'default']),
  /** Keyring paths, `fingerprint:…`, or `inline:…`; empty: any key that the manager trusts may sign. */
  signedBy: v.pipe(v.array(text(512)), v.maxLength(MAX_KEYS)),
  settings,
})

const keySchema = v.strictObject({
  /** Upper-case hexadecimal: OpenPGP fingerprint, SHA-256 of a certificate or public key, usign key number. */
  fingerprint: v.pipe(v.string(), v.regex(/^[0-9A-F]{16,64}$/)),
  /** Seconds since 1970; absent: never. */
  expires: v.exactOptional(v.pipe(v.number(), v.safeInteger())),
})

const keyringSchema = v.strictObject({
  path: text(512),
  /** Whether the manager accepts these keys for every source that names none. */
  trustedForAll: v.boolean(),
  status: v.picklist(['read', ...MISSING]),
  /** Primary keys of OpenPGP; certificates; public keys. */
  keys: v.pipe(v.array(keySchema), v.maxLength(MAX_KEYS)),
})

const channelSchema = v.strictObject({
  manager: v.picklist(MANAGERS),
  /** For whatever has no rule of its own. */
  signatures: v.picklist(SIGNATURES),
  sources: v.pipe(v.array(sourceSchema), v.maxLength(MAX_SOURCES)),
  keyrings: v.pipe(v.array(keyringSchema), v.maxLength(MAX_KEYRINGS)),
  /** Settings that bear on what is accepted and from where, as they are in force. */
  settings,
  automatic: v.strictObject({ state: v.picklist(AUTOMATIC_STATES), settings }),
  /** Lines, stanzas and statements that could not be understood. */
  malformed: count,
  /** Files that exist and could not be read, by path. */
  unreadable: v.pipe(v.array(text(512)), v.maxLength(256)),
  /** One of the lists above was cut at its bound. */
  truncated: v.boolean(),
})

/** Several can be in use side by side: an image that is replaced as a whole, and packages on top of it. */
const schema = v.strictObject({ channels: v.pipe(v.array(channelSchema), v.maxLength(MANAGERS.length)) })

export type ChannelSetting = v.InferOutput<typeof settingSchema>
export type UpdateSource = v.InferOutput<typeof sourceSchema>
export type SigningKey = v.InferOutput<typeof keySchema>
export type Keyring = v.InferOutput<typeof keyringSchema>
export type UpdateChannel = v.InferOutput<typeof channelSchema>
export type UpdateChannelContent = v.InferOutput<typeof schema>

const quoted = (texts: readonly string[]): string => texts.map((one) => JSON.stringify(one)).join(' ')

const valueText = ({ value, effect }: ChannelSetting): string =>
  effect === 'none' ? JSON.stringify(value) : `${JSON.stringify(value)} (${effect})`

const settingText = (setting: ChannelSetting): string => `${JSON.stringify(setting.name)}=${valueText(setting)}`

const settingsText = (all: readonly ChannelSetting[]): string => all.map(settingText).join(' ')

function sourceText(source: UpdateSource): string {
  return [
    `signatures ${source.signatures}`,
    `signed by ${source.signedBy.length === 0 ? 'any trusted key' : quoted(source.signedBy)}`,
    `transport ${source.transports.join(' ')}`,
    `from ${quoted(source.uris)}`,
    ...(source.settings.length === 0 ? [] : [`settings ${settingsText(source.settings)}`]),
  ].join('; ')
}

const keyText = ({ fingerprint, expires }: SigningKey): string =>
  expires === undefined ? fingerprint : `${fingerprint} until ${dateText(expires)}`

/** The date for people; the number where no date can be written, and so that different ones stay different. */
function dateText(seconds: number): string {
  const isDate = seconds >= 0 && seconds <= 253_402_300_799
  return isDate ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : String(seconds)
}

const keyringText = (keyring: Keyring): string =>
  [keyring.status, keyring.trustedForAll ? 'for all sources' : 'where named', ...keyring.keys.map(keyText)].join(' ')

const canonicalSettings = (all: readonly ChannelSetting[]): ChannelSetting[] =>
  sortedUnique(all, ({ name, value, effect }) => keyOf(name, value, effect))

function canonicalChannel(channel: UpdateChannel): UpdateChannel {
  return {
    ...channel,
    sources: sortedUnique(
      channel.sources.map((source) => ({
        ...source,
        uris: sortedTexts(source.uris),
        transports: sortedTexts(source.transports),
        signedBy: sortedTexts(source.signedBy),
        settings: canonicalSettings(source.settings),
      })),
      (source) => keyOf(source.id, sourceText(source)),
    ),
    keyrings: sortedUnique(
      channel.keyrings.map((keyring) => ({ ...keyring, keys: sortedUnique(keyring.keys, keyText) })),
      (keyring) => keyOf(keyring.path, keyringText(keyring)),
    ),
    settings: canonicalSettings(channel.settings),
    automatic: { ...channel.automatic, settings: canonicalSettings(channel.automatic.settings) },
    unreadable: sortedTexts(channel.unreadable),
  }
}

type Codes = NonNullable<Fact['codes']>
const WEAK_SOURCE: Codes = {
  added: 'update-channel.checks-disabled',
  changed: 'update-channel.checks-disabled',
}
const CHECKS_DISABLED: Codes = {
  ...WEAK_SOURCE,
  removed: 'update-channel.setting-changed',
}
const SETTING: Codes = {
  added: 'update-channel.setting-changed',
  changed: 'update-channel.setting-changed',
  removed: 'update-channel.setting-changed',
}
const UNSIGNED: Codes = {
  added: 'update-channel.unsigned-source',
  changed: 'update-channel.unsigned-source',
}
const KEY: Codes = {
  added: 'update-channel.key-changed',
  changed: 'update-channel.key-changed',
  removed: 'update-channel.key-changed',
}
const AUTOMATIC: Codes = {
  added: 'update-channel.automatic-updates-changed',
  changed: 'update-channel.automatic-updates-changed',
  removed: 'update-channel.automatic-updates-off',
}
const AUTOMATIC_OFF: Codes = { ...AUTOMATIC, changed: 'update-channel.automatic-updates-off' }
const READING: Codes = {
  added: 'update-channel.not-readable',
  changed: 'update-channel.not-readable',
  removed: 'update-channel.setting-changed',
}

export const sourceSubject = (manager: UpdateManager, { id }: UpdateSource): string => `source ${manager} ${id}`
export const keyringSubject = (manager: UpdateManager, { path }: Keyring): string => `keyring ${manager} ${path}`

/** Where a source leaves it to the manager, the manager's settings decide. */
export function isUnsigned(source: UpdateSource, channel: UpdateChannel): boolean {
  if (source.signatures !== 'default') return source.signatures === 'not-enforced'
  return channel.signatures === 'not-enforced' || channel.settings.some(({ effect }) => effect === 'unsigned')
}

function sourceFact(source: UpdateSource, channel: UpdateChannel): Fact {
  const fact = { subject: sourceSubject(channel.manager, source), value: sourceText(source) }
  if (isUnsigned(source, channel)) return { ...fact, codes: UNSIGNED }
  const isWeak = source.settings.some(({ effect }) => effect !== 'none')
  return isWeak ? { ...fact, codes: WEAK_SOURCE } : fact
}

type Automatic = UpdateChannel['automatic']

const automaticText = ({ state, settings: all }: Automatic): string =>
  all.length === 0 ? state : `${state}; ${settingsText(all)}`

const automaticCodes = ({ state }: Automatic): Codes => (state === 'on' || state === 'none' ? AUTOMATIC : AUTOMATIC_OFF)

function channelFacts(channel: UpdateChannel): Fact[] {
  const { manager, automatic } = channel
  return [
    {
      subject: `signatures ${manager}`,
      value: channel.signatures,
      codes: { enforced: SETTING, 'not-enforced': CHECKS_DISABLED, unknown: READING }[channel.signatures],
    },
    // A manager without such means, and all understood, go without saying: a channel that is new is few findings then.
    ...(automatic.state === 'none' && automatic.settings.length === 0
      ? []
      : [{ subject: `automatic ${manager}`, value: automaticText(automatic), codes: automaticCodes(automatic) }]),
    ...channel.sources.map((source) => sourceFact(source, channel)),
    ...channel.keyrings.map((keyring) => ({
      subject: keyringSubject(manager, keyring),
      value: keyringText(keyring),
      codes: KEY,
    })),
    ...channel.settings.map((setting) => ({
      subject: `setting ${manager} ${setting.name}`,
      value: valueText(setting),
      codes: setting.effect === 'none' ? SETTING : CHECKS_DISABLED,
    })),
    ...channel.unreadable.map((path) => ({
      subject: `unreadable ${manager} ${path}`,
      value: 'not read',
      codes: READING,
    })),
    ...(channel.malformed === 0
      ? []
      : [{ subject: `malformed ${manager}`, value: String(channel.malformed), codes: READING }]),
    ...(channel.truncated ? [{ subject: `truncated ${manager}`, value: 'true', codes: READING }] : []),
  ]
}

export const updateChannel: SectionDefinition<UpdateChannelContent> = {
  schema,
  canonical: ({ channels }) => ({ channels: sortedUnique(channels.map(canonicalChannel), ({ manager }) => manager) }),
  facts: ({ channels }) => channels.flatMap(channelFacts),
}

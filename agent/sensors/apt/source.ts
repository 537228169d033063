import {
  MAX_SOURCES,
  type ChannelSetting,
  type Keyring,
  type SettingEffect,
  type UpdateSource,
} from '../../../shared/posture/sections/update-channel.ts'
import { printable, printableWord } from '../text.ts'
import { setting } from '../update-channel/manager.ts'
import { readKeys } from './openpgp.ts'
import { redactUri, transportOf } from './uri.ts'

/** One line or stanza of apt's sources. It stands for every combination of its types, URIs and suites. */
export interface SourceEntry {
  readonly types: readonly string[]
  readonly uris: readonly string[]
  readonly suites: readonly string[]
  readonly components: readonly string[]
  /** By lower-case name, as sources.list(5) spells them in one-line style. */
  readonly options: ReadonlyMap<string, string>
}

export interface ExpandedSources {
  readonly sources: readonly UpdateSource[]
  /** Files that the entry names as its keyrings. */
  readonly keyrings: readonly string[]
  /** Keys that the entry carries itself. */
  readonly inline: readonly Keyring[]
}

export type OptionValue = 'yes' | 'no' | 'default'

const SOURCE_TYPES: readonly string[] = ['deb', 'deb-src']
const MAX_COMPONENTS = 64
const MAX_SIGNERS = 64

/** sources.list(5): options that decide what is accepted, the value with which they weaken it, and what that does. */
const OPTIONS: Readonly<Record<string, readonly ['yes' | 'no', SettingEffect]>> = {
  trusted: ['yes', 'unsigned'],
  'allow-insecure': ['yes', 'unsigned'],
  'allow-weak': ['yes', 'weakens'],
  'allow-downgrade-to-insecure': ['yes', 'unsigned'],
  'check-valid-until': ['no', 'weakens'],
  'check-date': ['no', 'weakens'],
}

export const OPTION_NAMES: readonly string[] = Object.keys(OPTIONS)

function optionSettings(options: ReadonlyMap<string, string>): ChannelSetting[] {
  const settings: ChannelSetting[] = []
  for (const [name, [weak, effect]] of Object.entries(OPTIONS)) {
    const value = optionValue(options.get(name))
    if (value !== 'default') settings.push(setting(name, value, value === weak ? effect : 'none'))
  }
  return settings
}

/** Returns undefined for an entry that apt would refuse, or that is larger than any real one. */
export function expandEntry(entry: SourceEntry): ExpandedSources | undefined {
  const { types, uris, suites, components, options } = entry
  const combinations = types.length * uris.length * suites.length
  if (combinations === 0 || combinations > MAX_SOURCES || components.length > MAX_COMPONENTS) return undefined
  // A suite that is a path has no components, any other needs them: sources.list(5).
  if (suites.some((suite) => suite.endsWith('/') !== (components.length === 0))) return undefined
  const signers = readSigners(options.get('signed-by') ?? '')
  if (signers === undefined) return undefined
  const settings = [...components.map((component) => setting('component', component)), ...optionSettings(options)]
  const sources: UpdateSource[] = []
  for (const type of types) {
    if (!SOURCE_TYPES.includes(type)) return undefined
    for (const uri of uris) {
      for (const suite of suites) {
        const shown = redactUri(uri)
        sources.push({
          id: `${type} ${shown} ${printableWord(suite, 256)}`,
          uris: [shown],
          transports: [transportOf(uri)],
          signatures: settings.some(({ effect }) => effect === 'unsigned') ? 'not-enforced' : 'default',
          signedBy: signers.signedBy,
          settings,
        })
      }
    }
  }
  return { sources, keyrings: signers.keyrings, inline: signers.inline }
}

/**
 * The words that apt takes for yes and no (apt-pkg, StringToBool), and 1 and 0 in whatever way strtol(3) reads them.
 * Anything else leaves the default.
 */
export function optionValue(text: string | undefined): OptionValue {
  const word = text?.trim().toLowerCase() ?? ''
  switch (word) {
    case 'yes':
    case 'true':
    case 'with':
    case 'on':
    case 'enable':
      return 'yes'
    case 'no':
    case 'false':
    case 'without':
    case 'off':
    case 'disable':
      return 'no'
    default:
      if (/^\+?(?:0x0*|0*)1$/.test(word)) return 'yes'
      return /^[+-]?(?:0x0+|0+)$/.test(word) ? 'no' : 'default'
  }
}

interface Signers {
  readonly signedBy: string[]
  readonly keyrings: string[]
  readonly inline: Keyring[]
}

/** Keyring files, fingerprints (with `!` for one subkey alone), or a whole key block. */
function readSigners(text: string): Signers | undefined {
  if (text.includes('-----BEGIN')) {
    const keys = readKeys(Buffer.from(unfold(text), 'latin1'))
    if (keys === undefined || keys.length > MAX_SIGNERS) return undefined
    const inline = keys.map((key): Keyring => {
      return { path: `inline:${key.fingerprint}`, trustedForAll: false, status: 'read', keys: [key] }
    })
    return { signedBy: inline.map(({ path }) => path), keyrings: [], inline }
  }
  const signers = text.split(/[\s,]+/).filter((signer) => signer !== '')
  if (signers.length > MAX_SIGNERS) return undefined
  return {
    signedBy: signers.map((signer) =>
      signer.startsWith('/') ? printable(signer, 512) : `fingerprint:${printable(signer.toUpperCase(), 128)}`,
    ),
    keyrings: signers.filter((signer) => signer.startsWith('/')),
    inline: [],
  }
}

/** deb822(5): continuation lines begin with a space, and one with a dot alone is an empty line. */
const unfold = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line.trim() === '.' ? '' : line.trim()))
    .join('\n')

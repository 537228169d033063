import {
  MAX_SOURCES,
  SOURCE_TYPES,
  type OptionValue,
  type UpdateSource,
} from '../../../shared/posture/sections/update-channel.ts'
import { printable, printableWord } from '../text.ts'
import { readFingerprints } from './openpgp.ts'
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
}

const MAX_COMPONENTS = 64
const MAX_SIGNERS = 64

/** Returns undefined for an entry that apt would refuse, or that is larger than any real one. */
export function expandEntry(entry: SourceEntry): ExpandedSources | undefined {
  const { types, uris, suites, components, options } = entry
  const combinations = types.length * uris.length * suites.length
  if (combinations === 0 || combinations > MAX_SOURCES || components.length > MAX_COMPONENTS) return undefined
  // A suite that is a path has no components, any other needs them: sources.list(5).
  if (suites.some((suite) => suite.endsWith('/') !== (components.length === 0))) return undefined
  const signers = readSigners(options.get('signed-by') ?? '')
  if (signers === undefined) return undefined
  const common = {
    components: components.map((component) => printable(component, 128)),
    trusted: optionValue(options.get('trusted')),
    allowInsecure: optionValue(options.get('allow-insecure')),
    checkValidUntil: optionValue(options.get('check-valid-until')),
    signedBy: signers.signedBy,
  }
  const sources: UpdateSource[] = []
  for (const name of types) {
    const type = SOURCE_TYPES.find((known) => known === name)
    if (type === undefined) return undefined
    for (const uri of uris) {
      for (const suite of suites) {
        const where = { type, uri: redactUri(uri), transport: transportOf(uri), suite: printableWord(suite, 256) }
        sources.push({ ...where, ...common })
      }
    }
  }
  return { sources, keyrings: signers.keyrings }
}

/** The words that apt takes for yes and no (apt-pkg, StringToBool). Anything else leaves the default. */
export function optionValue(text: string | undefined): OptionValue {
  switch (text?.trim().toLowerCase()) {
    case 'yes':
    case 'true':
    case 'with':
    case 'on':
    case 'enable':
    case '1':
      return 'yes'
    case 'no':
    case 'false':
    case 'without':
    case 'off':
    case 'disable':
    case '0':
      return 'no'
    default:
      return 'default'
  }
}

/** Keyring files, fingerprints (with `!` for one subkey alone), or a whole key block. */
function readSigners(text: string): { signedBy: string[]; keyrings: string[] } | undefined {
  if (text.includes('-----BEGIN')) {
    const fingerprints = readFingerprints(Buffer.from(unfold(text), 'latin1'))
    if (fingerprints === undefined || fingerprints.length > MAX_SIGNERS) return undefined
    return { signedBy: fingerprints.map((fingerprint) => `inline:${fingerprint}`), keyrings: [] }
  }
  const signers = text.split(/[\s,]+/).filter((signer) => signer !== '')
  if (signers.length > MAX_SIGNERS) return undefined
  return {
    signedBy: signers.map((signer) =>
      signer.startsWith('/') ? printable(signer, 512) : `fingerprint:${printable(signer.toUpperCase(), 128)}`,
    ),
    keyrings: signers.filter((signer) => signer.startsWith('/')),
  }
}

/** deb822(5): continuation lines begin with a space, and one with a dot alone is an empty line. */
const unfold = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line.trim() === '.' ? '' : line.trim()))
    .join('\n')

import {
  PACKAGE_NAME,
  PACKAGE_STATES,
  PACKAGE_VERSION,
  type Package,
} from '../../../shared/posture/sections/packages.ts'
import type { Stanza } from '../deb822.ts'

export const RECORD_FIELDS: ReadonlySet<string> = new Set(['package', 'status', 'version', 'architecture', 'source'])

/** deb-src-control(5): a version in parentheses where it is not the binary package's. */
const SOURCE = /^([^\s()]+)(?:\s*\(([^\s()]+)\))?$/

/** Whose words the Status field has. `stateless`: a status.d file, where all packages are installed and have none. */
export type StatusRules = 'dpkg' | 'opkg' | 'stateless'

/** One record of a status database. `not-installed` covers removed packages whose configuration stayed. */
export function readRecord(stanza: Stanza, rules: StatusRules): Package | 'not-installed' | 'malformed' {
  const { fields } = stanza
  const name = fields.get('package')
  if (stanza.malformed || name === undefined || !PACKAGE_NAME.test(name)) return 'malformed'
  const status = readStatus(fields.get('status'), rules)
  if (typeof status === 'string') return status
  const version = fields.get('version')
  if (version === undefined || !PACKAGE_VERSION.test(version)) return 'malformed'
  const source = readSource(fields.get('source'))
  if (source === undefined) return 'malformed'
  const architecture = fields.get('architecture')
  if (architecture !== undefined && !PACKAGE_NAME.test(architecture)) return 'malformed'
  return {
    name,
    version,
    ...(architecture === undefined ? {} : { architecture }),
    ...(source.name === undefined || source.name === name ? {} : { source: source.name }),
    ...(source.version === undefined || source.version === version ? {} : { sourceVersion: source.version }),
    ...status,
  }
}

type Flags = Pick<Package, 'state' | 'held' | 'reinstallRequired'>

/** The triple "selection flag state" of dpkg-query(1). A record without one is, for dpkg, of a package not installed. */
function readStatus(text: string | undefined, rules: StatusRules): Flags | 'not-installed' | 'malformed' {
  if (text === undefined) return rules === 'stateless' ? {} : 'not-installed'
  if (text === 'install ok installed') return {}
  const [selection, flagText, stateText = '', ...rest] = text.split(' ')
  const flags = flagText === undefined || rest.length > 0 ? undefined : readFlags(flagText, rules)
  if (flags === undefined) return 'malformed'
  if (stateText === 'not-installed' || stateText === 'config-files') return 'not-installed'
  const stateName = rules === 'opkg' ? (OPKG_STATES.get(stateText) ?? stateText) : stateText
  const state = PACKAGE_STATES.find((known) => known === stateName)
  if (state === undefined) return 'malformed'
  return {
    ...(state === 'installed' ? {} : { state }),
    ...(selection === 'hold' || flags.includes('hold') ? { held: true } : {}),
    ...(flags.includes('reinstreq') ? { reinstallRequired: true } : {}),
  }
}

/** opkg (pkg.c) writes any number of flags, with commas; whether a package was asked for by name is one of them. */
const OPKG_FLAGS: ReadonlySet<string> = new Set([
  'ok',
  'reinstreq',
  'hold',
  'replace',
  'noprune',
  'prefer',
  'obsolete',
  'user',
])

/** States that only opkg has, by the one of dpkg that means the same. */
const OPKG_STATES: ReadonlyMap<string, string> = new Map([
  ['post-inst-failed', 'half-configured'],
  ['removal-failed', 'half-installed'],
])

function readFlags(text: string, rules: StatusRules): readonly string[] | undefined {
  if (rules !== 'opkg') return text === 'ok' || text === 'reinstreq' ? [text] : undefined
  const flags = text.split(',')
  return flags.every((flag) => OPKG_FLAGS.has(flag)) ? flags : undefined
}

function readSource(text: string | undefined): { name?: string; version?: string } | undefined {
  if (text === undefined) return {}
  const match = SOURCE.exec(text)
  const name = match?.[1]
  if (name === undefined || !PACKAGE_NAME.test(name)) return undefined
  const version = match?.[2]
  if (version === undefined) return { name }
  return PACKAGE_VERSION.test(version) ? { name, version } : undefined
}

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

/**
 * One record of dpkg's status database. `not-installed` covers removed packages whose configuration stayed.
 *
 * @param stateless the record is of a status.d file, where all packages are installed and no Status is written
 */
export function readRecord(stanza: Stanza, stateless: boolean): Package | 'not-installed' | 'malformed' {
  const { fields } = stanza
  const name = fields.get('package')
  if (stanza.malformed || name === undefined || !PACKAGE_NAME.test(name)) return 'malformed'
  const status = readStatus(fields.get('status'), stateless)
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
function readStatus(text: string | undefined, stateless: boolean): Flags | 'not-installed' | 'malformed' {
  if (text === undefined) return stateless ? {} : 'not-installed'
  if (text === 'install ok installed') return {}
  const [selection, flag, stateText, ...rest] = text.split(' ')
  if (flag === undefined || rest.length > 0 || (flag !== 'ok' && flag !== 'reinstreq')) return 'malformed'
  if (stateText === 'not-installed' || stateText === 'config-files') return 'not-installed'
  const state = PACKAGE_STATES.find((known) => known === stateText)
  if (state === undefined) return 'malformed'
  return {
    ...(state === 'installed' ? {} : { state }),
    ...(selection === 'hold' ? { held: true } : {}),
    ...(flag === 'reinstreq' ? { reinstallRequired: true } : {}),
  }
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

import { PACKAGE_STATES, type Package } from '../../../shared/posture/sections/packages.ts'
import type { Stanza } from '../deb822.ts'
import { printable } from '../text.ts'

export const RECORD_FIELDS: ReadonlySet<string> = new Set(['package', 'status', 'version', 'architecture', 'source'])

const NAME = /^[A-Za-z0-9][A-Za-z0-9+._-]*$/
const VERSION = /^[A-Za-z0-9.+~:_-]+$/
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
  if (stanza.malformed || name === undefined || !NAME.test(name)) return 'malformed'
  const status = readStatus(fields.get('status'), stateless)
  if (typeof status === 'string') return status
  const version = fields.get('version')
  if (version === undefined || !VERSION.test(version)) return 'malformed'
  const source = readSource(fields.get('source'))
  if (source === undefined) return 'malformed'
  const architecture = fields.get('architecture')
  if (architecture !== undefined && !NAME.test(architecture)) return 'malformed'
  return {
    name: printable(name, 256),
    version: printable(version, 256),
    ...(architecture === undefined ? {} : { architecture: printable(architecture, 64) }),
    ...(source.name === undefined || source.name === name ? {} : { source: printable(source.name, 256) }),
    ...(source.version === undefined || source.version === version
      ? {}
      : { sourceVersion: printable(source.version, 256) }),
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
  if (name === undefined || !NAME.test(name)) return undefined
  const version = match?.[2]
  if (version === undefined) return { name }
  return VERSION.test(version) ? { name, version } : undefined
}

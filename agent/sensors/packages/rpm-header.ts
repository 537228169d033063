import { PACKAGE_NAME, PACKAGE_VERSION, type Package } from '../../../shared/posture/sections/packages.ts'

/** Tags of interest and their types, https://rpm-software-management.github.io/rpm/manual/tags.html */
export const RPM_TAGS = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  architecture: 1022,
  source: 1044,
} as const
const { name: NAME, version: VERSION, release: RELEASE, epoch: EPOCH } = RPM_TAGS
const { architecture: ARCHITECTURE, source: SOURCE } = RPM_TAGS
const INT32 = 4
const STRING = 6
const WANTED: ReadonlySet<number> = new Set([NAME, VERSION, RELEASE, EPOCH, ARCHITECTURE, SOURCE])

const ENTRY_BYTES = 16
/** rpm's own bound (lib/header.c). */
const MAX_ENTRIES = 65_535
const MAX_TEXT = 512

/** name-version-release.src.rpm; `nosrc` where sources are left out. */
const SOURCE_FILE = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/

/**
 * Reads the header of an installed package as the database has it (rpm manual, "Header format", without the magic):
 * numbers of entries and of bytes of data, the entries {tag, type, offset, count}, the data.
 */
export function readRpmHeader(header: Buffer): Package | 'malformed' {
  if (header.length < 8) return 'malformed'
  const entries = header.readUInt32BE(0)
  const data = 8 + entries * ENTRY_BYTES
  if (entries > MAX_ENTRIES || data + header.readUInt32BE(4) !== header.length) return 'malformed'
  const values = new Map<number, string>()
  for (let at = 8; at < data; at += ENTRY_BYTES) {
    const tag = header.readUInt32BE(at)
    if (!WANTED.has(tag)) continue
    const value = readValue(
      header,
      header.readUInt32BE(at + 4),
      data + header.readUInt32BE(at + 8),
      header.readUInt32BE(at + 12),
    )
    // Which of two names rpm would show is its own affair: the package cannot be relied on.
    if (value === undefined || values.has(tag)) return 'malformed'
    values.set(tag, value)
  }
  return readPackage(values)
}

function readValue(header: Buffer, type: number, at: number, count: number): string | undefined {
  if (count !== 1) return undefined
  if (type === INT32) return at + 4 <= header.length ? String(header.readUInt32BE(at)) : undefined
  if (type !== STRING) return undefined
  const end = header.indexOf(0, at)
  return end < 0 || end - at > MAX_TEXT ? undefined : header.toString('latin1', at, end)
}

/** A package by the texts of the tags above. */
export function readPackage(values: ReadonlyMap<number, string>): Package | 'malformed' {
  const [name = '', version = '', release = ''] = [values.get(NAME), values.get(VERSION), values.get(RELEASE)]
  const [epoch, architecture] = [values.get(EPOCH), values.get(ARCHITECTURE)]
  const full = `${epoch === undefined ? '' : `${epoch}:`}${version}-${release}`
  if (!PACKAGE_NAME.test(name) || version === '' || release === '' || !PACKAGE_VERSION.test(full)) return 'malformed'
  if (architecture !== undefined && !PACKAGE_NAME.test(architecture)) return 'malformed'
  const sourceFile = values.get(SOURCE)
  const source = sourceFile === undefined ? undefined : SOURCE_FILE.exec(sourceFile)
  // Keys that were imported stand among the packages, and have no source: "(none)" in newer databases.
  if (source === null && sourceFile !== '(none)') return 'malformed'
  const [, sourceName = name, sourceVersion = `${version}-${release}`] = source ?? []
  if (!PACKAGE_NAME.test(sourceName) || !PACKAGE_VERSION.test(sourceVersion)) return 'malformed'
  return {
    name,
    version: full,
    ...(architecture === undefined ? {} : { architecture }),
    ...(sourceName === name ? {} : { source: sourceName }),
    ...(sourceVersion === `${version}-${release}` ? {} : { sourceVersion }),
  }
}

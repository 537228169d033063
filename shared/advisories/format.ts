import { KeepsealError } from '../errors.ts'
import { parseAlpineSecdb } from './alpine-secdb.ts'
import { parseCsaf } from './csaf.ts'
import { parseDebianTracker } from './debian-tracker.ts'
import { parseOsv } from './osv.ts'
import type { AdvisoryFormat, AdvisoryRecord } from './record.ts'
import { parseCycloneDxVex, parseOpenVex } from './vex.ts'

/** What a document is, by what only documents of that format have. Undefined for all others. */
export function formatOf(value: unknown): AdvisoryFormat | undefined {
  if (Array.isArray(value))
    return value.length > 0 && value.every((each) => formatOf(each) === 'osv') ? 'osv' : undefined
  if (typeof value !== 'object' || value === null) return undefined
  const has = (name: string): boolean => Object.hasOwn(value, name)
  if (has('bomFormat')) return 'cyclonedx-vex'
  if (has('@context') && has('statements')) return 'openvex'
  if (has('document') && (has('product_tree') || has('vulnerabilities'))) return 'csaf'
  if (has('distroversion') && has('packages')) return 'alpine-secdb'
  // OSV's API answers with a list of records, or of pages of them.
  if ((has('id') && (has('modified') || has('affected') || has('schema_version'))) || has('vulns')) return 'osv'
  const isTracker = Object.values(value).some(
    (of) => typeof of === 'object' && of !== null && Object.values(of).some((each) => hasReleases(each)),
  )
  return isTracker ? 'debian-tracker' : undefined
}

const hasReleases = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, 'releases')

/** Errors: advisory.format-unknown, advisory.malformed, advisory.too-large. */
export function parseAdvisories(value: unknown, format = formatOf(value)): readonly AdvisoryRecord[] {
  switch (format) {
    case 'osv':
      return osvRecords(value).map((each, index) => parseOsv(each, Array.isArray(value) ? `${index}.` : ''))
    case 'debian-tracker':
      return Object.entries(value as object).flatMap(([name, of]) => parseDebianTracker(name, of))
    case 'alpine-secdb':
      return parseAlpineSecdb(value)
    case 'csaf':
      return parseCsaf(value)
    case 'openvex':
      return parseOpenVex(value)
    case 'cyclonedx-vex':
      return parseCycloneDxVex(value)
    default:
      throw new KeepsealError('advisory.format-unknown')
  }
}

function osvRecords(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value
  const pages = typeof value === 'object' && value !== null && 'vulns' in value ? value.vulns : undefined
  return Array.isArray(pages) ? pages : [value]
}

import { KeepsealError } from '../../../shared/errors.ts'
import { BOOT_AGGREGATE } from '../../../shared/ima/constants.ts'
import { detectImaFormat } from '../../../shared/ima/detect.ts'
import { digestText } from '../../../shared/ima/digests.ts'
import { pathMatcher } from '../../../shared/ima/glob.ts'
import { parseAsciiImaList } from '../../../shared/ima/parse-ascii.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import type { UnverifiedImaEntry } from '../../../shared/ima/types.ts'
import { printable } from '../../../shared/text/printable.ts'
import type { ImaPolicyDocument } from '../../model/ima-policy.ts'

const MAX_NAMED = 8

/**
 * Allows every file of the lists with the digests that it has in them. The boot aggregate is left out, as each boot has
 * its own. Throws `file.unreadable` for violations: a file that changed while it was measured has no digest to allow.
 */
export function makeImaPolicy(
  lists: readonly { readonly name: string; readonly bytes: Uint8Array }[],
  excludes: readonly string[],
): ImaPolicyDocument {
  const matchers = excludes.map(pathMatcher)
  const isExcluded = ({ path }: UnverifiedImaEntry): boolean => matchers.some((matches) => matches(path))
  const allow = new Map<string, Set<string>>()
  for (const { name, bytes } of lists) {
    const entries = entriesOf(bytes).filter((entry) => !isExcluded(entry))
    refuseViolations(name, entries)
    for (const { path, digest } of entries) {
      if (path !== BOOT_AGGREGATE) allow.set(path, (allow.get(path) ?? new Set()).add(digestText(digest)))
    }
  }
  const sorted = [...allow].sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    version: 1,
    allow: Object.fromEntries(sorted.map(([path, digests]) => [path, [...digests].sort()])),
    signers: [],
    excludes: [...excludes],
  }
}

function entriesOf(bytes: Uint8Array): readonly UnverifiedImaEntry[] {
  const format = detectImaFormat(bytes)
  return (format.format === 'ascii' ? parseAsciiImaList(bytes) : parseBinaryImaList(bytes, format)).entries
}

function refuseViolations(name: string, entries: readonly UnverifiedImaEntry[]): void {
  const paths = [...new Set(entries.filter(({ violation }) => violation).map(({ path }) => path))]
  if (paths.length === 0) return
  const named = paths.slice(0, MAX_NAMED).map(printable).join(', ')
  const more = paths.length > MAX_NAMED ? ` and ${paths.length - MAX_NAMED} more` : ''
  throw new KeepsealError('file.unreadable', `${name} has violations: ${named}${more}`, {
    remedy: 'Take a list without them, or leave such files out with --exclude.',
  })
}

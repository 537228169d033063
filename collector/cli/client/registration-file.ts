import * as v from 'valibot'
import { FINGERPRINT_KINDS, MAX_REGISTRATIONS, type FingerprintKind } from '../../model/registration.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { isPrintable } from '../../../shared/text/printable.ts'

/** What a production line hands over: one line of CSV, or one object of a JSON array, for each unit. */

export interface RegistrationEntry {
  readonly kind: FingerprintKind
  /** 64 lower-case hexadecimal digits. */
  readonly fingerprint: string
  readonly serial: string | null
}

const HEADER = ['kind', 'fingerprint', 'serial']
const MAX_SERIAL = 128

const JsonEntries = v.array(
  v.strictObject({ kind: v.string(), fingerprint: v.string(), serial: v.optional(v.nullable(v.string()), null) }),
)

const wrong = (place: string, what: string): KeepsealError =>
  new KeepsealError('request.invalid', `${place}: ${what}`, {
    remedy: 'Lines of kind,fingerprint,serial, or a JSON array of such objects. Nothing was registered.',
  })

const isKind = (text: string): text is FingerprintKind => (FINGERPRINT_KINDS as readonly string[]).includes(text)

/** In upper case, with colons, and as the Name of a key (with its algorithm, SHA-256, before it) as well. */
function digestOf(text: string, kind: FingerprintKind, place: string): string {
  const digits = text.replaceAll(':', '').toLowerCase()
  const digest = kind === 'ek' && digits.length === 68 && digits.startsWith('000b') ? digits.slice(4) : digits
  if (!/^[0-9a-f]{64}$/.test(digest)) throw wrong(place, 'the fingerprint is not a SHA-256 in 64 hexadecimal digits')
  return digest
}

function entryOf(kind: string, fingerprint: string, serial: string | null, place: string): RegistrationEntry {
  if (!isKind(kind)) throw wrong(place, `the kind is not one of ${FINGERPRINT_KINDS.join(', ')}`)
  if (serial !== null && (serial.length > MAX_SERIAL || !isPrintable(serial))) {
    throw wrong(place, `the serial number is not printable text of at most ${MAX_SERIAL} characters`)
  }
  return { kind, fingerprint: digestOf(fingerprint, kind, place), serial: serial === '' ? null : serial }
}

function fromJson(text: string): readonly (readonly [string, RegistrationEntry])[] {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch (cause) {
    throw wrong('file', cause instanceof Error ? cause.message : 'not JSON')
  }
  const result = v.safeParse(JsonEntries, content)
  if (!result.success) throw wrong(v.getDotPath(result.issues[0]) ?? 'file', result.issues[0].message)
  return result.output.map(({ kind, fingerprint, serial }, index) => {
    const place = `entry ${index + 1}`
    return [place, entryOf(kind, fingerprint, serial, place)]
  })
}

function fromCsv(text: string): readonly (readonly [string, RegistrationEntry])[] {
  const [header = '', ...lines] = text.split(/\r?\n/)
  const columns = header.split(',').map((name) => name.trim())
  if (columns.length < 2 || columns.some((name, index) => name !== HEADER[index])) {
    throw wrong('line 1', `the first line is not ${HEADER.join(',')}`)
  }
  return lines.flatMap((line, index) => {
    if (line.trim() === '') return []
    const place = `line ${index + 2}`
    // Neither of the three needs it, and half a reader of quotes would read some files wrongly.
    if (line.includes('"')) throw wrong(place, 'quotes are not read: write the values without them')
    const values = line.split(',').map((value) => value.trim())
    if (values.length !== columns.length) throw wrong(place, `${values.length} values for ${columns.length} columns`)
    const [kind = '', fingerprint = '', serial = ''] = values
    return [[place, entryOf(kind, fingerprint, serial, place)] as const]
  })
}

/** All of the file or nothing. Throws KeepsealError `request.invalid` with the place. */
export function readRegistrations(text: string): readonly RegistrationEntry[] {
  const content = text.startsWith('\ufeff') ? text.slice(1) : text
  const placed = content.trimStart().startsWith('[') ? fromJson(content) : fromCsv(content)
  if (placed.length === 0) throw wrong('file', 'there is no entry in it')
  if (placed.length > MAX_REGISTRATIONS) {
    throw wrong('file', `${placed.length} entries, and ${MAX_REGISTRATIONS} at most are taken at once: split it`)
  }
  const seen = new Map<string, string>()
  for (const [place, { fingerprint }] of placed) {
    const before = seen.get(fingerprint)
    if (before !== undefined) throw wrong(place, `the fingerprint of ${before} again`)
    seen.set(fingerprint, place)
  }
  return placed.map(([, entry]) => entry)
}

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readRegistrations } from '../../../collector/cli/client/registration-file.ts'
import { MAX_REGISTRATIONS } from '../../../collector/model/registration.ts'
import { KeepsealError } from '../../../shared/errors.ts'

const DIGEST = 'ab'.repeat(32)
const CSV = `kind,fingerprint,serial\n`

const messageOf = (text: string): string => {
  try {
    readRegistrations(text)
    return 'taken'
  } catch (error) {
    if (error instanceof KeepsealError) return `${error.code} ${error.message}`
    throw error
  }
}

const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const entry = fc.record({
  kind: fc.constantFrom('ek' as const, 'ek-certificate' as const, 'idevid' as const),
  fingerprint: digest,
  serial: fc.option(fc.stringMatching(/^[A-Za-z0-9-]{1,20}$/)),
})
const entries = fc.uniqueArray(entry, { selector: ({ fingerprint }) => fingerprint, minLength: 1, maxLength: 20 })

describe('a list of registrations', () => {
  it('is the same from CSV and from JSON, whatever the ends of its lines', () => {
    fc.assert(
      fc.property(entries, fc.constantFrom('\n', '\r\n'), fc.boolean(), (list, end, marked) => {
        const lines = list.map(({ kind, fingerprint, serial }) => `${kind},${fingerprint},${serial ?? ''}`)
        const csv = `${marked ? '\ufeff' : ''}${[CSV.trim(), ...lines, ''].join(end)}`
        expect(readRegistrations(csv)).toEqual(list)
        expect(readRegistrations(JSON.stringify(list))).toEqual(list)
      }),
    )
  })

  it('that is anything else is refused with a code, and never half taken', () => {
    fc.assert(
      fc.property(fc.string(), fc.boolean(), (text, asCsv) => {
        expect(messageOf(asCsv ? CSV + text : text)).toMatch(/^(request\.invalid|taken)/)
      }),
    )
  })

  it('takes a fingerprint as openssl prints it, and the Name of a key', () => {
    const colons = DIGEST.toUpperCase().match(/../g)?.join(':')
    const text = `${CSV}ek-certificate,${colons},\nek,000b${'cd'.repeat(32)},0001\n`
    expect(readRegistrations(text).map(({ fingerprint }) => fingerprint)).toEqual([DIGEST, 'cd'.repeat(32)])
  })

  it.each([
    ['an empty file', '', 'line 1'],
    ['no entry', CSV, 'no entry'],
    ['another first line', 'fingerprint\n', 'line 1'],
    ['a kind that there is not', `${CSV}ek,${DIGEST},\nsha1,${DIGEST},`, 'line 3'],
    ['a digest that is too short', `${CSV}ek,${DIGEST.slice(2)},`, 'line 2'],
    ['the Name of another algorithm', `${CSV}ek,000c${DIGEST},`, 'line 2'],
    ['an IDevID given as a Name', `${CSV}idevid,000b${DIGEST},`, 'line 2'],
    ['a certificate given as a Name', `${CSV}ek-certificate,000b${DIGEST},`, 'line 2'],
    ['a value too many', `${CSV}ek,${DIGEST},1,2`, 'line 2'],
    ['quotes', `${CSV}ek,${DIGEST},"1"`, 'line 2'],
    ['a terminal escape', `${CSV}ek,${DIGEST},\u001b[2J`, 'line 2'],
    ['a serial number that is too long', `${CSV}ek,${DIGEST},${'1'.repeat(129)}`, 'line 2'],
    ['the same fingerprint twice', `${CSV}ek,${DIGEST},1\nek,${DIGEST.toUpperCase()},2`, 'line 3'],
    ['a misspelt field', `[{"kind":"ek","fingerprint":"${DIGEST}","seriall":"1"}]`, 'seriall'],
    ['JSON that is cut off', `[{"kind":"ek"`, 'file'],
  ])('is refused with %s, naming the place', (_, text, place) => {
    expect(messageOf(text)).toMatch(/^request\.invalid/)
    expect(messageOf(text)).toContain(place)
  })

  it('is refused where it is too long', () => {
    const line = (index: number) => `ek,${index.toString(16).padStart(64, '0')},`
    const lines = Array.from({ length: MAX_REGISTRATIONS + 1 }, (_, index) => line(index))
    expect(messageOf(CSV + lines.join('\n'))).toMatch(/^request\.invalid/)
    expect(readRegistrations(CSV + lines.slice(1).join('\n'))).toHaveLength(MAX_REGISTRATIONS)
  })
})

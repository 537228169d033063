import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { encodeCbor } from '../../../shared/cbor/codec.ts'
import type { CborValue } from '../../../shared/cbor/value.ts'
import { decodeSection, encodeSection, MAX_SECTION_BYTES } from '../../../shared/posture/canonical.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import { SECTION_IDS, SECTIONS, type SectionId } from '../../../shared/posture/sections.ts'
import type { PackagesContent } from '../../../shared/posture/sections/packages.ts'
import { contents, measured, sha256 } from '../../support/posture.ts'

const onePackage: PackagesContent = {
  manager: 'dpkg',
  packages: [{ name: 'bash', architecture: 'amd64', version: '5.2' }],
  total: 1,
  malformed: 0,
  incomplete: false,
}

const refused = (id: SectionId, bytes: Uint8Array) => expect(() => decodeSection(id, bytes))

/** What a careless or hostile agent could write. */
function packagesMap(packages: CborValue, more: [string, CborValue][] = []): Uint8Array {
  const content = new Map<string, CborValue>([
    ['manager', 'dpkg'],
    ['packages', packages],
    ['total', 2],
    ['malformed', 0],
    ['incomplete', false],
    ...more,
  ])
  return encodeCbor(
    new Map<string, CborValue>([
      ['section', 'packages'],
      ['status', 'measured'],
      ['content', content],
    ]),
  )
}
const pack = (name: string): CborValue =>
  new Map([
    ['name', name],
    ['version', '1'],
  ])

describe.each(SECTION_IDS)('section %s', (id) => {
  const content = contents[id] as fc.Arbitrary<never>

  test('comes back as it was written, in canonical order', () => {
    fc.assert(
      fc.property(content, (one) => {
        const decoded = decodeSection(id, encodeSection(id, measured(one), sha256).bytes)
        expect(decoded).toEqual({ status: 'measured', content: SECTIONS[id].canonical(one) })
      }),
    )
  })

  test('has one digest whatever the order of its lists', () => {
    const shuffle = (value: unknown): unknown => {
      if (Array.isArray(value)) return [...value, ...value].reverse().map(shuffle)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([key, field]) => [key, shuffle(field)]),
      )
    }
    fc.assert(
      fc.property(content, (one) => {
        const other = shuffle(one) as never
        expect(encodeSection(id, measured(other), sha256)).toEqual(encodeSection(id, measured(one), sha256))
      }),
    )
  })

  test('never decodes damaged bytes into anything but an outcome or a canonical section', () => {
    fc.assert(
      fc.property(content, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, at, flip) => {
        const { bytes } = encodeSection(id, measured(one), sha256)
        const index = at % bytes.length
        bytes[index] = (bytes[index] ?? 0) ^ flip
        let decoded: SectionReading | undefined
        try {
          decoded = decodeSection(id, bytes)
        } catch (error) {
          expect(error).toHaveProperty('code', expect.stringMatching(/^(cbor|section)\./))
        }
        if (decoded !== undefined) expect(encodeSection(id, decoded, sha256).bytes).toEqual(bytes)
      }),
    )
  })

  test('says why it was not measured, under a digest of its own', () => {
    const readings: SectionReading[] = [
      { status: 'not-supported', reason: 'no-procfs' },
      { status: 'no-permission', reason: 'file-not-readable' },
      { status: 'failed', code: 'sensor-fault' },
    ]
    const digests = readings.map((reading) => {
      const { bytes, digest } = encodeSection(id, reading, sha256)
      expect(decodeSection(id, bytes)).toEqual(reading)
      return toHex(digest)
    })
    expect(new Set(digests).size).toBe(readings.length)
  })
})

test('details for the local log are not sent', () => {
  const reading = { status: 'failed', code: 'sensor-fault', detail: '/home/secret' } as const
  expect(Buffer.from(encodeSection('boot', reading, sha256).bytes).includes('secret')).toBe(false)
})

test('the same answer of two sections has two digests', () => {
  const reading = { status: 'not-supported', reason: 'no-procfs' } as const
  expect(encodeSection('boot', reading, sha256).digest).not.toEqual(encodeSection('sockets', reading, sha256).digest)
})

test('a section is refused under the name of another', () => {
  const { bytes } = encodeSection('packages', measured<'packages'>(onePackage), sha256)
  refused('sockets', bytes).toThrow(expect.objectContaining({ code: 'section.malformed' }))
})

test.each([
  ['an unsorted list', packagesMap([pack('b'), pack('a')])],
  ['a list with a repetition', packagesMap([pack('a'), pack('a')])],
  ['an unknown field', packagesMap([pack('a')], [['surprise', 1]])],
  ['a field with the name of the prototype', packagesMap([pack('a')], [['__proto__', new Map()]])],
  ['a line break in a name', packagesMap([pack('a\nb')])],
  ['a direction override in a name', packagesMap([pack('a\u202eb')])],
  ['an empty object', encodeCbor(new Map())],
  ['integer keys', encodeCbor(new Map([[1, 'measured']]))],
  ['a byte string', encodeCbor(new Uint8Array(3))],
  [
    'content beside a reason',
    encodeCbor(
      new Map<string, CborValue>([
        ['section', 'packages'],
        ['status', 'not-supported'],
        ['reason', 'no-package-database'],
        ['content', new Map()],
      ]),
    ),
  ],
])('%s is refused', (_, bytes) => {
  refused('packages', bytes).toThrow(expect.objectContaining({ code: 'section.malformed' }))
})

test.each([
  ['more listeners than a whole list holds', false, 1],
  ['a cut list that lacks nothing', true, 0],
])('%s is refused', (_, truncated, total) => {
  const sights = { owners: 'visible', namespaces: 'visible', bindings: 'absent', vsock: 'visible' } as const
  const content = { ...sights, truncated, total, malformed: 0 }
  const { bytes } = encodeSection('sockets', measured<'sockets'>({ ...content, listeners: [], tables: [] }), sha256)
  refused('sockets', bytes).toThrow(expect.objectContaining({ code: 'section.malformed' }))
})

test('the control of these cases is accepted', () => {
  expect(decodeSection('packages', packagesMap([pack('a'), pack('b')]))).toHaveProperty('status', 'measured')
})

test('a section over the bound is refused before it is looked at', () => {
  refused('packages', new Uint8Array(MAX_SECTION_BYTES + 1)).toThrow(
    expect.objectContaining({ code: 'section.too-large' }),
  )
})

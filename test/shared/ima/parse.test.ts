import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OutcomeError } from '../../../shared/errors.ts'
import { MAX_ENTRIES, MAX_LIST_SIZE } from '../../../shared/ima/constants.ts'
import { digestText } from '../../../shared/ima/digests.ts'
import { parseAsciiImaList } from '../../../shared/ima/parse-ascii.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import {
  asciiLine,
  asciiList,
  binaryEntry,
  binaryList,
  goodList,
  hashedData,
  u32,
  type ImaSpec,
  type Order,
} from '../../support/ima-builder.ts'
import { outcomeOf } from '../../support/outcome.ts'

const templates = ['ima', 'ima-ng', 'ima-sig', 'ima-buf', 'ima-ngv2', 'ima-sigv2', 'ima-modsig'] as const
const orders: readonly Order[] = ['little-endian', 'big-endian']

/** A list of one entry whose template data is made of these fields. */
const entryOf = (template: string, ...fields: readonly Buffer[]): Buffer => {
  const data = Buffer.concat(fields.flatMap((field) => [u32(field.length), field]))
  const digest = Buffer.alloc(20, 1)
  return Buffer.concat([u32(10), digest, u32(template.length), Buffer.from(template), u32(data.length), data])
}
const digestField = Buffer.concat([Buffer.from('sha256:\0'), Buffer.alloc(32, 7)])
const name = Buffer.from('/a\0')
const malformed = (bytes: Uint8Array) => expect(outcomeOf(() => parseBinaryImaList(bytes))).toBe('ima.malformed')

describe.each(templates)('an entry of %s', (template) => {
  const spec: ImaSpec = {
    template,
    path: '/usr/bin/x',
    signature: Buffer.from('0302', 'hex'),
    buffer: Buffer.from('a buffer'),
  }

  test.each(orders)('is read from the binary list in %s order', (byteOrder) => {
    const [entry] = parseBinaryImaList(binaryList([spec], byteOrder), { byteOrder }).entries
    expect(entry).toMatchObject({ sequence: 0, pcr: 10, template, violation: false, path: '/usr/bin/x' })
    expect(Buffer.from(entry?.templateData ?? [])).toEqual(hashedData(spec, byteOrder))
    const signed = template.startsWith('ima-sig') || template === 'ima-modsig'
    expect(entry?.signature).toEqual(signed ? new Uint8Array([3, 2]) : null)
    expect(entry?.buffer?.length).toBe(template === 'ima-buf' ? 8 : undefined)
  })

  test.each(orders)('reads alike from both lists, %s', (byteOrder) => {
    const options = { byteOrder }
    expect(parseAsciiImaList(asciiList([spec], byteOrder), options)).toEqual(
      parseBinaryImaList(binaryList([spec], byteOrder), options),
    )
  })

  test('may be a violation', () => {
    const violation = { ...spec, violation: true }
    for (const list of [parseBinaryImaList(binaryList([violation])), parseAsciiImaList(asciiList([violation]))]) {
      expect(list.entries).toMatchObject([{ violation: true, path: '/usr/bin/x' }])
    }
  })
})

describe('the digest of an entry', () => {
  test.each([
    [{ template: 'ima-ngv2', kind: 'verity' }, /^verity:sha256:[0-9a-f]{64}$/],
    [{ template: 'ima-ngv2' }, /^sha256:/],
    [{ template: 'ima-ng', algorithm: 'sha512' }, /^sha512:[0-9a-f]{128}$/],
    [{ template: 'ima' }, /^sha1:[0-9a-f]{40}$/],
  ] as const)('of %o names its kind and algorithm', (spec, expected) => {
    const [entry] = parseBinaryImaList(binaryList([{ path: '/x', ...spec }])).entries
    expect(entry === undefined ? undefined : digestText(entry.digest)).toMatch(expected)
  })
})

describe('paths', () => {
  test('of an old kernel hold spaces in the ascii list', () => {
    for (const template of ['ima', 'ima-ng'] as const) {
      const list = parseAsciiImaList(asciiList([{ template, path: '/a b  c' }]))
      expect(list).toEqual(parseBinaryImaList(binaryList([{ template, path: '/a b  c' }])))
    }
  })

  test('that are not UTF-8 never read like another path', () => {
    const paths = [Buffer.from([0x2f, 0xff]), Buffer.from([0x2f, 0xfe]), Buffer.from('/ÿ'), Buffer.from('/\ufffd')]
    const entries = parseBinaryImaList(binaryList(paths.map((path) => ({ path })))).entries
    expect(new Set(entries.map(({ path }) => path)).size).toBe(paths.length)
    expect(parseAsciiImaList(asciiList(paths.map((path) => ({ path })))).entries).toEqual(entries)
  })

  test('read alike only if their bytes are alike', () => {
    const path = fc.uint8Array({ min: 1, minLength: 1, maxLength: 6 }).map((bytes) => Buffer.from(bytes))
    fc.assert(
      fc.property(path, path, (a, b) => {
        const [first, second] = parseBinaryImaList(binaryList([{ path: a }, { path: b }])).entries
        expect(first?.path === second?.path).toBe(a.equals(b))
      }),
    )
  })
})

describe('a suffix', () => {
  test('counts from its place in the list', () => {
    const list = parseBinaryImaList(binaryList(goodList()), { first: 100 })
    expect(list.first).toBe(100)
    expect(list.entries.map(({ sequence }) => sequence)).toEqual(goodList().map((_, index) => 100 + index))
  })

  test('may be empty', () => {
    expect(parseBinaryImaList(new Uint8Array(0), { first: 7 })).toEqual({ first: 7, entries: [] })
    expect(parseAsciiImaList(new Uint8Array(0), { first: 7 })).toEqual({ first: 7, entries: [] })
  })
})

describe('a list cut at every byte', () => {
  test('is malformed in binary unless the cut lies between entries', () => {
    const entries = goodList().map((spec) => binaryEntry(spec))
    const whole = Buffer.concat(entries)
    const between = new Set(entries.map((_, index) => Buffer.concat(entries.slice(0, index)).length))
    for (let size = 0; size < whole.length; size++) {
      const attempt = () => parseBinaryImaList(whole.subarray(0, size))
      expect(outcomeOf(attempt), `${size}`).toBe(between.has(size) ? undefined : 'ima.malformed')
    }
  })

  test('is malformed in ascii unless the cut lies between lines', () => {
    const lines = goodList().map((spec) => asciiLine(spec))
    const whole = Buffer.concat(lines)
    const between = new Set(lines.map((_, index) => Buffer.concat(lines.slice(0, index)).length))
    for (let size = 0; size < whole.length; size++) {
      const attempt = () => parseAsciiImaList(whole.subarray(0, size))
      expect(outcomeOf(attempt), `${size}`).toBe(between.has(size) ? undefined : 'ima.malformed')
    }
  })
})

describe('a faulty binary entry is refused:', () => {
  test('a declared length beyond the end, before anything is allocated', () => {
    const [spec] = goodList()
    const whole = spec === undefined ? Buffer.alloc(0) : binaryEntry(spec)
    // Name of the template, template data, and the first field.
    for (const offset of [24, 34, 38]) {
      const damaged = Buffer.from(whole)
      damaged.writeUInt32LE(0xffffffff, offset)
      malformed(damaged)
    }
  })
  test('bytes after the last field', () => malformed(entryOf('ima-ng', digestField, name, Buffer.alloc(0))))
  test('a field missing', () => malformed(entryOf('ima-sig', digestField, name)))
  test('a name without NUL', () => malformed(entryOf('ima-ng', digestField, Buffer.from('/a'))))
  test('a name that goes on behind its NUL', () => malformed(entryOf('ima-ng', digestField, Buffer.from('/a\0b\0'))))
  test('a digest without an algorithm', () => malformed(entryOf('ima-ng', digestField.subarray(6), name)))
  test('a digest without a separator', () => malformed(entryOf('ima-ng', Buffer.from('sha256\0xyz'), name)))
  test('an algorithm without a digest', () => malformed(entryOf('ima-ng', Buffer.from('sha256:\0'), name)))
  test('a digest longer than any', () => {
    malformed(entryOf('ima-ng', Buffer.concat([Buffer.from('sha512:\0'), Buffer.alloc(65)]), name))
  })
  test('a kind of digest that does not exist', () => {
    malformed(entryOf('ima-ngv2', Buffer.from('other:sha256:\0x'), name))
    malformed(entryOf('ima-ng', Buffer.from('verity:sha256:\0x'), name))
  })
  test('a PCR that does not exist', () => malformed(binaryList([{ path: '/x', pcr: 24 }])))
  test('a name of `ima` that does not fit into its padding', () => {
    expect(parseBinaryImaList(binaryList([{ template: 'ima', path: 'x'.repeat(255) }])).entries).toHaveLength(1)
    const head = Buffer.concat([u32(10), Buffer.alloc(20, 1), u32(3), Buffer.from('ima'), Buffer.alloc(20)])
    malformed(Buffer.concat([head, u32(256), Buffer.alloc(256, 0x78)]))
    malformed(Buffer.concat([head, u32(3), Buffer.from('a\0b')]))
  })
  test('a template that is not known, or a custom format', () => {
    for (const template of ['ima-xx', 'd-ng|n-ng', 'evm-sig', '']) {
      const attempt = () => parseBinaryImaList(entryOf(template, digestField, name))
      expect(outcomeOf(attempt)).toBe('ima.template-unknown')
    }
  })
})

describe('a faulty ascii line is refused:', () => {
  const [line = ''] = asciiList([{ path: '/x', template: 'ima-sig', signature: Buffer.from('03', 'hex') }])
    .toString()
    .split('\n')
  const refused = (text: string) =>
    expect(
      outcomeOf(() => parseAsciiImaList(Buffer.from(`${text}\n`))),
      text,
    ).toBe('ima.malformed')

  test('the good line is good', () => expect(parseAsciiImaList(Buffer.from(`${line}\n`)).entries).toHaveLength(1))
  test('an empty line', () => refused(''))
  test('a field too many', () => refused(`${line} 00`))
  test('a field missing', () => refused(line.slice(0, line.lastIndexOf(' '))))
  test('half a byte', () => refused(line.slice(0, -1)))
  test('upper case', () => refused(line.replace(/[a-f]/, (digit) => digit.toUpperCase())))
  test('a carriage return', () => refused(`${line}\r`))
  test('a PCR that does not exist', () => refused(line.replace(/^10/, '24')))
  test('a template digest of no size', () => refused(line.replace(/^10 ../, '10 ')))
  test('template digests of two sizes', () => {
    const other = asciiLine({ path: '/y' }, 'little-endian', 'sha256').toString()
    expect(outcomeOf(() => parseAsciiImaList(Buffer.from(`${line}\n${other}`)))).toBe('ima.malformed')
  })
})

describe('bounds', () => {
  test('a list larger than 16 MiB is refused unread', () => {
    for (const parse of [parseBinaryImaList, parseAsciiImaList]) {
      expect(outcomeOf(() => parse(new Uint8Array(MAX_LIST_SIZE + 1)))).toBe('ima.too-large')
    }
  })

  test('entries are counted', () => {
    // The smallest that parse: the bound cannot be reached by entries of real files.
    const entry = entryOf('ima-ng', Buffer.from('a:\0x'), Buffer.from('\0'))
    const list = Buffer.alloc(entry.length * (MAX_ENTRIES + 1), entry)
    expect(outcomeOf(() => parseBinaryImaList(list))).toBe('ima.too-large')
  })
})

describe('any bytes', () => {
  test('end in a list or an outcome', () => {
    const damage = fc.record({ offset: fc.nat(400), bytes: fc.uint8Array({ maxLength: 8 }) })
    fc.assert(
      fc.property(fc.constantFrom(binaryList(goodList()), asciiList(goodList())), fc.array(damage), (list, damages) => {
        const damaged = Buffer.from(list)
        for (const { offset, bytes } of damages) damaged.set(bytes, offset)
        for (const parse of [parseBinaryImaList, parseAsciiImaList]) {
          try {
            parse(damaged)
          } catch (error) {
            expect(error).toBeInstanceOf(OutcomeError)
          }
        }
      }),
    )
  })
})

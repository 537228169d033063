import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Lz4Error } from '../../../../agent/sensors/lz4/error.ts'
import { decodeLz4 } from '../../../../agent/sensors/lz4/frame.ts'
import { Xxh32 } from '../../../../agent/sensors/lz4/xxh32.ts'

function decode(file: Uint8Array): Buffer {
  const read = (into: Uint8Array, position: number): number => {
    const part = file.subarray(position, position + into.length)
    into.set(part)
    return part.length
  }
  const pieces: Buffer[] = []
  for (const piece of decodeLz4(read)) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
const verdict = (file: Uint8Array): Buffer | 'refused' => {
  try {
    return decode(file)
  } catch (error) {
    if (error instanceof Lz4Error) return 'refused'
    throw error
  }
}

const hasTool = spawnSync('lz4', ['--version']).error === undefined
const tool = (input: Uint8Array, ...options: string[]): Buffer =>
  execFileSync('lz4', ['-c', ...options], { input, maxBuffer: 1 << 28, stdio: ['pipe', 'pipe', 'ignore'] })

/** What packages look like: much that repeats, near and far, long runs, and some that does not. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 9 }), fc.nat(90_000))
        .map(([unit, length]) => Buffer.alloc(length, unit)),
      fc.string({ maxLength: 40 }).map((text) => Buffer.from(`\n\nPackage: ${text}\nVersion: 1\n`)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts))

describe.skipIf(!hasTool)(`the lz4 tool${hasTool ? '' : ' (skipped: it is not installed)'}`, () => {
  const options = fc.record({
    level: fc.constantFrom('-1', '-9', '--fast=9'),
    block: fc.constantFrom('-B4', '-B5', '-B6', '-B7'),
    links: fc.constantFrom('-BD', '-BI'),
    more: fc.subarray(['-BX', '--content-size', '--no-frame-crc']),
  })

  test('what it compresses in any way is what we decode', () => {
    fc.assert(
      fc.property(content, options, (bytes, { level, block, links, more }) => {
        const sized = more.filter((one) => one !== '--content-size')
        expect(decode(tool(bytes, level, block, links, ...sized)).equals(bytes)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('what repeats across the blocks of a long file, however often the window has moved', () => {
    const period = createHash('shake256', { outputLength: 50_000 }).digest()
    const bytes = Buffer.concat(Array<Buffer>(20).fill(period))
    const packed = tool(bytes, '-9', '-B4', '-BD')
    // Each block but the first consists of matches in the one before.
    expect(packed.length).toBeLessThan(bytes.length / 10)
    expect(decode(packed).equals(bytes)).toBe(true)
  })

  test('files one after another are one content', () => {
    const [one, two] = [Buffer.from('one'), Buffer.alloc(200_000, 'two ')]
    const skipped = Buffer.from('532a4d1803000000616263', 'hex')
    expect(decode(Buffer.concat([tool(one), skipped, tool(two, '-BX')])).equals(Buffer.concat([one, two]))).toBe(true)
  })

  test('what is damaged anywhere is refused, or is what the tool makes of it', () => {
    const whole = tool(Buffer.from('Package: openssl\nVersion: 3.0.1-1\n\n'.repeat(40)), '-BX')
    const plain = tool(Buffer.from('Package: openssl\nVersion: 3.0.1-1\n\n'.repeat(40)), '--no-frame-crc')
    fc.assert(
      fc.property(fc.constantFrom(whole, plain), fc.nat(), fc.integer({ min: 1, max: 255 }), (file, where, flip) => {
        const damaged = Buffer.from(file)
        const at = where % file.length
        damaged.writeUInt8((damaged[at] ?? 0) ^ flip, at)
        const theirs = spawnSync('lz4', ['-dc'], { input: damaged })
        const ours = verdict(damaged)
        if (theirs.status === 0 && ours !== 'refused') expect(ours.equals(theirs.stdout)).toBe(true)
        if (theirs.status !== 0) expect(ours).toBe('refused')
      }),
      { numRuns: 150 },
    )
  })

  test('cut anywhere it is refused', () => {
    const whole = tool(Buffer.from('Package: openssl\nVersion: 3.0.1-1\n\n'.repeat(40)))
    for (let length = 0; length < whole.length; length++)
      expect(verdict(whole.subarray(0, length)), `${length}`).toBe('refused')
  })
})

test('what is no frame at all never ends in anything but a refusal', () => {
  const header = Buffer.from('04224d184040c0', 'hex')
  const block = (bytes: Uint8Array): Buffer => {
    const size = Buffer.alloc(4)
    size.writeUInt32LE(bytes.length)
    return Buffer.concat([header, size, bytes, Buffer.alloc(4)])
  }
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (bytes) => {
      verdict(bytes)
      verdict(block(bytes))
    }),
    { numRuns: 2000 },
  )
})

describe('a frame', () => {
  const header = '04224d184040c0'
  const refused = (hex: string): void => expect(verdict(Buffer.from(hex, 'hex'))).toBe('refused')
  const repeated = (hex: string, count: number): Buffer =>
    Buffer.concat(Array<Buffer>(count).fill(Buffer.from(hex, 'hex')))

  test('of one block of literals', () => {
    expect(decode(Buffer.from(`${header}040000003061626300000000`, 'hex')).toString()).toBe('abc')
  })
  test('of no block is empty', () => {
    expect(decode(Buffer.from(`${header}00000000`, 'hex'))).toHaveLength(0)
  })
  test.each([
    ['with a match before the beginning', `${header}06000000106102001061${'00000000'}`],
    ['with a match at no distance', `${header}06000000106100001061${'00000000'}`],
    ['with a block larger than it declares', `${header}01000100`],
    ['of another version', '04224d188040c000000000'],
    ['with a reserved bit', '04224d184240c000000000'],
    ['with a wrong digest of its descriptor', '04224d184040c100000000'],
    ['that is followed by something else', `${header}0000000001`],
    ['in the legacy format', '02214c1800000000'],
  ])('%s is refused', (_, hex) => refused(hex))

  test('that needs a dictionary is refused', () => {
    const descriptor = Buffer.from('414001000000', 'hex')
    const check = (new Xxh32().add(descriptor).digest() >> 8) & 0xff
    refused(`04224d18${descriptor.toString('hex')}${check.toString(16).padStart(2, '0')}00000000`)
  })
  test('with another size of content than it has is refused', () => {
    const frame = (size: string): string => {
      const descriptor = Buffer.from(`4840${size}00000000000000`, 'hex')
      const check = (new Xxh32().add(descriptor).digest() >> 8) & 0xff
      return `04224d18${descriptor.toString('hex')}${check.toString(16).padStart(2, '0')}040000003061626300000000`
    }
    expect(decode(Buffer.from(frame('03'), 'hex')).toString()).toBe('abc')
    refused(frame('04'))
  })
  test('after a thousand empty ones is not reached', () => {
    expect(verdict(repeated(`${header}00000000`, 1024))).toHaveLength(0)
    expect(verdict(repeated(`${header}00000000`, 1025))).toBe('refused')
  })
  test('of very many blocks of nothing is not read to its end', () => {
    const blocks = repeated('0100000000', 65_537)
    expect(verdict(Buffer.concat([Buffer.from(header, 'hex'), blocks, Buffer.alloc(4)]))).toBe('refused')
  })
})

describe('XXH32', () => {
  // Of the reference implementation, with seed 0.
  test.each([
    ['', 0x02cc5d05],
    ['a', 0x550d7456],
    ['abc', 0x32d153ff],
    ['Nobody inspects the spammish repetition', 0xe2293b2f],
  ])('of %j', (text, digest) => {
    expect(new Xxh32().add(Buffer.from(text)).digest()).toBe(digest)
  })
  test('does not depend on how its input is cut', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }), (parts) => {
        const pieces = new Xxh32()
        for (const part of parts) pieces.add(part)
        expect(pieces.digest()).toBe(new Xxh32().add(Buffer.concat(parts)).digest())
      }),
    )
  })
})

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HashAlgorithm } from '../../../shared/crypto/crypto.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { parseAsciiImaList } from '../../../shared/ima/parse-ascii.ts'
import { parseBinaryImaList } from '../../../shared/ima/parse-binary.ts'
import { extendFrom, verifyImaSuffix } from '../../../shared/ima/replay.ts'
import type { ImaBase, PaddingMode } from '../../../shared/ima/types.ts'
import { violationsOf } from '../../../shared/ima/violations.ts'
import {
  asciiList,
  binaryEntry,
  binaryList,
  bootAggregate,
  goodList,
  hashedData,
  pcr10Of,
  type ImaSpec,
} from '../../support/ima-builder.ts'
import { outcomeOf } from '../../support/outcome.ts'

const listOf = (specs: readonly ImaSpec[], first = 0) => parseBinaryImaList(binaryList(specs), { first })

const verify = (
  specs: readonly ImaSpec[],
  quotedPcr10: Uint8Array,
  base: ImaBase | null = null,
  bank: HashAlgorithm = 'sha256',
  first = base?.entries ?? 0,
) => verifyImaSuffix({ base, suffix: listOf(specs, first), quotedPcr10, bank }, hash)

const baseOf = (count: number): ImaBase => verify(goodList(), pcr10Of(goodList().slice(0, count))).next
const violation: ImaSpec = { path: '/var/log/messages', violation: true }
const modes: readonly PaddingMode[] = ['per-bank', 'sha1-padded']

describe('a list that leads to the quoted value', () => {
  test.each(['sha1', 'sha256', 'sha384', 'sha512'] as const)('is verified in the %s bank', (bank) => {
    const { next, ...result } = verify(goodList(), pcr10Of(goodList(), bank), null, bank)
    expect(result).toMatchObject({ matchedEntries: goodList().length, laterEntries: 0 })
    expect(result.entries.map(({ sequence }) => sequence)).toEqual(goodList().map((_, index) => index))
    expect(next).toEqual({
      bank,
      entries: goodList().length,
      pcr10: new Uint8Array(pcr10Of(goodList(), bank)),
      paddingMode: 'per-bank',
    })
  })

  test('of an older kernel is verified by padded SHA-1 digests, visibly', () => {
    const quoted = pcr10Of(goodList(), 'sha256', 'sha1-padded')
    expect(verify(goodList(), quoted).next.paddingMode).toBe('sha1-padded')
  })

  test('of the template ima is verified', () => {
    const specs = goodList().map(({ path }): ImaSpec => ({ path, template: 'ima' }))
    for (const mode of modes) expect(verify(specs, pcr10Of(specs, 'sha256', mode)).matchedEntries).toBe(specs.length)
    expect(verify(specs, pcr10Of(specs, 'sha1'), null, 'sha1').matchedEntries).toBe(specs.length)
  })

  test('of a big-endian kernel is verified, for lengths are hashed as the kernel wrote them', () => {
    const suffix = parseBinaryImaList(binaryList(goodList(), 'big-endian'), { byteOrder: 'big-endian' })
    const quotedPcr10 = pcr10Of(goodList(), 'sha256', 'per-bank', 'big-endian')
    const input = { base: null, suffix, quotedPcr10, bank: 'sha256' } as const
    expect(verifyImaSuffix(input, hash).matchedEntries).toBe(goodList().length)
    expect(outcomeOf(() => verify(goodList(), quotedPcr10))).toBe('ima.replay-mismatch')
  })

  test('is verified from text', () => {
    const suffix = parseAsciiImaList(asciiList(goodList()))
    const input = { base: null, suffix, quotedPcr10: pcr10Of(goodList()), bank: 'sha256' } as const
    expect(verifyImaSuffix(input, hash).matchedEntries).toBe(goodList().length)
  })

  test('with listed SHA-256 digests is verified', () => {
    const suffix = parseBinaryImaList(binaryList(goodList(), 'little-endian', 'sha256'), { templateHash: 'sha256' })
    const input = { base: null, suffix, quotedPcr10: pcr10Of(goodList()), bank: 'sha256' } as const
    expect(verifyImaSuffix(input, hash).matchedEntries).toBe(goodList().length)
  })
})

describe('a list that is longer than the quote', () => {
  test('is proven up to the quote, and the rest with the next one', () => {
    for (let count = 1; count <= goodList().length; count++) {
      const first = verify(goodList(), pcr10Of(goodList().slice(0, count)))
      expect(first).toMatchObject({ matchedEntries: count, laterEntries: goodList().length - count })
      expect(first.entries).toHaveLength(count)
      const rest = goodList().slice(count)
      const second = verify(rest, pcr10Of(goodList()), first.next)
      expect(second.matchedEntries).toBe(rest.length)
      expect(second.next.entries).toBe(goodList().length)
    }
  })

  test('proves nothing of an entry behind the quoted ones', () => {
    const forged: ImaSpec = { path: '/forged' }
    expect(verify([...goodList(), forged], pcr10Of(goodList())).entries).toHaveLength(goodList().length)
  })

  test('without a new entry since the base is verified, and keeps the base', () => {
    const base = baseOf(4)
    expect(verify([], base.pcr10, base)).toMatchObject({ matchedEntries: 0, laterEntries: 0, next: base })
    expect(verify(goodList().slice(4), base.pcr10, base)).toMatchObject({
      matchedEntries: 0,
      laterEntries: 3,
      next: base,
    })
  })
})

describe('a list that does not lead to the quoted value is refused:', () => {
  const refused = (specs: readonly ImaSpec[], base: ImaBase | null = null) =>
    expect(outcomeOf(() => verify(specs, pcr10Of(goodList()), base))).toBe('ima.replay-mismatch')
  const all = goodList().map((_, index) => index)

  test.each(all)('entry %i rewritten', (place) => {
    refused(goodList().map((spec, index) => (index === place ? { ...spec, path: '/other' } : spec)))
    refused(goodList().map((spec, index) => (index === place ? { ...spec, digest: Buffer.alloc(32, 9) } : spec)))
  })
  test.each(all)('entry %i removed', (place) => refused(goodList().filter((_, index) => index !== place)))
  test.each(all.slice(1))('entries before %i and it reordered', (place) => {
    const specs = goodList()
    const [moved] = specs.splice(place, 1)
    if (moved !== undefined) specs.splice(place - 1, 0, moved)
    refused(specs)
  })
  test.each(all)('an entry inserted at %i', (place) => refused(goodList().toSpliced(place, 0, { path: '/new' })))
  test('truncated at its end', () => {
    for (let count = 0; count < goodList().length; count++) refused(goodList().slice(0, count))
  })
  test('truncated at its start, and numbered from 0', () => refused(goodList().slice(3)))
  test('a suffix with an entry removed', () => refused(goodList().slice(3), baseOf(2)))
  test('a suffix sent again as if it were the next', () => {
    const twice = [...goodList().slice(2, 4), ...goodList().slice(2)]
    refused(twice, baseOf(2))
  })
  test('a quoted value of another bank', () => {
    expect(outcomeOf(() => verify(goodList(), pcr10Of(goodList(), 'sha1')))).toBe('ima.replay-mismatch')
  })
  test('any single bit of the list flipped, or it says the same', () => {
    const whole = binaryList(goodList())
    const good = JSON.stringify(verify(goodList(), pcr10Of(goodList())))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), (offset, bit) => {
        const damaged = Buffer.from(whole)
        damaged[offset] = (damaged[offset] ?? 0) ^ (1 << bit)
        let said = ''
        const outcome = outcomeOf(() => {
          const suffix = parseBinaryImaList(damaged)
          const input = { base: null, suffix, quotedPcr10: pcr10Of(goodList()), bank: 'sha256' } as const
          said = JSON.stringify(verifyImaSuffix(input, hash))
        })
        expect(outcome === undefined ? said : good).toBe(good)
      }),
    )
  })
})

describe('a suffix that does not begin where the verified part ends is refused:', () => {
  const wrong = (first: number, base: ImaBase | null) => {
    const specs = goodList().slice(Math.min(first, goodList().length))
    const attempt = () => verify(specs, pcr10Of(goodList()), base, 'sha256', first)
    expect(outcomeOf(attempt)).toBe('ima.wrong-start')
  }

  test('truncated with an unknown base', () => wrong(3, null))
  test('a gap', () => wrong(4, baseOf(3)))
  test('a duplicate of what was verified', () => wrong(2, baseOf(3)))
  test('a list that begins anew, which is no reset', () => wrong(0, baseOf(3)))
  test('a base of another bank', () => {
    const attempt = () => verify(goodList().slice(3), pcr10Of(goodList(), 'sha1'), baseOf(3), 'sha1')
    expect(outcomeOf(attempt)).toBe('ima.wrong-start')
  })
})

describe('a violation', () => {
  const specs = [...goodList(), violation, { path: '/after' }]

  test.each(modes)('extends ones, and is reported, in the mode %s', (mode) => {
    const result = verify(specs, pcr10Of(specs, 'sha256', mode))
    expect(result.next.paddingMode).toBe(mode)
    expect(result.entries[7]).toEqual({
      kind: 'violation',
      sequence: 7,
      template: 'ima-ng',
      claimedPath: '/var/log/messages',
    })
    expect(violationsOf(result.entries)).toEqual([{ code: 'ima.violation', sequence: 7, path: '/var/log/messages' }])
  })

  test('hidden as a measurement of the file is refused', () => {
    const hidden = specs.map((spec) => ({ ...spec, violation: false }))
    expect(outcomeOf(() => verify(hidden, pcr10Of(specs)))).toBe('ima.replay-mismatch')
  })

  test('left out is refused', () => {
    const without = specs.filter((spec) => spec !== violation)
    expect(outcomeOf(() => verify(without, pcr10Of(specs)))).toBe('ima.replay-mismatch')
  })

  test('claimed where the kernel measured is refused', () => {
    const claimed = specs.map((spec, index) => (index === 1 ? { ...spec, violation: true } : spec))
    expect(outcomeOf(() => verify(claimed, pcr10Of(specs)))).toBe('ima.replay-mismatch')
  })
})

describe('a wrong mix of padding modes', () => {
  test('within a list is refused', () => {
    for (let place = 1; place < goodList().length; place++) {
      const before = pcr10Of(goodList().slice(0, place))
      const quoted = goodList()
        .slice(place)
        .reduce((value, spec) => {
          const digest = Buffer.concat([hash('sha1', hashedData(spec)), Buffer.alloc(12)])
          return Buffer.from(hash('sha256', Buffer.concat([value, digest])))
        }, before)
      expect(outcomeOf(() => verify(goodList(), quoted))).toBe('ima.replay-mismatch')
    }
  })

  test('between a base and its suffix is refused', () => {
    const base = baseOf(3)
    const rest = parseBinaryImaList(binaryList(goodList().slice(3)), { first: 3 })
    const { pcr10 } = extendFrom(base, rest.entries, 'sha256', 'sha1-padded', hash)
    expect(outcomeOf(() => verify(goodList().slice(3), pcr10, base))).toBe('ima.replay-mismatch')
  })

  test('in a violation is refused', () => {
    const padded = Buffer.concat([Buffer.alloc(20, 0xff), Buffer.alloc(12)])
    const quoted = hash('sha256', Buffer.concat([pcr10Of(goodList()), padded]))
    expect(outcomeOf(() => verify([...goodList(), violation], quoted))).toBe('ima.replay-mismatch')
  })
})

describe('a PCR 10 of zeros', () => {
  test('means that nothing was measured, whatever the list says', () => {
    for (const specs of [[], goodList()]) {
      expect(outcomeOf(() => verify(specs, Buffer.alloc(32)))).toBe('ima.not-measured')
    }
  })

  test('after verified entries is a PCR that was reset, whatever follows', () => {
    for (const specs of [[], goodList().slice(3)]) {
      expect(outcomeOf(() => verify(specs, Buffer.alloc(32), baseOf(3)))).toBe('ima.replay-mismatch')
    }
  })
})

describe('an entry for another PCR', () => {
  test('is refused, since nothing proves it', () => {
    const specs = [...goodList(), { path: '/elsewhere', pcr: 11 }]
    expect(outcomeOf(() => verify(specs, pcr10Of(goodList())))).toBe('ima.foreign-pcr')
  })
})

describe('the listed template digest', () => {
  test('is not what is extended', () => {
    const damaged = binaryEntry(bootAggregate())
    damaged.fill(0x55, 4, 24)
    const quotedPcr10 = pcr10Of([bootAggregate()])
    const input = { base: null, suffix: parseBinaryImaList(damaged), quotedPcr10, bank: 'sha256' } as const
    expect(verifyImaSuffix(input, hash).matchedEntries).toBe(1)
  })
})

describe('the base', () => {
  test('is a copy, which changes of the quoted bytes do not reach', () => {
    const quoted = pcr10Of(goodList())
    const { next } = verify(goodList(), quoted)
    quoted.fill(0)
    expect(next.pcr10).toEqual(new Uint8Array(pcr10Of(goodList())))
  })
})

describe('any way of cutting a list into suffixes and quotes', () => {
  const spec = fc.record({
    path: fc.string({ minLength: 1, maxLength: 12 }).filter((path) => !path.includes('\0')),
    template: fc.constantFrom('ima-ng', 'ima-sig', 'ima-buf', 'ima', 'ima-sigv2'),
    violation: fc.boolean(),
  })

  test('proves every entry once and ends at the same base', () => {
    fc.assert(
      fc.property(
        fc.array(spec, { minLength: 1, maxLength: 12 }),
        fc.array(fc.tuple(fc.nat(4), fc.nat(3)), { maxLength: 12 }),
        fc.constantFrom(...modes),
        (specs: readonly ImaSpec[], steps, mode) => {
          let base: ImaBase | null = null
          const proven: number[] = []
          for (const [quoted, later] of [...steps, [specs.length, 0] as const]) {
            const start: number = base?.entries ?? 0
            const end = Math.min(specs.length, start + quoted)
            if (end === 0) continue
            const value = pcr10Of(specs.slice(0, end), 'sha256', mode)
            const result = verify(specs.slice(start, end + later), value, base)
            proven.push(...result.entries.map(({ sequence }) => sequence))
            base = result.next
          }
          expect(proven).toEqual(specs.map((_, index) => index))
          expect(base).toMatchObject({ entries: specs.length, paddingMode: mode })
        },
      ),
      { numRuns: 50 },
    )
  })
})

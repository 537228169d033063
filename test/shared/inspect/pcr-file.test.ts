import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OutcomeError } from '../../../shared/errors.ts'
import { parsePcrFile } from '../../../shared/inspect/boot/pcr-file.ts'
import { digestsOfPcrFile } from '../../support/pcr-file.ts'
import { fixturesDescribe, readFixture } from '../../support/fixtures.ts'
import { outcomeOf } from '../../support/outcome.ts'

const selection = (...pcrs: number[]) => [{ bank: 'sha256' as const, pcrs }]
const value = (byte: number) => new Uint8Array(32).fill(byte)
const hex = (byte: number) => Buffer.from(value(byte)).toString('hex').toUpperCase()
const text = (...lines: string[]) => Buffer.from(lines.join('\n'))

test('the text of tpm2_pcrread, of which the quoted PCRs are taken', () => {
  const file = text(
    '  sha1:',
    `    0 : 0x${'00'.repeat(20)}`,
    '  sha256:',
    `    0 : 0x${hex(1)}`,
    `    7 : 0x${hex(2)}`,
    '',
  )
  expect(parsePcrFile(file, selection(7))).toEqual(new Map([['sha256', new Map([[7, value(2)]])]]))
})

test('bare values, in the order of the selection', () => {
  const file = Buffer.concat([value(1), value(2)])
  const expected = new Map([['sha256', new Map([[0, value(1)], [4, value(2)]])]]) // prettier-ignore
  expect(parsePcrFile(file, selection(0, 4))).toEqual(expected)
})

test('bare values of all PCRs', () => {
  const file = Buffer.concat([Buffer.alloc(24 * 20), ...Array.from({ length: 24 }, (_, pcr) => value(pcr))])
  expect(parsePcrFile(file, selection(9)).get('sha256')?.get(9)).toEqual(value(9))
})

describe('what is no file of PCR values is malformed', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['bytes of no fitting size', Buffer.alloc(33)],
    ['a value that is too short', text('sha256:', '  0 : 0x00')],
    ['a bank twice', text('sha256:', 'sha256:')],
    ['a PCR twice', text('sha256:', `0 : 0x${hex(1)}`, `0 : 0x${hex(1)}`)],
    ['other lines', text('sha256:', 'hello')],
    ['a value before any bank', text(`0 : 0x${hex(1)}`, 'sha256:')],
  ])('%s', (_, file) => {
    expect(outcomeOf(() => parsePcrFile(file, selection(0)))).toBe('tpm.malformed')
  })

  test('and nothing else is ever thrown', () => {
    const sizes = fc.constantFrom(0, 64, 136, 668, 1200)
    fc.assert(
      fc.property(
        sizes.chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
        (bytes) => {
          try {
            parsePcrFile(bytes, selection(0, 1))
          } catch (error) {
            expect(error).toBeInstanceOf(OutcomeError)
          }
        },
      ),
    )
  })
})

fixturesDescribe('vm-sb', 'files of tpm2-tools', () => {
  const quoted = selection(...Array.from({ length: 15 }, (_, pcr) => pcr))
  const file = () => readFixture('vm-sb', 'quote.pcrs')

  test('tpm2_quote --pcr: a dump of C structs', () => {
    const values = [...(parsePcrFile(file(), quoted).get('sha256') ?? [])]
    expect(values).toEqual([...digestsOfPcrFile(file()).entries()].map(([pcr, value]) => [pcr, Uint8Array.from(value)]))
  })

  test('tpm2_pcrread: text and bare values of the same moment are the same', () => {
    const values = parsePcrFile(readFixture('vm-sb', 'pcrread.txt'), quoted)
    expect(values.get('sha256')?.size).toBe(15)
    expect(parsePcrFile(readFixture('vm-sb', 'pcrs.bin'), quoted)).toEqual(values)
  })

  test('a dump that is cut never passes for values, but for bare ones of just that size', () => {
    for (let length = 0; length < file().length; length += 4) {
      expect(
        outcomeOf(() => parsePcrFile(file().subarray(0, length), selection(0, 1))),
        `${length}`,
      ).toSatisfy((code: unknown) => code === 'tpm.malformed' || length === 64 || [480, 768, 1152].includes(length))
    }
  })
})

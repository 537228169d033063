import { describe, expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { detectImaFormat } from '../../../shared/ima/detect.ts'
import { inspectImaList } from '../../../shared/ima/inspect.ts'
import {
  asciiList,
  binaryEntry,
  binaryList,
  bootAggregate,
  goodList,
  pcr10Of,
  signatureXattr,
  type ImaSpec,
} from '../../support/ima-builder.ts'
import { outcomeOf } from '../../support/outcome.ts'

const signature = signatureXattr({ keyId: '00c0ffee', bytes: Buffer.alloc(128) })
const specs: readonly ImaSpec[] = [
  ...goodList(),
  { path: '/signed', template: 'ima-sig', signature },
  { path: '/var/log/x', violation: true },
]

describe('a list shown without a server', () => {
  const shown = inspectImaList(binaryList(specs), hash)

  test('is told by counts, and by what PCR 10 would be', () => {
    expect(shown).toMatchObject({
      format: { format: 'binary', byteOrder: 'little-endian', templateHash: 'sha1' },
      count: specs.length,
      violations: 1,
      otherPcrs: 0,
      templates: { 'ima-ng': 6, 'ima-sig': 2, 'ima-buf': 1 },
      bootAggregate: `sha256:${bootAggregate().digest?.toString('hex')}`,
    })
    for (const { bank, paddingMode, value } of shown.pcr10) {
      expect(value).toBe(pcr10Of(specs, bank, paddingMode).toString('hex'))
    }
  })

  test('has every entry', () => {
    expect(shown.entries).toHaveLength(specs.length)
    expect(shown.entries[5]).toMatchObject({ path: 'kexec-cmdline', bufferSize: 14, templateDigestFits: true })
    expect(shown.entries[7]).toMatchObject({ signedBy: '00c0ffee', violation: false, bufferSize: null })
    expect(shown.entries[8]).toMatchObject({ path: '/var/log/x', violation: true, templateDigestFits: null })
  })

  test('reads alike from text', () => {
    const { format, ...text } = inspectImaList(asciiList(specs), hash)
    const { format: _, ...binary } = shown
    expect(format).toEqual({ format: 'ascii' })
    expect(text).toEqual(binary)
  })

  test('is plain JSON', () => expect(JSON.parse(JSON.stringify(shown))).toEqual(shown))
})

test.each(['little-endian', 'big-endian'] as const)('the format of a %s list is found', (order) => {
  for (const templateHash of ['sha1', 'sha256', 'sha384', 'sha512'] as const) {
    const list = binaryList(specs, order, templateHash)
    expect(detectImaFormat(list)).toEqual({ format: 'binary', byteOrder: order, templateHash })
    expect(inspectImaList(list, hash).entries.every(({ templateDigestFits }) => templateDigestFits !== false)).toBe(
      true,
    )
  }
})

test('a list that begins with a violation, whose digest is zeros of any size, is recognised by its template', () => {
  for (const templateHash of ['sha1', 'sha256', 'sha512'] as const) {
    const list = binaryList([{ path: '/x', violation: true }], 'little-endian', templateHash)
    expect(detectImaFormat(list)).toMatchObject({ templateHash })
  }
})

test('a template digest that does not fit is shown', () => {
  const damaged = binaryEntry(bootAggregate())
  damaged.fill(0x55, 4, 24)
  expect(inspectImaList(damaged, hash).entries[0]?.templateDigestFits).toBe(false)
})

test('entries for other PCRs are counted apart', () => {
  const shown = inspectImaList(binaryList([...specs, { path: '/x', pcr: 12 }]), hash)
  expect(shown.otherPcrs).toBe(1)
  expect(shown.pcr10[0]?.value).toBe(pcr10Of(specs, 'sha1').toString('hex'))
})

test('a list without a boot aggregate is shown as such', () => {
  expect(inspectImaList(new Uint8Array(0), hash)).toMatchObject({ count: 0, bootAggregate: null })
  expect(inspectImaList(binaryList([{ path: '/x' }]), hash).bootAggregate).toBeNull()
})

test.each([
  ['text that is no list', Buffer.from('hello\n')],
  ['binary that is no list', Buffer.alloc(100)],
  ['a cut list', binaryList(specs).subarray(0, 500)],
])('%s is refused with the number of the entry', (_, bytes) => {
  expect(outcomeOf(() => inspectImaList(bytes, hash))).toMatch(/^ima\.(malformed|template-unknown)$/)
  expect(() => inspectImaList(bytes, hash)).toThrow(/entry \d+: /)
})

import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { carryList } from '../../../agent/attest/carry-list.ts'
import { isTold, nextPart } from '../../../agent/attest/measurement-list.ts'
import type { AcknowledgedList } from '../../../agent/state/progress.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import type { QuotedPcr10 } from '../../../shared/ima/quoted.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { binaryList, goodList, pcr10Of, type ImaSpec } from '../../support/ima-builder.ts'

const BOOT = new Uint8Array(16).fill(1)
const all: readonly ImaSpec[] = [...goodList(), { path: '/x', violation: true }, { path: '/legacy', template: 'ima' }]

const listOf = (specs: readonly ImaSpec[], order?: 'big-endian'): Uint8Array => new Uint8Array(binaryList(specs, order))

function quotedAfter(count: number, specs = all): QuotedPcr10 {
  return { bank: 'sha256', value: new Uint8Array(pcr10Of(specs.slice(0, count))), extended: count > 0 }
}

const toldAfter = (count: number): AcknowledgedList => nextPart(listOf(all), null, BOOT, quotedAfter(count)).told

describe('the part of a list that is sent', () => {
  test('is exactly what the quote covers and was not receipted, wherever both are', () => {
    for (let known = 0; known < all.length; known++) {
      for (let quoted = known + 1; quoted <= all.length; quoted++) {
        const before = known === 0 ? null : toldAfter(known)
        const { first, entries, told } = nextPart(listOf(all), before, BOOT, quotedAfter(quoted))
        expect([first, entries]).toEqual([known, listOf(all.slice(known, quoted))])
        const bytes = binaryList(all.slice(0, quoted)).length
        expect(told).toEqual({
          boot: BOOT,
          bank: 'sha256',
          pcr10: quotedAfter(quoted).value,
          verified: { entries: quoted, bytes, paddingMode: 'per-bank' },
        })
      }
    }
  })

  test('is the same for a big-endian machine, and for a kernel that pads SHA-1', () => {
    const value = new Uint8Array(pcr10Of(all.slice(0, 5), 'sha256', 'sha1-padded', 'big-endian'))
    const { first, entries, told } = nextPart(listOf(all, 'big-endian'), null, BOOT, { ...quotedAfter(5), value })
    expect([first, entries]).toEqual([0, listOf(all.slice(0, 5), 'big-endian')])
    expect(told.verified).toMatchObject({ entries: 5, paddingMode: 'sha1-padded' })
  })

  test('begins at the start where another boot or another bank was receipted', () => {
    const known = toldAfter(3)
    for (const other of [
      { ...known, boot: new Uint8Array(16).fill(2) },
      { ...known, bank: 'sha384' as const },
      { ...known, verified: null },
    ]) {
      expect(nextPart(listOf(all), other, BOOT, quotedAfter(6))).toMatchObject({
        first: 0,
        told: { verified: { entries: 6 } },
      })
    }
  })

  test('begins at the start where what was receipted leads nowhere, such as bytes that are not those', () => {
    const known = toldAfter(3)
    const verified = { entries: 3, bytes: 1, paddingMode: 'per-bank' as const }
    for (const wrong of [
      { ...known, verified },
      { ...known, verified: { ...verified, bytes: 1e9 } },
    ]) {
      expect(nextPart(listOf(all), wrong, BOOT, quotedAfter(6))).toMatchObject({
        first: 0,
        told: { verified: { entries: 6 } },
      })
    }
  })

  test('is all there is where the list does not lead to the quote: nothing is hidden', () => {
    const lists = [
      listOf(all.slice(1)),
      listOf(all.slice(0, 3)),
      listOf([...all.slice(0, 4), { path: '/other' }]),
      listOf(all.map((spec) => ({ ...spec, pcr: 11 }))),
      Uint8Array.of(1, 2, 3),
    ]
    for (const list of lists) {
      for (const known of [null, toldAfter(3)]) {
        const { first, entries, told } = nextPart(list, known, BOOT, quotedAfter(5))
        expect([first, entries, told.verified]).toEqual([0, list, null])
      }
    }
  })

  test('has no entry that the kernel was still writing', () => {
    const bytes = listOf(all)
    const { entries } = nextPart(bytes.subarray(0, bytes.length - 4), null, BOOT, quotedAfter(all.length - 1))
    expect(entries).toEqual(listOf(all.slice(0, -1)))
  })

  test('can be found in any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(nextPart(bytes, toldAfter(3), BOOT, quotedAfter(5))).toMatchObject({ first: 0, entries: bytes })
      }),
    )
  })
})

test('nothing is new while PCR 10 is the receipted one of this boot and bank', () => {
  const known = toldAfter(3)
  expect(isTold(known, BOOT, quotedAfter(3))).toBe(true)
  expect(isTold({ ...known, verified: null }, BOOT, quotedAfter(3))).toBe(true)
  expect(isTold(known, BOOT, quotedAfter(4))).toBe(false)
  expect(isTold(known, new Uint8Array(16), quotedAfter(3))).toBe(false)
  expect(isTold({ ...known, bank: 'sha384' }, BOOT, quotedAfter(3))).toBe(false)
  expect(isTold(null, BOOT, quotedAfter(3))).toBe(false)
})

describe('what an evidence carries', () => {
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
  const many = Array.from({ length: 600 }, (_, n) => ({ path: `/usr/lib/library-${n}` }))
  const carry = (
    specs: readonly ImaSpec[],
    over: { fits?: boolean; pcrs?: PcrValues; list?: Uint8Array | null } = {},
  ) => {
    const { fits = true, list = listOf(specs) } = over
    const pcrs = over.pcrs ?? new Map([['sha256', new Map([[10, new Uint8Array(pcr10Of(specs))]])]])
    const contents = { put: async () => fits }
    return carryList({ pcrs, boot: BOOT, known: null, read: async () => list, contents, log })
  }

  test('is the entries, and their digest where they are many', async () => {
    expect(await carry(all)).toMatchObject({ suffix: { first: 0, entries: listOf(all) }, content: null })
    const digest = sha256(listOf(many))
    expect(await carry(many)).toMatchObject({ suffix: { first: 0, entries: digest }, content: digest })
  })

  test('is nothing where they are more than can be sent, where there is no list, or PCR 10 is not quoted', async () => {
    expect(await carry(many, { fits: false })).toBeNull()
    expect(await carry(all, { list: null })).toBeNull()
    expect(await carry(all, { pcrs: new Map([['sha256', new Map([[0, new Uint8Array(32)]])]]) })).toBeNull()
  })

  test('is nothing while nothing was measured into PCR 10: the list is that of another TPM', async () => {
    expect(await carry(all, { pcrs: new Map([['sha256', new Map([[10, new Uint8Array(32)]])]]) })).toBeNull()
  })

  test('is never mistaken for a digest: 32 bytes that are no list travel as a content', async () => {
    const list = new Uint8Array(32).fill(7)
    expect(await carry(all, { list })).toMatchObject({ suffix: { entries: sha256(list) }, content: sha256(list) })
  })
})

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KnownResult } from '../../../agent/attest/known-result.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import { isResultMessage } from '../../../shared/evidence/result-message.ts'
import * as sample from '../../support/messages.ts'
import { COLLECTOR_ID, resultMessage, type ResultSample } from '../../support/result-message.ts'

const reader = { ueid: sample.ueid, collector: { id: COLLECTOR_ID, key: sample.collector.key } }
const knowing = (stored: Uint8Array | null = null, restoredAt = 0): KnownResult =>
  new KnownResult(reader, stored, () => restoredAt)

async function codeOf(known: KnownResult, message: Uint8Array | Promise<Uint8Array>): Promise<string | boolean> {
  const bytes = await message
  try {
    return known.offer(bytes)
  } catch (error) {
    if (error instanceof OutcomeError) return error.code
    throw error
  }
}

const later = (number: number, issuedAt: number): Promise<Uint8Array> =>
  resultMessage({ message: { number }, ear: { issuedAt } })

describe('the newest result', () => {
  it('says what the collector concludes, since when and why', async () => {
    const known = knowing()
    expect([known.shown, known.number]).toEqual([null, 0])
    expect(await codeOf(known, resultMessage())).toBe(true)
    expect(known.number).toBe(7)
    expect(known.shown).toEqual({
      status: 'contraindicated',
      latch: 'failed',
      liveness: 'fresh',
      bootCoverage: 'measured',
      reasons: ['boot.quote-refused', 'sockets.listener-added'],
      since: 1_781_234_567,
      issuedAt: 1_781_234_600,
    })
  })

  it('goes forward, also over a restart, and is repeated without harm', async () => {
    const [first, second] = [await later(7, 1_000), await later(8, 1_100)]
    const known = knowing()
    expect([await codeOf(known, first), await codeOf(known, first)]).toEqual([true, false])
    expect([await codeOf(known, second), await codeOf(known, second)]).toEqual([true, false])
    expect(await codeOf(known, first)).toBe('result.not-newer')
    expect(await codeOf(knowing(second), first)).toBe('result.not-newer')
    expect(known.number).toBe(8)
  })

  it('is none with a greater number that was signed before, nor one of before a restore', async () => {
    const known = knowing(await later(7, 1_000))
    expect(await codeOf(known, later(8, 999))).toBe('result.not-newer')
    expect(known.number).toBe(7)
    known.forget()
    expect(known.shown).toBeNull()
    expect(await codeOf(knowing(null, 2_000), later(9, 1_999))).toBe('result.not-newer')
    expect(await codeOf(knowing(null, 2_000), later(1, 2_000))).toBe(true)
  })

  const { otherUeid: ueid, otherDevice } = sample
  const REFUSED: readonly [title: string, over: ResultSample, code: string][] = [
    ['addressed to another device', { ueid }, 'cose.signature-invalid'],
    ['about another device', { ear: { ueid } }, 'result.foreign'],
    ['by another collector', { message: { collectorId: sample.filled(16, 1) } }, 'result.foreign'],
    ['signed by another key', { signer: otherDevice.signer }, 'cose.key-id-mismatch'],
    ['around a result that another key has signed', { earSigner: otherDevice.signer }, 'cose.key-id-mismatch'],
    [
      'signed by another key under the name of the right one',
      { signer: { ...otherDevice.signer, keyId: sample.collector.signer.keyId } },
      'cose.signature-invalid',
    ],
    ['around something else', { message: { ear: Uint8Array.of(1) } }, 'cose.wrong-tag'],
  ]
  it.each(REFUSED)('is none %s', async (_title, over, code) => {
    const known = knowing(await later(7, 1_000))
    expect(await codeOf(known, resultMessage({ ...over, message: { number: 9, ...over.message } }))).toBe(code)
    expect(known.number).toBe(7)
  })

  it('is none with any bit changed', async () => {
    const bytes = await resultMessage()
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const changed = Uint8Array.from(bytes)
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const known = knowing()
        expect(() => known.offer(changed)).toThrow(OutcomeError)
        expect(known.shown).toBeNull()
      }),
    )
  })

  it('is told from what carries a MAC', async () => {
    expect(isResultMessage(await resultMessage())).toBe(true)
    expect(isResultMessage(new Uint8Array(0))).toBe(false)
    expect(isResultMessage(Uint8Array.of(0xd1, 0x84))).toBe(false)
  })

  it('begins anew where what was stored cannot be used', () => {
    expect(knowing(Uint8Array.of(0xd2, 1, 2)).shown).toBeNull()
  })
})

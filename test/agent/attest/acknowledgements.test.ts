import { expect, test } from 'vitest'
import {
  afterListRequest,
  afterReceipt,
  afterRequest,
  afterRestore,
  type Told,
} from '../../../agent/attest/acknowledgements.ts'
import { NO_PROGRESS, type AcknowledgedList } from '../../../agent/state/progress.ts'

const session = new Uint8Array(16).fill(1)
const list = (entries: number | null, boot = 1): AcknowledgedList => ({
  boot: new Uint8Array(16).fill(boot),
  bank: 'sha256',
  pcr10: new Uint8Array(32).fill(entries ?? 255),
  verified: entries === null ? null : { entries, bytes: entries * 100, paddingMode: 'per-bank' },
})
const told = (sequence: number, about: AcknowledgedList | null): Told => ({
  session,
  sequence,
  postureDigest: new Uint8Array(32),
  pcrDigest: null,
  contents: [],
  list: about,
})
const receipt = (contiguousTo: number, ...extra: number[]) => [{ session, contiguousTo, extra }]
const known = (about: AcknowledgedList | null) => ({ ...NO_PROGRESS.acknowledged, list: about })
const request = (ima: number | null) => ({ posture: false, pcrs: false, contents: [], ima })

test('a list counts as known with the receipt of its evidence, and not before', () => {
  const waiting = [told(0, list(3)), told(1, list(5))]
  expect(afterReceipt(known(null), waiting, receipt(-1)).acknowledged.list).toBeNull()
  const first = afterReceipt(known(null), waiting, receipt(0))
  expect(first.acknowledged.list).toEqual(list(3))
  expect(afterReceipt(first.acknowledged, first.waiting, receipt(1)).acknowledged.list).toEqual(list(5))
})

test('an evidence without a list changes nothing, and receipts of a backlog set nothing back', () => {
  const newest = afterReceipt(known(list(3)), [told(0, list(5)), told(1, list(9)), told(2, null)], receipt(-1, 1, 2))
  expect(newest.acknowledged.list).toEqual(list(9))
  expect(afterReceipt(newest.acknowledged, newest.waiting, receipt(2)).acknowledged.list).toEqual(list(9))
})

test('the list of another boot, and one that leads elsewhere, take the place of the known one', () => {
  for (const other of [list(1, 2), list(null)]) {
    expect(afterReceipt(known(list(9)), [told(0, other)], receipt(0)).acknowledged.list).toEqual(other)
  }
})

test('a request for earlier entries makes the list unknown, one for those that follow does not', () => {
  expect(afterRequest(known(list(5)), request(3)).list).toBeNull()
  expect(afterRequest(known(list(null)), request(0)).list).toBeNull()
  for (const from of [null, 5, 7]) expect(afterRequest(known(list(5)), request(from)).list).toEqual(list(5))
})

test('what was told before a request is no use, whatever is receipted afterwards', () => {
  const waiting = afterListRequest([told(0, list(5))], request(0))
  expect(afterReceipt(known(null), waiting, receipt(0)).acknowledged.list).toBeNull()
  expect(afterListRequest([told(0, list(5))], request(null))).toEqual([told(0, list(5))])
})

test('after a restore nothing counts as known, and the first receipt that follows is the newest', () => {
  const [point, epoch, hash] = [Uint8Array.of(1), Uint8Array.of(2), new Uint8Array(32).fill(3)]
  const before = {
    ...NO_PROGRESS,
    highestEpoch: epoch,
    lastReceipt: { number: 42, hash },
    acknowledged: known(list(5)),
    result: Uint8Array.of(4),
  }
  const after = {
    restorePoint: point,
    highestEpoch: null,
    lastReceipt: { number: 0, hash },
    acknowledged: NO_PROGRESS.acknowledged,
    result: null,
    answeredChallenge: 0,
  }
  expect(afterRestore(before, point, false)).toEqual(after)
  expect(afterRestore(before, point, true)).toEqual({ ...after, highestEpoch: epoch })
  expect(afterRestore(NO_PROGRESS, point, false)).toEqual({ ...after, lastReceipt: null })
})

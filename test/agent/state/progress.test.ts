import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  acknowledgeContents,
  MAX_ACKNOWLEDGED_CONTENTS,
  NO_PROGRESS,
  ProgressFile,
  type AcknowledgedList,
  type Progress,
} from '../../../agent/state/progress.ts'
import { encodeChecked } from '../../../agent/state/checked-json.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import type { ErrorCode } from '../../../shared/codes/errors.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { UEID } from './identity-sample.ts'

const scratch = useScratchDirectories('progress')
const owner = { ueid: UEID, collectorId: new Uint8Array(16).fill(1) }
const digest = (number: number): Uint8Array => new Uint8Array(sha256(Uint8Array.of(number & 255, number >> 8)))

const LIST: AcknowledgedList = {
  boot: new Uint8Array(16).fill(5),
  bank: 'sha256',
  pcr10: digest(6),
  verified: { entries: 7, bytes: 800, paddingMode: 'per-bank' },
}

const SOME: Progress = {
  restorePoint: Uint8Array.of(4, 5, 6),
  highestEpoch: Uint8Array.of(1, 2, 3),
  lastReceipt: { number: 42, hash: digest(1) },
  acknowledged: { postureDigest: digest(2), pcrDigest: null, contents: [digest(3), digest(4)], list: LIST },
  result: Uint8Array.of(7, 8, 9),
  answeredChallenge: 1_781_234_567_890,
  starts: { boot: new Uint8Array(16).fill(5), count: 3 },
}

async function open(path: string, by = owner) {
  const problems: ErrorCode[] = []
  const file = await ProgressFile.open(path, by, ({ code }) => problems.push(code))
  return { file, problems }
}

async function written(): Promise<string> {
  const path = join(scratch(), 'progress.json')
  await (await open(path)).file.update(SOME)
  return path
}

test('progress begins empty and survives a restart', async () => {
  const path = join(scratch(), 'progress.json')
  const { file, problems } = await open(path)
  expect(file.current).toEqual(NO_PROGRESS)
  await file.update({ lastReceipt: SOME.lastReceipt })
  await file.update({
    restorePoint: SOME.restorePoint,
    highestEpoch: SOME.highestEpoch,
    acknowledged: SOME.acknowledged,
    result: SOME.result,
    answeredChallenge: SOME.answeredChallenge,
    starts: SOME.starts,
  })
  expect((await open(path)).file.current).toEqual(SOME)
  expect(problems).toEqual([])
})

test('a list that leads elsewhere survives a restart as such', async () => {
  const path = join(scratch(), 'progress.json')
  const list = { ...LIST, bank: 'sha384' as const, pcr10: new Uint8Array(48).fill(1), verified: null }
  const { file } = await open(path)
  await file.update({ acknowledged: { ...SOME.acknowledged, list } })
  expect((await open(path)).file.current.acknowledged.list).toEqual(list)
})

test('progress of a version that knew nothing of measurement lists is read', async () => {
  const path = join(scratch(), 'progress.json')
  const acknowledged = { postureDigest: null, pcrDigest: null, contents: [] }
  const older = { version: 1, ueid: UEID, collectorId: toHex(owner.collectorId), highestEpoch: null, lastReceipt: null }
  writeFileSync(path, encodeChecked({ ...older, acknowledged }), { mode: 0o600 })
  const { file, problems } = await open(path)
  expect([file.current, problems]).toEqual([NO_PROGRESS, []])
})

test('updates that overtake each other end with the last one', async () => {
  const path = join(scratch(), 'progress.json')
  const { file } = await open(path)
  const numbers = Array.from({ length: 20 }, (_, number) => number)
  await Promise.all(numbers.map((number) => file.update({ lastReceipt: { number, hash: digest(number) } })))
  expect((await open(path)).file.current.lastReceipt?.number).toBe(19)
})

test('nothing is written when nothing changes', async () => {
  const path = await written()
  const { ino } = statSync(path)
  const { file } = await open(path)
  await file.update(SOME)
  expect(statSync(path).ino).toBe(ino)
})

describe('progress is begun anew and told', () => {
  test('for every single byte that is changed in the file', async () => {
    const path = await written()
    const good = readFileSync(path)
    for (let at = 0; at < good.length; at += 7) {
      const bad = Uint8Array.from(good)
      bad[at] = (bad[at] as number) ^ 1
      writeFileSync(path, bad)
      const { file, problems } = await open(path)
      expect([file.current, problems]).toEqual([NO_PROGRESS, ['state.unreadable']])
    }
  })

  test('for a truncated, an empty and an open file, and the next update mends it', async () => {
    const path = await written()
    for (const content of [readFileSync(path).subarray(0, 100), Buffer.alloc(0)]) {
      writeFileSync(path, content)
      expect((await open(path)).problems).toEqual(['state.unreadable'])
    }
    chmodSync(path, 0o644)
    const { file, problems } = await open(path)
    expect(problems).toEqual(['state.insecure-permissions'])
    await file.update(SOME)
    expect((await open(path)).file.current).toEqual(SOME)
  })
})

test("another enrolment's progress means nothing", async () => {
  const path = await written()
  const { file, problems } = await open(path, { ...owner, collectorId: new Uint8Array(16) })
  expect([file.current, problems]).toEqual([NO_PROGRESS, []])
})

test('the contents that are remembered are bounded, each once, the most recent last', () => {
  const many = Array.from({ length: MAX_ACKNOWLEDGED_CONTENTS }, (_, number) => digest(number))
  const known = acknowledgeContents(many, [digest(5), digest(9999)])
  expect(known).toHaveLength(MAX_ACKNOWLEDGED_CONTENTS)
  expect(known.slice(-2)).toEqual([digest(5), digest(9999)])
  expect(known.filter((item) => Buffer.from(item).equals(Buffer.from(digest(5))))).toHaveLength(1)
  expect(known[0]).toEqual(digest(1))
})

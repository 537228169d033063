import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exchange } from '../../../../agent/measure/client/exchange.ts'
import { decodeRequest, MAX_ANSWER_BYTES } from '../../../../agent/measure/protocol.ts'
import { useScratchDirectories } from '../../../support/scratch.ts'
import { saying, standIn } from '../support.ts'

const scratch = useScratchDirectories('exchange')
const isRoot = process.geteuid?.() === 0

test('what the other side says until its end is the answer, and the request is whole before', async () => {
  const received: Buffer[] = []
  const path = await standIn(scratch(), (connection) => {
    connection.on('data', (chunk: Buffer) => received.push(chunk))
    connection.once('end', () => {
      connection.write(Uint8Array.of(1))
      setTimeout(() => connection.end(Uint8Array.of(2, 3)), 20)
    })
  })
  expect(await exchange(path, 'sections')).toEqual({ status: 'answered', answer: Uint8Array.of(1, 2, 3) })
  expect(decodeRequest(new Uint8Array(Buffer.concat(received)))).toBe('sections')
})

describe('there is no helper', () => {
  test('where there is no socket', async () => {
    expect(await exchange(join(scratch(), 'measure.sock'), 'sections')).toMatchObject({ status: 'absent' })
    expect(await exchange(join(scratch(), 'none', 'measure.sock'), 'sections')).toMatchObject({ status: 'absent' })
  })
})

describe('an answer is refused', () => {
  test('that never ends, though it goes on all the time', async () => {
    const path = await standIn(scratch(), (connection) => {
      const timer = setInterval(() => connection.write(Uint8Array.of(0)), 10)
      connection.once('close', () => clearInterval(timer))
    })
    expect(await exchange(path, 'sections', 200)).toMatchObject({ status: 'refused', reason: 'late' })
  })

  test('that never comes', async () => {
    const path = await standIn(scratch(), () => undefined)
    expect(await exchange(path, 'sections', 100)).toMatchObject({ status: 'refused', reason: 'late' })
  })

  test('that is too large, before all of it is there', async () => {
    const chunk = new Uint8Array(1024 * 1024)
    let sent = 0
    const path = await standIn(scratch(), (connection) => {
      const more = (): void => {
        while (!connection.destroyed && connection.write(chunk)) sent += chunk.length
      }
      connection.on('drain', more)
      more()
    })
    expect(await exchange(path, 'sections')).toMatchObject({ status: 'refused', reason: 'too-large' })
    expect(sent).toBeLessThan(3 * MAX_ANSWER_BYTES.sections)
  })

  test('that is nothing', async () => {
    const path = await standIn(scratch(), saying(new Uint8Array()))
    expect(await exchange(path, 'sections')).toMatchObject({ status: 'refused', reason: 'no-answer' })
  })

  test('that a reset cuts off', async () => {
    const path = await standIn(scratch(), (connection) => connection.destroy())
    expect(await exchange(path, 'sections')).toMatchObject({ status: 'refused', reason: 'no-answer' })
  })
})

describe('a socket is not trusted', () => {
  const distrusted = { status: 'refused', reason: 'untrusted-socket' } as const

  test('that all may write to', async () => {
    const path = await standIn(scratch(), saying(Uint8Array.of(1)))
    chmodSync(path, 0o666)
    expect(await exchange(path, 'sections')).toMatchObject(distrusted)
    chmodSync(path, 0o660)
    expect(await exchange(path, 'sections')).toMatchObject({ status: 'answered' })
  })

  test.each([0o777, 0o1777, 0o770])('in a directory of mode %o, where others could put another one', async (mode) => {
    const directory = scratch()
    const path = await standIn(directory, saying(Uint8Array.of(1)))
    chmodSync(directory, mode)
    expect(await exchange(path, 'sections')).toMatchObject(distrusted)
  })

  test.skipIf(!isRoot)('that belongs to another user than root and the own', async () => {
    const path = await standIn(scratch(), saying(Uint8Array.of(1)))
    chownSync(path, 65_534, 0)
    expect(await exchange(path, 'sections')).toMatchObject(distrusted)
  })

  test.skipIf(!isRoot)('in a directory of another user', async () => {
    const directory = scratch()
    const path = await standIn(directory, saying(Uint8Array.of(1)))
    chownSync(directory, 65_534, 0)
    expect(await exchange(path, 'sections')).toMatchObject(distrusted)
  })

  test('that is no socket, but a file or a link to one', async () => {
    const path = await standIn(scratch(), saying(Uint8Array.of(1)))
    const other = scratch()
    symlinkSync(path, join(other, 'link'))
    writeFileSync(join(other, 'file'), '')
    mkdirSync(join(other, 'directory'))
    for (const name of ['link', 'file', 'directory']) {
      expect(await exchange(join(other, name), 'sections')).toMatchObject(distrusted)
    }
  })
})

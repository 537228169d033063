import { Writable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { gather } from '../../../collector/ingest/gather.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Tells in which pieces its content goes out. */
function recorder() {
  const pieces: string[] = []
  const stream = new Writable({
    write: (chunk, _, done) => {
      pieces.push(String(chunk))
      done()
    },
    writev: (chunks, done) => {
      pieces.push(chunks.map(({ chunk }) => String(chunk)).join('+'))
      done()
    },
  })
  return { stream, pieces }
}

test('what is written within the window goes out in one piece at its end', () => {
  const { stream, pieces } = recorder()
  gather(stream, 20)
  stream.write('welcome')
  vi.advanceTimersByTime(19)
  stream.write('epoch')
  expect(pieces).toEqual([])
  vi.advanceTimersByTime(1)
  expect(pieces).toEqual(['welcome+epoch'])
  stream.write('later')
  expect(pieces).toEqual(['welcome+epoch', 'later'])
})

test('a window that is asked for again and again ends all the same', () => {
  const { stream, pieces } = recorder()
  for (let at = 0; at < 200; at += 10) {
    gather(stream, 100)
    stream.write(String(at))
    vi.advanceTimersByTime(10)
  }
  expect(pieces.map((piece) => piece.split('+').length)).toEqual([10, 10])
})

test('a stream that ends within the window loses nothing', () => {
  const { stream, pieces } = recorder()
  gather(stream, 100)
  stream.write('acknowledged')
  stream.end('receipt')
  expect(pieces).toEqual(['acknowledged+receipt'])
  vi.advanceTimersByTime(100)
})

import { createReadStream, createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import { KeepsealError } from '../../shared/errors.ts'
import type { UpstreamMessage } from './gateway.ts'

/**
 * Messages in a file, so that a bench need not make them while it measures: a line that says what it is, then each
 * message as two lengths (topic, bytes; 32 bits, big-endian) and what they count.
 */
const MAGIC = Buffer.from('keepseal-recording-1\n')
const MAX_TOPIC = 256
const MAX_BYTES = 65_536

function framed({ topic, bytes }: UpstreamMessage): Buffer {
  const name = Buffer.from(topic)
  const lengths = Buffer.alloc(8)
  lengths.writeUInt32BE(name.length)
  lengths.writeUInt32BE(bytes.length, 4)
  return Buffer.concat([lengths, name, bytes])
}

/** Writes messages as they come. Gives their number. */
export async function record(
  path: string,
  messages: AsyncIterable<UpstreamMessage> | Iterable<UpstreamMessage>,
): Promise<number> {
  const file = createWriteStream(path, { mode: 0o600 })
  let count = 0
  file.write(MAGIC)
  for await (const message of messages) {
    count++
    if (!file.write(framed(message))) await once(file, 'drain')
  }
  file.end()
  await finished(file)
  return count
}

/** Reads a recording, message by message. Throws KeepsealError `file.unreadable` for anything else, and for half of one. */
export async function* replay(path: string): AsyncGenerator<UpstreamMessage> {
  const refuse = (reason: string, cause?: unknown): never => {
    throw new KeepsealError('file.unreadable', `${path}: ${reason}`, { cause })
  }
  let rest: Buffer = Buffer.alloc(0)
  let isStarted = false
  const source = createReadStream(path, { highWaterMark: 1024 * 1024 })
  for await (const chunk of source as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    if (!isStarted) {
      if (rest.length < MAGIC.length) continue
      if (!rest.subarray(0, MAGIC.length).equals(MAGIC)) refuse('not a recording')
      rest = rest.subarray(MAGIC.length)
      isStarted = true
    }
    while (rest.length >= 8) {
      const [topic, bytes] = [rest.readUInt32BE(0), rest.readUInt32BE(4)]
      if (topic > MAX_TOPIC || bytes > MAX_BYTES) refuse('a message that is too long')
      const end = 8 + topic + bytes
      if (rest.length < end) break
      yield { topic: rest.toString('utf8', 8, 8 + topic), bytes: new Uint8Array(rest.subarray(8 + topic, end)) }
      rest = rest.subarray(end)
    }
  }
  if (!isStarted || rest.length > 0) refuse('it ends in the middle of a message')
}

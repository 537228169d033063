import type { Writable } from 'node:stream'

const gathering = new WeakSet<object>()

/**
 * What is written to `stream` within the next `milliseconds` goes out in one piece: over TLS one record, and one packet
 * where it fits. A window that is open is not made longer, so nothing waits for more than one.
 */
export function gather(stream: Pick<Writable, 'cork' | 'uncork'>, milliseconds: number): void {
  if (gathering.has(stream)) return
  gathering.add(stream)
  stream.cork()
  setTimeout(() => {
    gathering.delete(stream)
    stream.uncork()
  }, milliseconds)
}

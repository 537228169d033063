import { Outbox } from '../../../agent/outbox/outbox.ts'
import { reportOf } from './outbox-report.ts'

/** A process that puts reports as fast as it can, and says each time which one it was promised. */
const [, , directory = '', first = '0'] = process.argv
const outbox = await Outbox.open({
  directory,
  maxBytes: 1 << 24,
  maxAgeSeconds: 1e9,
  now: () => 0,
  report: (problem) => console.error(problem),
})
for (let sequence = Number(first); ; sequence++) {
  await outbox.put(reportOf(sequence), { session: new Uint8Array(16), sequence, createdAt: 0 })
  process.stdout.write(`${sequence}\n`)
}

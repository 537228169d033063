import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { giveBackMemory } from '../../../agent/service/give-back.ts'

/** A program of its own: what it holds of its file before and after it has given that back, in KiB, and that it goes on. */

const held = (): number => Number(/^RssFile:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
const work = (): string =>
  createHash('sha256')
    .update(JSON.stringify([...'a list that is sorted'].sort()))
    .digest('hex')

const first = work()
const before = held()
await giveBackMemory()
const after = held()
process.stdout.write(JSON.stringify({ before, after, goesOn: work() === first }))

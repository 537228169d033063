import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'
import { Outbox } from '../../../agent/outbox/outbox.ts'
import { bundle } from '../../support/bundle.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { reportOf } from './outbox-report.ts'

const scratch = useScratchDirectories('outbox-kill')

/** Lets a process with the shipped flags put reports until it is killed, and returns the last one that it promised. */
async function writeUntilKilled(program: string, directory: string, first: number, lines: number): Promise<number> {
  const child = spawn(process.execPath, ['--jitless', program, directory, `${first}`], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  let promised = first - 1
  for await (const line of createInterface({ input: child.stdout })) {
    promised = Number(line)
    if (promised >= first + lines) child.kill('SIGKILL')
  }
  await gone
  return promised
}

test('what the outbox promised is there after kill -9, whole and in order, and nothing else is', async () => {
  const directory = join(scratch(), 'outbox')
  const program = await bundle(new URL('outbox-writer.ts', import.meta.url), scratch())
  let next = 0
  for (const lines of [0, 7, 40]) {
    const promised = await writeUntilKilled(program, directory, next, lines)
    const outbox = await Outbox.open({
      directory,
      maxBytes: 1 << 24,
      maxAgeSeconds: 1e9,
      now: () => 0,
      report: (problem) => expect.unreachable(problem.message),
    })
    const sequences = outbox.entries.map(({ sequence }) => sequence)
    expect(sequences).toEqual(sequences.map((_, at) => at))
    // One more may have been written without the time to say so.
    expect(sequences.length - 1 - promised).toBeOneOf([0, 1])
    for (const entry of outbox.entries) expect(await outbox.read(entry)).toEqual(reportOf(entry.sequence))
    expect(outbox.droppedCount).toBe(0)
    next = sequences.length
  }
})

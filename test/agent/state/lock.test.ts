import { spawn } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lockState } from '../../../agent/state/lock.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('lock')

test('a state directory is for one agent, by whatever path', async () => {
  const directory = scratch()
  const link = join(scratch(), 'link')
  symlinkSync(directory, link)
  const lock = await lockState(directory)
  expect(await errorCodeOf(() => lockState(link))).toBe('agent.running')
  await (await lockState(scratch())).release()
  await lock.release()
  await (await lockState(link)).release()
})

test('a lock ends with its process, however that dies', async () => {
  const directory = scratch()
  const name = createHash('sha256').update(directory).digest('hex')
  const script = `require('node:net').createServer().listen('\\0keepseal-agent-${name}', () => console.log('held'))`
  const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => holder.stdout.once('data', resolve))
  expect(await errorCodeOf(() => lockState(directory))).toBe('agent.running')
  const gone = new Promise((resolve) => holder.once('exit', resolve))
  holder.kill('SIGKILL')
  await gone
  await (await lockState(directory)).release()
})

import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { repository } from '../../architecture/sources.ts'
import { AGENT_FLAGS } from '../../bench/agent-flags.ts'
import { bundle } from '../../support/bundle.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('give-back')

test('a program gives back a third of what it holds of its file, and goes on', async () => {
  const directory = scratch()
  // The bundle asks for koffi by name.
  symlinkSync(join(repository, 'node_modules'), join(directory, 'node_modules'))
  const program = await bundle(new URL('give-back-program.ts', import.meta.url), directory)
  const text = execFileSync(process.execPath, [...AGENT_FLAGS, program], { encoding: 'utf8' })
  const { before, after, goesOn } = JSON.parse(text) as { before: number; after: number; goesOn: boolean }
  expect(goesOn).toBe(true)
  expect(after).toBeLessThan((before * 2) / 3)
})

import { createHash } from 'node:crypto'
import { rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { watchProgram } from '../../../agent/self/program.ts'
import { createHost } from '../../../agent/sensors/host.ts'
import { withoutPermission } from '../../support/host-tree.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('program')
const digest = (content: string) => ({ value: createHash('sha256').update(content).digest('hex') })

function installed({ binding = true, host = createHost() } = {}) {
  const directory = scratch()
  const program = join(directory, 'keepseal-agent.js')
  const native = join(directory, 'koffi-linux-x64.node')
  writeFileSync(program, 'program')
  if (binding) writeFileSync(native, 'binding')
  const files = { entry: program, loaded: program, platform: 'linux-x64' }
  return { directory, program, native, files, facts: watchProgram(host, files) }
}

describe('the program of the agent', () => {
  test('is told by the digests of the one file that runs and of the binding beside it', () => {
    expect(installed().facts()).toEqual({
      form: 'one-file',
      program: digest('program'),
      binding: digest('binding'),
      replaced: { value: false },
    })
  })

  test('is the same one when it was started through a link', () => {
    const { directory, files } = installed()
    const link = join(directory, 'keepseal-agent')
    symlinkSync(files.entry, link)
    const facts = watchProgram(createHost(), { ...files, entry: link })()
    expect(facts).toMatchObject({ form: 'one-file', binding: digest('binding') })
  })

  test.each(['program', 'native'] as const)(
    'keeps the digest that it was started with when its %s is replaced',
    (which) => {
      const agent = installed()
      writeFileSync(agent[which], 'something else')
      expect(agent.facts()).toEqual({
        form: 'one-file',
        program: digest('program'),
        binding: digest('binding'),
        replaced: { value: true },
      })
    },
  )

  test('counts as replaced when a file of it is gone, or has come', () => {
    const one = installed()
    rmSync(one.native)
    expect(one.facts().replaced).toEqual({ value: true })
    const other = installed({ binding: false })
    expect(other.facts()).toMatchObject({ binding: { missing: 'absent' }, replaced: { value: false } })
    writeFileSync(other.native, 'binding')
    expect(other.facts().replaced).toEqual({ value: true })
  })

  test('that may not be read is not known to be the same', () => {
    const host = withoutPermission(createHost(), '/')
    const facts = installed({ host }).facts()
    expect(facts).toEqual({
      form: 'one-file',
      program: { missing: 'no-permission' },
      binding: { missing: 'no-permission' },
      replaced: { missing: 'unreadable' },
    })
  })

  test.each([
    ['that consists of many files', { loaded: '/proc/self/exe' }],
    ['that nobody named', { entry: undefined }],
    ['that is gone', { entry: '/nowhere/keepseal-agent.js', loaded: '/nowhere/keepseal-agent.js' }],
  ])('%s has no digest, because one of them would say nothing', (_, change) => {
    const { files } = installed()
    expect(watchProgram(createHost(), { ...files, ...change })()).toEqual({
      form: 'modules',
      program: { missing: 'absent' },
      binding: { missing: 'absent' },
      replaced: { missing: 'absent' },
    })
  })
})

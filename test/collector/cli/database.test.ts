import { statSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { expect, it } from 'vitest'
import { backupCommand, migrateCommand, restoreCommand } from '../../../collector/cli/server/database.ts'
import { openStore } from '../../../collector/store/index.ts'
import { migrations } from '../../../collector/store/migrations/index.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { storedDevice } from '../store/samples.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { recordTerminal } from '../../support/terminal.ts'

const scratch = useScratchDirectories('cli-database')

async function run(directory: string, ...argv: string[]) {
  const terminal = recordTerminal({ env: {} })
  const commands = [migrateCommand, backupCommand, restoreCommand]
  const program = { name: 'keepseal-collector', summary: 'A sample.', version: '0', commands }
  const set = ['--set', `data.directory=${directory}`]
  const code = await runProgram(program, [...argv, '--json', ...set], terminal, parseArgs)
  const output = code === 0 ? terminal.stdout() : terminal.stderr()
  return { code, json: JSON.parse(output) as Record<string, unknown> }
}

it('migrate says what it would do, does it, and then has nothing to do', async () => {
  const directory = scratch()
  const steps = migrations.map(({ name }) => name)
  expect(await run(directory, 'migrate', '--dry-run')).toEqual({ code: 0, json: { steps, applied: false } })
  expect(await run(directory, 'migrate')).toEqual({ code: 0, json: { steps, applied: true } })
  expect(await run(directory, 'migrate', '--dry-run')).toEqual({ code: 0, json: { steps: [], applied: false } })
})

it('backup and restore go from one collector to another, and say when they do not', async () => {
  const [one, two] = [scratch(), scratch()]
  const file = join(scratch(), 'backup')
  const { store, close } = await openStore({ path: join(one, 'collector.db') })
  const device = await storedDevice(store)
  await close()
  expect(await run(one, 'backup', file)).toEqual({ code: 0, json: { file, bytes: statSync(file).size } })
  expect(await run(one, 'restore', file)).toMatchObject({ code: 1, json: { error: { code: 'state.not-empty' } } })
  expect(await run(two, 'restore', file)).toMatchObject({ code: 0, json: { newestReceiptAt: null } })
  const restored = await openStore({ path: join(two, 'collector.db') })
  expect(await restored.store.devices.byUeid(device.ueid)).toEqual(device)
  await restored.close()
  expect(await run(scratch(), 'backup', join(scratch(), 'none'))).toMatchObject({
    json: { error: { code: 'state.unreadable' } },
  })
})

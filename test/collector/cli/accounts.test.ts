import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { expect, it } from 'vitest'
import { accountCommands } from '../../../collector/cli/server/account.ts'
import { apiTokenCreateCommand } from '../../../collector/cli/server/api-token.ts'
import { openStore, type Store } from '../../../collector/store/index.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { tokenHash } from '../../../shared/evidence/binding.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { recordTerminal } from '../../support/terminal.ts'
import { product } from '../store/samples.ts'

const scratch = useScratchDirectories('cli-accounts')

async function run(directory: string, ...argv: string[]) {
  const terminal = recordTerminal({ env: {} })
  const commands = [apiTokenCreateCommand, ...accountCommands]
  const program = { name: 'keepseal-collector', summary: 'A sample.', version: '0', commands }
  const set = ['--set', `data.directory=${directory}`]
  const code = await runProgram(program, [...argv, '--json', ...set], terminal, parseArgs)
  const output = code === 0 ? terminal.stdout() : terminal.stderr()
  return { code, json: JSON.parse(output) as Record<string, unknown> }
}

async function inStore<T>(directory: string, action: (store: Store) => Promise<T>): Promise<T> {
  const { store, close } = await openStore({ path: join(directory, 'collector.db') })
  try {
    return await action(store)
  } finally {
    await close()
  }
}

it('api-token create binds to a vendor, or to products of it that are there', async () => {
  const directory = scratch()
  const gate = product({ vendor: 'Acme' })
  await inStore(directory, (store) => store.products.create(gate))
  const create = (...argv: string[]) =>
    run(directory, 'api-token', 'create', '--role', 'vendor', '--name', 'Ada', ...argv)
  const scopeOf = async (made: Awaited<ReturnType<typeof run>>) =>
    inStore(
      directory,
      async (store) => (await store.apiTokens.byHash(tokenHash(String(made.json['token']), hash)))?.scope,
    )
  expect(await scopeOf(await create())).toBeNull()
  expect(await scopeOf(await create('--vendor', 'Acme'))).toEqual({ vendor: 'Acme', products: null })
  const bound = await create('--vendor', 'Acme', '--product', gate.id)
  expect(await scopeOf(bound)).toEqual({ vendor: 'Acme', products: [gate.id] })
  // A script whose variable is empty must not get a token for all vendors.
  expect(await create('--vendor', '')).toMatchObject({ code: 2, json: { error: { code: 'usage.invalid' } } })
  expect(await create('--product', gate.id)).toMatchObject({ code: 2, json: { error: { code: 'usage.invalid' } } })
  const foreign = await create('--vendor', 'Rival', '--product', gate.id)
  expect(foreign).toMatchObject({ json: { error: { code: 'request.not-found' } } })
})

it('account create, list, disable, enable and reset do what they say', async () => {
  const directory = scratch()
  const options = ['--name', 'Ada L.', '--role', 'certifier']
  const made = await run(directory, 'account', 'create', 'Ada', ...options)
  expect(made).toMatchObject({ code: 0, json: { invitation: expect.stringMatching(/^ksi_/) } })
  const again = await run(directory, 'account', 'create', 'ada', ...options)
  expect(again).toMatchObject({ json: { error: { code: 'request.conflict' } } })
  const misspelt = await run(directory, 'account', 'create', 'a b', ...options)
  expect(misspelt).toMatchObject({ code: 2, json: { error: { code: 'usage.invalid' } } })
  const state = async () => (await run(directory, 'account', 'list')).json
  expect(await state()).toMatchObject([{ login: 'ada', role: 'certifier', scope: null, state: 'invited' }])
  expect(await run(directory, 'account', 'disable', 'ADA')).toMatchObject({ code: 0, json: { disabled: true } })
  expect(await state()).toMatchObject([{ state: 'disabled' }])
  expect(await run(directory, 'account', 'enable', 'ada')).toMatchObject({ code: 0, json: { disabled: false } })
  const reset = await run(directory, 'account', 'reset', 'ada')
  expect(reset.json['invitation']).not.toBe(made.json['invitation'])
  const nobody = await run(directory, 'account', 'reset', 'eve')
  expect(nobody).toMatchObject({ json: { error: { code: 'request.not-found' } } })
})

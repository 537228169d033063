import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { configOptions } from '../../../shared/cli/config-report.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { choice, text } from '../../../shared/config/value-types.ts'
import { random } from '../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { createAccount, LOGIN, resetAccount, setDisabled } from '../../access/accounts.ts'
import { loadCollectorConfig } from '../../config/load.ts'
import { storeLocation } from '../../config/store-location.ts'
import type { Account } from '../../model/account.ts'
import { openStore, type Store } from '../../store/index.ts'
import { scopeOf, scopeOptions } from './scope-option.ts'

type ConfigFlags = Parameters<typeof loadCollectorConfig>[0]

async function withStore<T>(options: ConfigFlags, action: (store: Store) => Promise<T>): Promise<T> {
  const { values: config } = loadCollectorConfig(options, process.env)
  const { store, close } = await openStore(await storeLocation(config))
  try {
    return await action(store)
  } finally {
    await close()
  }
}

async function accountOf(store: Store, login: string): Promise<Account> {
  const account = await store.accounts.byLogin(login.toLowerCase())
  if (account !== undefined) return account
  throw new KeepsealError('request.not-found', `account ${login}`, { remedy: 'keepseal-collector account list' })
}

const by = 'collector'
const login = { description: 'Who it is' }
const asUser = 'Run this as the user that the collector runs as.'

const create = defineCommand({
  name: 'account create',
  summary: 'Let a person in: prints an invitation, shown once',
  description: [
    'With it the person sets a password and an app for one-time codes, within three days. ' + asUser,
    'Without --vendor the account is for all vendors.',
  ],
  examples: ["keepseal-collector account create ada --name 'Ada L.' --role vendor --vendor 'Acme Corp'"],
  arguments: { login: { description: 'Name to log in with: letters, digits, or any of . _ @ + -' } },
  options: {
    ...configOptions,
    name: { description: 'Name of the person', value: text(64), required: true },
    role: {
      description: 'What the person may do',
      value: choice(['vendor', 'operator', 'certifier', 'auditor']),
      required: true,
    },
    ...scopeOptions,
  },
  json: true,
  run: async ({ options, arguments: { login: typed }, present }) => {
    const name = typed.toLowerCase()
    if (!LOGIN.test(name))
      throw new KeepsealError('usage.invalid', 'LOGIN: 3 to 64 letters, digits, or any of . _ @ + -')
    const made = await withStore(options, async (store) => {
      const scope = await scopeOf(store, options.vendor, options.product)
      const account = { login: name, name: options.name, role: options.role, scope }
      return createAccount(store, account, { now: Date.now(), random, by })
    })
    present({ ...made, expiresAt: new Date(made.expiresAt).toISOString() }, () => made.invitation)
    return exitCodes.good
  },
})

const reset = defineCommand({
  name: 'account reset',
  summary: 'Take password and codes of a person away, and invite again',
  description: ['Ends all sessions of the person, and prints a new invitation, shown once. ' + asUser],
  arguments: { login },
  options: configOptions,
  json: true,
  run: async ({ options, arguments: { login: name }, present }) => {
    const made = await withStore(options, async (store) =>
      resetAccount(store, (await accountOf(store, name)).id, { now: Date.now(), random, by }),
    )
    present({ ...made, expiresAt: new Date(made.expiresAt).toISOString() }, () => made.invitation)
    return exitCodes.good
  },
})

const switched = (verb: 'disable' | 'enable', summary: string): Command =>
  defineCommand({
    name: `account ${verb}`,
    summary,
    description: [asUser],
    arguments: { login },
    options: configOptions,
    json: true,
    run: async ({ options, arguments: { login: name }, present }) => {
      const account = await withStore(options, async (store) => {
        const found = await accountOf(store, name)
        await setDisabled(store, found.id, verb === 'disable', { now: Date.now(), by })
        return found
      })
      present(
        { id: account.id, login: account.login, disabled: verb === 'disable' },
        () => `${account.login}: ${verb}d`,
      )
      return exitCodes.good
    },
  })

const list = defineCommand({
  name: 'account list',
  summary: 'Who can log in',
  description: [asUser],
  options: configOptions,
  json: true,
  run: async ({ options, present }) => {
    const accounts = await withStore(options, async (store) => {
      const items: Account[] = []
      let cursor: string | null = null
      do {
        const page: Awaited<ReturnType<Store['accounts']['list']>> = await store.accounts.list({ limit: 500, cursor })
        items.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== null)
      return items
    })
    const rows = accounts.map(({ id, login: name, role, scope, invitationHash, disabledAt }) => ({
      id,
      login: name,
      role,
      scope,
      state: disabledAt !== null ? 'disabled' : invitationHash === null ? 'active' : 'invited',
    }))
    present(rows, () =>
      rows
        .map(({ login: name, role, scope, state }) =>
          `${name.padEnd(20)} ${role.padEnd(9)} ${state.padEnd(8)} ${printable(scope?.vendor ?? '')}`.trimEnd(),
        )
        .join('\n'),
    )
    return exitCodes.good
  },
})

export const accountCommands: readonly Command[] = [
  create,
  list,
  reset,
  switched('disable', 'Let a person in no more, and end all sessions'),
  switched('enable', 'Let a person in again'),
]

import * as v from 'valibot'
import {
  assertMayManage,
  createAccount,
  existingAccount,
  LOGIN,
  resetAccount,
  setDisabled,
} from '../../access/accounts.ts'
import type { Account } from '../../model/account.ts'
import type { Actor } from '../../model/product.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { id, Name, pageOf, pageQuery, Time, toTime, toTimeOrNull } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import { existingProduct } from './products.ts'
import { MANAGERS } from './roles.ts'

const Role = v.picklist(['vendor', 'operator', 'certifier', 'auditor'])
const Login = v.pipe(v.string(), v.toLowerCase(), v.regex(LOGIN, '3 to 64 letters, digits, or any of . _ @ + -'))
const ProductIds = v.pipe(v.array(id('prd')), v.minLength(1), v.maxLength(64))

const AccountJson = v.strictObject({
  id: id('acc'),
  login: v.string(),
  name: v.string(),
  role: Role,
  /** Vendor that the account is bound to, and products where it is to some; null: all. */
  vendor: v.nullable(v.string()),
  products: v.nullable(v.array(v.string())),
  state: v.picklist(['invited', 'invitation-expired', 'active', 'disabled']),
  createdAt: Time,
  disabledAt: v.nullable(Time),
})

function accountJson(account: Account, now: number): v.InferOutput<typeof AccountJson> {
  const { id: accountId, login, name, role, scope, invitationExpiresAt, disabledAt, createdAt } = account
  const waits = invitationExpiresAt === null ? 'active' : invitationExpiresAt > now ? 'invited' : 'invitation-expired'
  return {
    id: accountId,
    login,
    name,
    role,
    vendor: scope?.vendor ?? null,
    products: scope === null || scope.products === null ? null : [...scope.products],
    state: disabledAt === null ? waits : 'disabled',
    createdAt: toTime(createdAt),
    disabledAt: toTimeOrNull(disabledAt),
  }
}

/** `invitation` is shown here and never again. */
const Invited = v.strictObject({ id: id('acc'), invitation: v.string(), expiresAt: Time })

const create = defineEndpoint({
  method: 'POST',
  path: '/accounts',
  operationId: 'createAccount',
  summary: 'Let somebody in: gives an invitation, with which that person sets password and one-time codes',
  roles: MANAGERS,
  scope: 'own',
  body: v.strictObject({
    login: Login,
    name: Name,
    role: Role,
    vendor: v.optional(Name),
    products: v.optional(ProductIds),
  }),
  status: 201,
  response: Invited,
  run: async ({ store, clock, random }, { body, actor }) => {
    const { login, name, role, vendor, products = null } = body
    const scope = vendor === undefined ? null : { vendor, products }
    assertMayManage(actor, { role, scope })
    const own = scope === null ? store : store.within({ vendor: scope.vendor, products: null })
    for (const productId of products ?? []) await existingProduct(own, productId)
    const made = await createAccount(store, { login, name, role, scope }, { now: clock(), random, by: actor.id })
    return { ...made, expiresAt: toTime(made.expiresAt) }
  },
})

const list = defineEndpoint({
  method: 'GET',
  path: '/accounts',
  operationId: 'listAccounts',
  summary: 'Who can log in, newest first',
  roles: MANAGERS,
  scope: 'own',
  query: v.strictObject(pageQuery),
  response: pageOf(AccountJson),
  run: async ({ store, clock }, { query }) => {
    const page = await store.accounts.list(query)
    return { ...page, items: page.items.map((account) => accountJson(account, clock())) }
  },
})

const about = { roles: MANAGERS, scope: 'own', params: v.strictObject({ id: id('acc') }) } as const

/** Error: request.not-found, auth.forbidden. */
async function managed({ store }: ApiServices, accountId: string, actor: Actor): Promise<Account> {
  const account = await existingAccount(store, accountId)
  assertMayManage(actor, account)
  return account
}

const switched = (verb: 'disable' | 'enable', summary: string): Endpoint =>
  defineEndpoint({
    ...about,
    method: 'POST',
    path: `/accounts/:id/${verb}`,
    operationId: `${verb}Account`,
    summary,
    response: AccountJson,
    run: async (services, { params, actor }) => {
      const { store, clock } = services
      const account = await managed(services, params.id, actor)
      await setDisabled(store, account.id, verb === 'disable', { now: clock(), by: actor.id })
      return accountJson(await existingAccount(store, account.id), clock())
    },
  })

const reset = defineEndpoint({
  ...about,
  method: 'POST',
  path: '/accounts/:id/reset',
  operationId: 'resetAccount',
  summary: 'Take password, codes, passkeys and sessions of an account away, and invite its person again',
  response: Invited,
  run: async (services, { params, actor }) => {
    const { store, clock, random } = services
    const account = await managed(services, params.id, actor)
    const made = await resetAccount(store, account.id, { now: clock(), random, by: actor.id })
    return { ...made, expiresAt: toTime(made.expiresAt) }
  },
})

export const accountEndpoints: readonly Endpoint[] = [
  create,
  list,
  switched('disable', 'Let somebody in no more, and end his sessions at once'),
  switched('enable', 'Let somebody in again'),
  reset,
]

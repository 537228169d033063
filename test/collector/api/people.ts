import { randomBytes } from 'node:crypto'
import { expect } from 'vitest'
import { createAccount, type NewAccount } from '../../../collector/access/accounts.ts'
import { hotp, totpStep } from '../../../collector/access/totp.ts'
import { hmac } from '../../../shared/crypto/node.ts'
import type { TestApi } from './support.ts'

export const PASSWORD = 'correct horse battery'
export const ADA: NewAccount = { login: 'ada', name: 'Ada L.', role: 'operator', scope: null }

/** People with their browsers and apps, for tests of an API. */
export function usePeople(api: () => TestApi) {
  let address = 0

  async function send(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object, headers: object = {}) {
    // Each from an address of its own: how many come from one is another test's.
    const remoteAddress = `192.0.2.${(address = (address + 1) % 250)}`
    const request = { method, url: `/api/v1${path}`, headers: { ...headers }, remoteAddress }
    const response = await api().app.inject(body === undefined ? request : { ...request, payload: body })
    const isJson = String(response.headers['content-type']).includes('json')
    const answer = isJson ? (response.json() as Record<string, unknown>) : {}
    return { status: response.statusCode, body: answer, cookie: String(response.headers['set-cookie'] ?? '') }
  }

  const circumstances = () => ({ now: api().clock.now, random: randomBytes, by: 'collector' })

  /** An account that was set up, and the code that its app shows now. */
  async function account(over: Partial<NewAccount> = {}) {
    const made = await createAccount(api().store, { ...ADA, ...over }, circumstances())
    return { id: made.id, ...(await takeUp(made.invitation, made.id)) }
  }

  const codeOf = async (accountId: string, offset = 0) => {
    const salt = (await api().store.accounts.byId(accountId))?.totpSalt ?? new Uint8Array(16)
    const secret = Uint8Array.from(hmac('sha1', salt, new TextEncoder().encode(accountId)))
    return hotp(hmac, secret, totpStep(api().clock.now) + offset)
  }

  async function takeUp(invitation: string, accountId: string, password = PASSWORD) {
    const opened = await send('POST', '/invitations/open', { invitation })
    expect(opened.body).toMatchObject({ totpSecret: expect.stringMatching(/^[A-Z2-7]{32}$/) })
    const code = await codeOf(accountId)
    const taken = await send('POST', '/invitations/take-up', { invitation, password, code })
    api().clock.now += 30_000
    return { status: taken.status, problem: taken.body, recoveryCodes: taken.body['recoveryCodes'] as string[] }
  }

  const logIn = async (accountId: string, over: object = {}) =>
    send('POST', '/session', { login: 'ada', password: PASSWORD, code: await codeOf(accountId), ...over })

  /** What a browser sends after a login, and what a page adds. */
  async function loggedIn(over: Partial<NewAccount> = {}, credentials: object = {}) {
    const { id } = await account(over)
    const { body, cookie } = await logIn(id, credentials)
    const held = { cookie: cookie.split(';')[0] ?? '' }
    return { id, held, headers: { ...held, 'x-csrf-token': String(body['csrfToken']) } }
  }

  return { send, circumstances, account, codeOf, takeUp, logIn, loggedIn }
}

import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import * as v from 'valibot'
import { openInvitation, takeUpInvitation } from '../access/invitation.ts'
import { logIn, type LoginServices } from '../access/login.ts'
import { PASSWORD_COST } from '../access/password.ts'
import { cookieOf, endedCookie } from '../access/sessions.ts'
import { KeepsealError } from '../../shared/errors.ts'
import type { Account } from '../model/account.ts'
import { sessionOfRequest } from './authentication.ts'
import { checked } from './endpoint.ts'
import { toTime } from './schemas.ts'
import type { ApiServices } from './services.ts'

/** Per client address: whoever asks has proven nothing yet. */
const ATTEMPTS_PER_MINUTE = 20

const secret = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
const Credentials = v.strictObject({ login: secret, password: secret, code: secret })
const Invitation = v.pipe(v.string(), v.regex(/^ksi_[\w-]{43}$/, 'an invitation ksi_…'))
const TakeUp = v.strictObject({ invitation: Invitation, password: secret, code: secret })

const accountJson = ({ id, login, name, role, scope }: Account) => ({
  id,
  login,
  name,
  role,
  vendor: scope?.vendor ?? null,
  products: scope?.products ?? null,
})

export const loginServicesOf = ({ store, clock, random, keys, passwordCost }: ApiServices): LoginServices => ({
  store,
  clock,
  random,
  totpSecretOf: (account, salt) => keys.totpSecretOf(account, salt),
  passwordCost: passwordCost ?? PASSWORD_COST,
})

/** /session and /invitations, where people come who have no session yet: the only routes without a role. */
export function sessionRoutes(server: FastifyInstance, services: ApiServices): void {
  const login = loginServicesOf(services)
  const options: RouteShorthandOptions = {
    schema: { hide: true },
    config: { rateLimit: { max: ATTEMPTS_PER_MINUTE, timeWindow: 60_000 } },
    validatorCompiler: () => () => true,
  }

  server.post('/session', options, async (request, reply) => {
    const site = request.headers['sec-fetch-site'] ?? 'same-origin'
    if (site !== 'same-origin' && site !== 'none') throw new KeepsealError('auth.csrf-missing')
    const opened = await logIn(login, checked(Credentials, request.body, 'body'))
    void reply.header('set-cookie', cookieOf(opened.text)).code(201)
    const { account, csrfToken, expiresAt } = opened
    return { account: accountJson(account), csrfToken, expiresAt: toTime(expiresAt) }
  })

  server.get('/session', { schema: { hide: true } }, async (request) => {
    const opened = await sessionOfRequest(services, request)
    if (opened === undefined) throw new KeepsealError('auth.missing')
    const { account, csrfToken, session } = opened
    return { account: accountJson(account), csrfToken, expiresAt: toTime(session.expiresAt) }
  })

  server.delete('/session', { schema: { hide: true } }, async (request, reply) => {
    const opened = await sessionOfRequest(services, request)
    if (opened === undefined) throw new KeepsealError('auth.missing')
    const { session, account } = opened
    await services.store.transaction(async (transaction) => {
      await transaction.loginSessions.end(session.tokenHash)
      const entry = { at: services.clock(), actor: account.id, action: 'session.end', subject: account.id, detail: {} }
      await transaction.auditLog.append(entry)
    })
    return reply.header('set-cookie', endedCookie).code(204).send()
  })

  server.post('/invitations/open', options, (request) =>
    openInvitation(login, checked(v.strictObject({ invitation: Invitation }), request.body, 'body').invitation),
  )

  server.post('/invitations/take-up', options, async (request) => ({
    recoveryCodes: await takeUpInvitation(login, checked(TakeUp, request.body, 'body')),
  }))
}

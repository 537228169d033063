import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import * as v from 'valibot'
import { openInvitation, takeUpInvitation } from '../access/invitation.ts'
import { logIn } from '../access/login.ts'
import { endedCookie } from '../access/sessions.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { sessionOfRequest } from './authentication.ts'
import { checked } from './endpoint.ts'
import { oidcRoutes } from './oidc-routes.ts'
import { passkeyRoutes } from './passkey-routes.ts'
import { accountJson, assertFromHere, loginServicesOf, sendOpened } from './opened-session.ts'
import { toTime } from './schemas.ts'
import type { ApiServices } from './services.ts'

/** Per client address: whoever asks has proven nothing yet. */
const ATTEMPTS_PER_MINUTE = 20

const secret = v.pipe(v.string(), v.minLength(1), v.maxLength(256))
const Credentials = v.strictObject({ login: secret, password: secret, code: secret })
const Invitation = v.pipe(v.string(), v.regex(/^ksi_[\w-]{43}$/, 'an invitation ksi_…'))
const TakeUp = v.strictObject({ invitation: Invitation, password: secret, code: secret })

/** /session and /invitations, where people come who have no session yet: the only routes without a role. */
export function sessionRoutes(server: FastifyInstance, services: ApiServices): void {
  const login = loginServicesOf(services)
  const options: RouteShorthandOptions = {
    schema: { hide: true },
    config: { rateLimit: { max: ATTEMPTS_PER_MINUTE, timeWindow: 60_000 } },
    validatorCompiler: () => () => true,
  }

  server.post('/session', options, async (request, reply) => {
    assertFromHere(request)
    return sendOpened(services, request, reply, await logIn(login, checked(Credentials, request.body, 'body')))
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

  // On every machine: for a browser that was left somewhere.
  server.delete('/sessions', { schema: { hide: true } }, async (request, reply) => {
    const opened = await sessionOfRequest(services, request)
    if (opened === undefined) throw new KeepsealError('auth.missing')
    const { id } = opened.account
    await services.store.transaction(async (transaction) => {
      await transaction.loginSessions.endAllOf(id)
      const entry = { at: services.clock(), actor: id, action: 'session.end-all', subject: id, detail: {} }
      await transaction.auditLog.append(entry)
    })
    return reply.header('set-cookie', endedCookie).code(204).send()
  })

  passkeyRoutes(server, services, login, options)
  oidcRoutes(server, services, options)

  server.post('/invitations/open', options, (request) =>
    openInvitation(login, checked(v.strictObject({ invitation: Invitation }), request.body, 'body').invitation),
  )

  server.post('/invitations/take-up', options, async (request) => ({
    recoveryCodes: await takeUpInvitation(login, checked(TakeUp, request.body, 'body')),
  }))
}

import type { FastifyInstance, RouteShorthandOptions } from 'fastify'
import * as v from 'valibot'
import { KeepsealError } from '../../shared/errors.ts'
import { cookieNamed } from '../access/sessions.ts'
import { beginOidcLogin, finishOidcLogin, OIDC_COOKIE, oidcCookie } from '../access/oidc/login.ts'
import { checked } from './endpoint.ts'
import { html, type Html } from './html.ts'
import { assertFromHere, sendOpened } from './opened-session.ts'
import { problemOf } from './problem.ts'
import type { ApiServices } from './services.ts'

/** A page of this collector: nobody is sent on to somewhere else. */
const ReturnTo = v.pipe(v.string(), v.maxLength(200), v.regex(/^\/(?!\/)[\w\-./]*$/, 'a path that begins with one /'))
const Begin = v.strictObject({ returnTo: v.optional(ReturnTo, '/') })

/** Logging in at a provider of OpenID Connect. `limited`: for those who have proven nothing. */
export function oidcRoutes(server: FastifyInstance, services: ApiServices, limited: RouteShorthandOptions): void {
  const { store, clock, random } = services
  const open = () => {
    if (services.oidc === undefined || services.oidc === null)
      throw new KeepsealError('request.not-found', 'no provider')
    return { store, clock, random, provider: services.oidc }
  }

  server.get('/session/methods', { schema: { hide: true } }, () => ({
    password: true,
    passkey: true,
    oidc: services.oidc === undefined || services.oidc === null ? null : services.oidc.settings.issuer,
  }))

  server.post('/session/oidc/begin', limited, async (request, reply) => {
    assertFromHere(request)
    const { returnTo } = checked(Begin, request.body ?? {}, 'body')
    const { url, cookie } = await beginOidcLogin(open(), returnTo)
    void reply.header('set-cookie', oidcCookie(cookie))
    return { url }
  })

  // Where the provider sends the browser to: the only way in that comes from another site, and a browser shows the answer.
  // Its address holds the code: that is in no log.
  server.get('/session/oidc/return', { ...limited, logLevel: 'warn' }, async (request, reply) => {
    void reply.header('set-cookie', oidcCookie('')).type('text/html; charset=utf-8')
    try {
      const query = new URLSearchParams(request.url.split('?')[1] ?? '')
      const held = cookieNamed(request.headers.cookie ?? '', OIDC_COOKIE)
      const { opened, returnTo } = await finishOidcLogin(open(), query, held)
      await sendOpened(services, request, reply, opened)
      return reply.code(200).send(onward(returnTo).toString())
    } catch (error) {
      const problem = problemOf(error)
      if (problem.status >= 500) request.log.error({ err: error }, problem.title)
      return reply.code(problem.status).send(refused(problem).toString())
    }
  })
}

const page = (title: string, content: Html, head = html``): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        ${head}
        <title>${title}</title>
      </head>
      <body>
        ${content}
      </body>
    </html>`

/** A redirect would be part of the provider's: the browser would keep the session's cookie back (SameSite=Strict). */
const onward = (path: string): Html =>
  page(
    'Keepseal: logged in',
    html`<p>You are logged in. <a href="${path}">Go on</a></p>`,
    html`<meta http-equiv="refresh" content="0;url=${path}" />`,
  )

const refused = ({ type, detail, remedy }: ReturnType<typeof problemOf>): Html =>
  page(
    'Keepseal: not logged in',
    html`<h1>Not logged in</h1>
      <p>${detail} (<code>${type}</code>)</p>
      <p>${remedy}</p>
      <p><a href="/">Back</a></p>`,
  )

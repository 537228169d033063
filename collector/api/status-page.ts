import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLoopbackHost } from '../../shared/config/url-types.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { REPORT_STYLE } from '../report/html/style.ts'
import type { ApiServices, StatusPageAccess } from './services.ts'
import { CERTIFICATE_STYLE } from './public/certificate-html.ts'
import { renderStatus, STYLE } from './status-html.ts'
import { readStatus } from './status-view.ts'

const styles = [STYLE, CERTIFICATE_STYLE, REPORT_STYLE].map((style) =>
  createHash('sha256').update(style).digest('base64'),
)

/** Nothing is loaded, run, framed or sent from any page here; the style sheets are known by their hashes. */
export const contentSecurityPolicy = {
  'default-src': ["'none'"],
  'style-src': styles.map((digest) => `'sha256-${digest}'`),
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
}

/** A Fastify plugin: GET /status, what is known of the fleet, for a person to look at. */
export async function statusPageRoutes(server: FastifyInstance, services: ApiServices): Promise<void> {
  server.get('/status', async (request, reply) => {
    if (!isAllowed(request, services.statusPage ?? 'loopback')) {
      const remedy = 'keepseal device list, or open the page on the machine of the collector.'
      throw new KeepsealError('auth.forbidden', 'the status page is for this machine alone', { remedy })
    }
    const status = await readStatus(services)
    void reply.header('cache-control', 'no-store').type('text/html; charset=utf-8')
    return renderStatus(status).toString()
  })
}

/** Set by proxies: whoever asks is then somewhere else, whatever address the connection has. */
const FORWARDING_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-real-ip']

function isAllowed(request: FastifyRequest, access: StatusPageAccess): boolean {
  if (access !== 'loopback') return access === 'everybody'
  const address = request.socket.remoteAddress?.replace(/^::ffff:/, '') ?? ''
  // The name too: a page elsewhere can have its own name resolved to this machine and would read the answer.
  const named = isLoopbackHost(request.hostname)
  const forwarded = FORWARDING_HEADERS.some((name) => request.headers[name] !== undefined)
  return isLoopbackHost(address) && named && !forwarded
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { KeepsealError } from '../../../shared/errors.ts'
import type { WebFile } from './files.ts'

/** Paths of pages, which are all the one document: its script reads the path. */
const PAGES = [
  '/',
  '/login',
  '/devices/*',
  '/products',
  '/products/*',
  '/releases/*',
  '/certificates',
  '/certificates/*',
  '/cases',
  '/cases/*',
  '/account',
]

/** What the pages may do: run and show what comes from here, and ask here. Nothing inline, nobody else. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join(';')

/** Names of these contain a digest of what is in them. */
const IMMUTABLE = 'public, max-age=31536000, immutable'

export interface WebRoutesOptions {
  readonly files: ReadonlyMap<string, WebFile>
}

/** A Fastify plugin: the dashboard, which is a few files that the API does the rest for. */
export async function webRoutes(server: FastifyInstance, { files }: WebRoutesOptions): Promise<void> {
  const document = files.get('/index.html')
  for (const path of PAGES) {
    server.get(path, (request, reply) => {
      if (document === undefined) {
        throw new KeepsealError('request.not-found', 'the pages were not built', { remedy: 'npm run build' })
      }
      void reply.header('content-security-policy', PAGE_POLICY).header('cache-control', 'no-cache')
      return send(request, reply, document)
    })
  }
  server.get('/assets/*', (request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const file = files.get(path)
    if (file === undefined) throw new KeepsealError('request.not-found', path)
    void reply.header('cache-control', IMMUTABLE)
    return send(request, reply, file)
  })
}

function send(request: FastifyRequest, reply: FastifyReply, file: WebFile) {
  void reply.headers({ etag: file.etag, vary: 'accept-encoding' })
  if (request.headers['if-none-match'] === file.etag) return reply.code(304).send()
  const asked = (request.headers['accept-encoding'] ?? '').split(',').map((each) => each.trim())
  for (const coding of ['br', 'gzip'] as const) {
    const encoded = file.encoded[coding]
    if (encoded !== undefined && asked.includes(coding)) {
      return reply.header('content-encoding', coding).type(file.type).send(encoded)
    }
  }
  return reply.type(file.type).send(file.raw)
}

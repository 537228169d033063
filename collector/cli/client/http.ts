import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { KeepsealError } from '../../../shared/errors.ts'
import type { ClientSettings } from './settings.ts'

const TIMEOUT_MS = 30_000
const MAX_ANSWER = 32 * 1024 * 1024

export interface HttpAnswer {
  readonly status: number
  readonly type: string
  readonly body: Buffer
}

/**
 * One request, on a connection of its own. With an authority in the settings nobody else's certificate is accepted.
 * Errors: collector.unreachable, collector.untrusted.
 */
export function send(
  { url, token, authority }: ClientSettings,
  method: 'GET' | 'POST' | 'PUT',
  path: string,
  body?: object,
): Promise<HttpAnswer> {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const target = new URL(path, url)
  const options: RequestOptions & { ca?: string; minVersion?: 'TLSv1.2' } = {
    method,
    agent: false,
    timeout: TIMEOUT_MS,
    headers: {
      accept: 'application/json, application/cbor',
      authorization: `Bearer ${token}`,
      ...(payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': payload.length }),
    },
    minVersion: 'TLSv1.2',
    ...(authority === undefined ? {} : { ca: authority }),
  }
  return new Promise((resolve, reject) => {
    const start = target.protocol === 'http:' ? httpRequest : httpsRequest
    const request = start(target, options, (response) => {
      read(response).then(resolve, (error: unknown) => reject(translate(error, url)))
    })
    request.on('timeout', () => request.destroy(new Error('no answer in time')))
    request.on('error', (error) => reject(translate(error, url)))
    request.end(payload)
  })
}

async function read(response: IncomingMessage): Promise<HttpAnswer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length
    if (size > MAX_ANSWER) throw new Error('the answer is too large')
    parts.push(part)
  }
  const type = (response.headers['content-type'] ?? '').split(';')[0] ?? ''
  return { status: response.statusCode ?? 0, type, body: Buffer.concat(parts) }
}

/** What OpenSSL and Node say of a certificate that does not prove what it should. */
const DISTRUST = /CERT|ISSUER|SELF_SIGNED|UNABLE_TO_VERIFY|HOSTNAME|CRL|ERR_TLS|ERR_SSL|ERR_OSSL/

function translate(error: unknown, url: URL): KeepsealError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  // An attempt on each address of a name ends in an error that gathers them and has no text of its own.
  const reason = error instanceof Error && error.message !== '' ? error.message : code
  const name = DISTRUST.test(code) ? 'collector.untrusted' : 'collector.unreachable'
  return new KeepsealError(name, `${url.origin}: ${reason}`, { cause: error })
}

import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { TLSSocket } from 'node:tls'
import * as v from 'valibot'
import { fromUtf8, utf8 } from '../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../shared/errors.ts'

export interface JsonPost {
  readonly url: URL
  readonly body: unknown
  /** PEM of the authorities that may have certified the collector; Node's own list without it. */
  readonly authorities: string | undefined
  readonly timeoutMs?: number
  readonly maxBytes?: number
  /** For what is signed and not secret. */
  readonly anyCertificate?: boolean
}

/** Problem details (RFC 9457) as the collector sends them. */
const Problem = v.object({
  type: v.pipe(v.string(), v.maxLength(128)),
  detail: v.optional(v.pipe(v.string(), v.maxLength(2048))),
  remedy: v.optional(v.pipe(v.string(), v.maxLength(1024))),
})

interface Answer {
  readonly status: number
  readonly content: Uint8Array
}

/**
 * Posts JSON and reads an answer that fits `schema`. Redirections are not followed: a secret goes where the operator
 * said, or nowhere.
 * Throws KeepsealError `collector.unreachable`; `collector.untrusted` when its certificate is not good;
 * `collector.refused` with the collector's own code, detail and remedy.
 */
export async function postJson<const S extends v.GenericSchema>(post: JsonPost, schema: S): Promise<v.InferOutput<S>> {
  const { status, content } = await exchange(post)
  const json = parseJson(content)
  if (status < 200 || status > 299) throw refusal(status, json)
  const result = v.safeParse(schema, json)
  if (result.success) return result.output
  const place = v.getDotPath(result.issues[0]) ?? 'its body'
  throw new KeepsealError('collector.refused', `its answer is not as documented (${place})`, {
    remedy: 'Check that the address is a Keepseal collector of a fitting version.',
  })
}

/**
 * As `postJson`, for a call that sends no secret and whose answer is signed: where the collector's certificate does not
 * hold, `untrusted` is told, and the call is made without it. A device that has slept for long, or whose clock begins in
 * 1970, could not call anybody otherwise.
 */
export async function postSigned<const S extends v.GenericSchema>(
  post: JsonPost,
  schema: S,
  untrusted: (reason: KeepsealError) => void,
): Promise<v.InferOutput<S>> {
  try {
    return await postJson(post, schema)
  } catch (error) {
    if (!(error instanceof KeepsealError) || error.code !== 'collector.untrusted') throw error
    untrusted(error)
    return postJson({ ...post, anyCertificate: true }, schema)
  }
}

function parseJson(content: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(content))
  } catch {
    return undefined
  }
}

function refusal(status: number, json: unknown): KeepsealError {
  const problem = v.safeParse(Problem, json)
  if (problem.success) {
    const { type, detail, remedy } = problem.output
    const message = detail === undefined ? type : `${type}, ${detail}`
    return new KeepsealError('collector.refused', message, remedy === undefined ? {} : { remedy })
  }
  // A gateway in front of a collector that is down speaks like this; so does any other web server.
  const code = status === 502 || status === 503 || status === 504 ? 'collector.unreachable' : 'collector.refused'
  return new KeepsealError(code, `HTTP status ${status}`, {
    remedy: 'Check that the address is the one of a collector.',
  })
}

function exchange(post: JsonPost): Promise<Answer> {
  const { url, body, authorities, timeoutMs = 30_000, maxBytes = 128 * 1024, anyCertificate = false } = post
  const content = utf8(JSON.stringify(body))
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method: 'POST',
      agent: false,
      minVersion: 'TLSv1.2',
      rejectUnauthorized: !anyCertificate,
      headers: {
        'content-type': 'application/json',
        'content-length': content.length,
        accept: 'application/json, application/problem+json',
      },
      ...(authorities === undefined ? {} : { ca: authorities }),
    })
    const finish = (settle: () => void): void => {
      clearTimeout(timer)
      settle()
      call.destroy()
    }
    const fail = (cause: Error): void => finish(() => reject(connectionFailure(url, call.socket, cause)))
    // One bound for all of it: a collector that sends a byte a minute is as good as none.
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    call.on('error', fail)
    call.on('response', (response) => {
      collect(response, maxBytes).then(
        (read) => finish(() => resolve({ status: response.statusCode ?? 0, content: read })),
        fail,
      )
    })
    call.end(content)
  })
}

async function collect(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBytes) throw new Error(`an answer of more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function connectionFailure(url: URL, socket: unknown, cause: Error): KeepsealError {
  // What Node found wrong with the certificate, before it destroyed the connection.
  const objection = socket instanceof TLSSocket ? socket.authorizationError : null
  const untrusted = objection !== null && objection !== undefined
  const code = untrusted ? 'collector.untrusted' : 'collector.unreachable'
  return new KeepsealError(code, `${url.host}: ${cause.message}`, { cause })
}

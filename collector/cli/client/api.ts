import * as v from 'valibot'
import { errors, type ErrorCode } from '../../../shared/codes/errors.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { send, type HttpAnswer } from './http.ts'
import { loadSettings, type ClientSettings, type ConnectionFlags } from './settings.ts'

/** Fields that the API may add later are let through, so that an older command works with a newer collector. */
type Schema = v.GenericSchema

const Problem = v.object({ type: v.string(), title: v.string(), detail: v.string(), remedy: v.string() })

/** The collector's API as commands use it. Paths are below /api/v1. */
export interface ApiClient {
  readonly url: URL
  get<const S extends Schema>(path: string, schema: S): Promise<v.InferOutput<S>>
  /** An answer that is CBOR, as it is. */
  getBytes(path: string): Promise<Uint8Array>
  post<const S extends Schema>(path: string, body: object, schema: S): Promise<v.InferOutput<S>>
  put<const S extends Schema>(path: string, body: object, schema: S): Promise<v.InferOutput<S>>
  /** Items of a list over as many pages as it takes, at most `limit`. */
  list<const S extends Schema>(path: string, query: Query, item: S, limit: number): Promise<Listed<v.InferOutput<S>>>
}

/** Several values of one name are asked for as that many. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>

export interface Listed<T> {
  readonly items: readonly T[]
  /** There are more than were asked for. */
  readonly more: boolean
}

const PAGE_SIZE = 200

/** A client as flags, environment and configuration file say. */
export function connect(flags: ConnectionFlags, environment: Readonly<Record<string, string | undefined>>): ApiClient {
  return apiClient(loadSettings(flags, environment))
}

function apiClient(settings: ClientSettings): ApiClient {
  const call = async <const S extends Schema>(
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    schema: S,
    body?: object,
  ): Promise<v.InferOutput<S>> => {
    const answer = await send(settings, method, `/api/v1${path}`, body)
    if (answer.status < 200 || answer.status > 299) throw refusal(answer)
    return documented(schema, answer)
  }
  const get: ApiClient['get'] = (path, schema) => call('GET', path, schema)
  return {
    url: settings.url,
    get,
    getBytes: async (path) => {
      const answer = await send(settings, 'GET', `/api/v1${path}`)
      if (answer.status < 200 || answer.status > 299) throw refusal(answer)
      return answer.body
    },
    post: (path, body, schema) => call('POST', path, schema, body),
    put: (path, body, schema) => call('PUT', path, schema, body),
    list: async (path, query, item, limit) => {
      const page = v.object({ items: v.array(item), nextCursor: v.nullable(v.string()) })
      const items: v.InferOutput<typeof item>[] = []
      let cursor: string | null = null
      do {
        const size = String(Math.min(limit - items.length, PAGE_SIZE))
        const answer: v.InferOutput<typeof page> = await get(
          withQuery(path, { ...query, limit: size, cursor: cursor ?? undefined }),
          page,
        )
        items.push(...answer.items)
        cursor = answer.nextCursor
      } while (cursor !== null && items.length < limit)
      return { items, more: cursor !== null }
    },
  }
}

function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    [value ?? []].flat().map((each): [string, string] => [name, each]),
  )
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`
}

function documented<const S extends Schema>(schema: S, answer: HttpAnswer): v.InferOutput<S> {
  const result = v.safeParse(schema, parseJson(answer))
  if (result.success) return result.output
  const [issue] = result.issues
  throw undocumented(`${v.getDotPath(issue) ?? ''} ${issue.message}`.trim())
}

function parseJson({ type, body }: HttpAnswer): unknown {
  try {
    if (type !== 'application/json' && type !== 'application/problem+json') throw new Error(`content type ${type}`)
    return JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw undocumented(error instanceof Error ? error.message : '')
  }
}

function undocumented(reason: string): KeepsealError {
  const remedy = 'Check that the address is that of a Keepseal collector, and that it is not older than this command.'
  return new KeepsealError('collector.refused', `its answer is not as documented (${reason})`, { remedy })
}

/** The collector's problem as our own error: same code, and its own advice. */
function refusal(answer: HttpAnswer): KeepsealError {
  const problem = v.safeParse(Problem, parseJson(answer))
  if (!problem.success) return undocumented(`status ${answer.status}`)
  const { type, title, detail, remedy } = problem.output
  if (!isErrorCode(type) || answer.status >= 500) {
    const logged = 'Look at the log of the collector.'
    const advice = answer.status >= 500 ? logged : remedy
    return new KeepsealError('collector.refused', `${type}: ${detail}`, { remedy: advice })
  }
  const prefix = `${title}: `
  const own = detail === title ? undefined : detail.startsWith(prefix) ? detail.slice(prefix.length) : detail
  return new KeepsealError(type, own, { remedy })
}

const isErrorCode = (text: string): text is ErrorCode => Object.hasOwn(errors, text)

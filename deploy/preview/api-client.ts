import { readFileSync } from 'node:fs'
import { request } from 'node:https'

export interface ApiClient {
  get<T>(path: string): Promise<T>
  post<T>(path: string, body: unknown): Promise<T>
}

export class ApiFailure extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** The collector's API, with its own certificate authority and nothing else as trust. */
export function createApiClient(baseUrl: string, caFile: string, token: string): ApiClient {
  const ca = readFileSync(caFile)
  const call = <T>(method: string, path: string, body?: unknown): Promise<T> =>
    new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : JSON.stringify(body)
      const headers = {
        authorization: `Bearer ${token}`,
        ...(payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) }),
      }
      const outgoing = request(`${baseUrl}/api/v1${path}`, { method, ca, headers, timeout: 10_000 }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8')
          const status = response.statusCode ?? 0
          if (status >= 400) reject(new ApiFailure(status, text))
          else resolve(JSON.parse(text) as T)
        })
      })
      outgoing.on('timeout', () => outgoing.destroy(new Error('the collector does not answer')))
      outgoing.on('error', reject)
      outgoing.end(payload)
    })
  return { get: (path) => call('GET', path), post: (path, body) => call('POST', path, body) }
}

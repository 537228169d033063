import { signal } from '@preact/signals'
import type { Problem, Session } from './types.ts'

/** Who is logged in; null while nobody is. */
export const session = signal<Session | null>(null)

/** What the collector refused, as it said it. */
export class ApiError extends Error {
  readonly problem: Problem

  constructor(problem: Problem) {
    super(problem.detail)
    this.problem = problem
  }
}

const BASE = '/api/v1'

/** The collector does not answer at all. */
const unreachable = (): ApiError =>
  new ApiError({ type: 'client.unreachable', title: '', status: 0, detail: '', remedy: '' })

/** `isBackground`: nobody has asked for it; it does not keep a session from going idle. */
export async function exchange(method: string, path: string, body?: unknown, isBackground = false): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (isBackground) headers['x-keepseal-background'] = '1'
  if (method !== 'GET' && session.value !== null) headers['x-csrf-token'] = session.value.csrfToken
  const request = { method, headers, credentials: 'same-origin' as const, cache: 'no-store' as const }
  try {
    return await fetch(BASE + path, body === undefined ? request : { ...request, body: JSON.stringify(body) })
  } catch {
    throw unreachable()
  }
}

export async function problemOf(response: Response): Promise<ApiError> {
  try {
    return new ApiError((await response.json()) as Problem)
  } catch {
    return new ApiError({ type: '', title: response.statusText, status: response.status, detail: '', remedy: '' })
  }
}

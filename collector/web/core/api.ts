import { ApiError, exchange, problemOf } from './http.ts'
import { loginAgain } from './session.ts'

export { ApiError }

/**
 * Asks the API. Where the session is over, somebody logs in again on top of the page as it is, and what was asked for is
 * done then: nothing that was typed is lost. Throws ApiError.
 */
async function ask(method: string, path: string, body?: unknown, isBackground = false): Promise<Response> {
  for (let attempt = 0; ; attempt++) {
    const response = await exchange(method, path, body, isBackground)
    if (response.ok) return response
    // A token that is of another session than the cookie: somebody has logged in anew in another tab.
    const isOver = response.status === 401 || (response.status === 403 && attempt === 0)
    const error = await problemOf(response)
    const wantsLogin = error.problem.type === 'auth.missing' || error.problem.type === 'auth.csrf-missing'
    if (!isOver || !wantsLogin || attempt > 1) throw error
    await loginAgain()
  }
}

/** `isBackground`: the page asks by itself, for what has changed. */
export const get = async <T>(path: string, isBackground = false): Promise<T> =>
  (await (await ask('GET', path, undefined, isBackground)).json()) as T

export const send = async <T>(method: 'POST' | 'PUT', path: string, body: unknown): Promise<T> =>
  (await (await ask(method, path, body)).json()) as T

export const remove = async (path: string): Promise<void> => void (await ask('DELETE', path))

/** Bytes as they are, for somebody to keep. */
export async function download(path: string, name: string): Promise<void> {
  const blob = await (await ask('GET', path)).blob()
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}

/** A path with what is set of a query. */
export function withQuery(path: string, query: Readonly<Record<string, string | number | undefined>>): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  if (set.length === 0) return path
  return `${path}?${new URLSearchParams(set.map(([name, value]) => [name, String(value)])).toString()}`
}

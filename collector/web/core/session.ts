import { computed, signal } from '@preact/signals'
import { exchange, problemOf, session } from './http.ts'
import type { Session } from './types.ts'

export { session }

/** Whether that is known yet. */
export const isAsked = signal(false)
/** A page is open whose session is over: the login is asked for on top of it. */
export const isLoginWanted = signal(false)

export const role = computed(() => session.value?.account.role ?? null)

let waiting: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined

/** Resolves when somebody has logged in again. */
export async function loginAgain(): Promise<void> {
  // Another tab may have logged in meanwhile: then the cookie is there, and its token is to be had.
  if (await readSession()) return
  if (waiting === undefined) {
    let resolve = (): void => undefined
    const promise = new Promise<void>((done) => (resolve = done))
    waiting = { promise, resolve }
    isLoginWanted.value = true
  }
  return waiting.promise
}

export function opened(found: Session): void {
  session.value = found
  isLoginWanted.value = false
  waiting?.resolve()
  waiting = undefined
}

/** Whether the browser has a session already. */
export async function readSession(): Promise<boolean> {
  const response = await exchange('GET', '/session').catch(() => undefined)
  isAsked.value = true
  if (response?.ok !== true) return false
  opened((await response.json()) as Session)
  return true
}

export interface Credentials {
  readonly login: string
  readonly password: string
  readonly code: string
}

/** Throws ApiError. */
export async function logIn(credentials: Credentials): Promise<void> {
  const response = await exchange('POST', '/session', credentials)
  if (!response.ok) throw await problemOf(response)
  opened((await response.json()) as Session)
}

export async function logOut(): Promise<void> {
  await exchange('DELETE', '/session').catch(() => undefined)
  session.value = null
}

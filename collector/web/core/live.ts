import { effect, signal } from '@preact/signals'
import { session } from './session.ts'

export type Connection = 'connected' | 'reconnecting'
export const connection = signal<Connection>('reconnecting')

type Listener = (ueids: readonly string[] | 'all') => void
const listeners = new Set<Listener>()

/** Calls back when devices have changed; `all` after an interruption, in which anything may have. */
export function onChange(listener: Listener): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

const tell = (ueids: readonly string[] | 'all'): void => {
  for (const each of listeners) each(ueids)
}

const RETRY_MS = 3_000
const MOST_RETRY_MS = 60_000
let wasInterrupted = false
/** Grows while it is refused, as it is where the session is over. */
let retryMs = RETRY_MS

function listen(): () => void {
  const source = new EventSource('/api/v1/live')
  let timer: number | undefined
  let stop = (): void => undefined
  source.addEventListener('ready', () => {
    connection.value = 'connected'
    retryMs = RETRY_MS
    if (wasInterrupted) tell('all')
    wasInterrupted = false
  })
  source.addEventListener('devices', (event) => {
    tell((JSON.parse((event as MessageEvent<string>).data) as { ueids: string[] }).ueids)
  })
  source.addEventListener('error', () => {
    connection.value = 'reconnecting'
    wasInterrupted = true
    // The browser comes back by itself, unless it was refused.
    if (source.readyState !== EventSource.CLOSED) return
    timer = window.setTimeout(() => (stop = listen()), retryMs)
    retryMs = Math.min(2 * retryMs, MOST_RETRY_MS)
  })
  return () => {
    window.clearTimeout(timer)
    source.close()
    stop()
  }
}

/** While somebody is logged in. */
export function startLive(): void {
  effect(() => {
    const account = session.value?.account.id
    retryMs = RETRY_MS
    return account === undefined ? undefined : listen()
  })
}

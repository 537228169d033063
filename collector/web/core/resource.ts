import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { ApiError, get } from './api.ts'
import { onChange } from './live.ts'
import { Pace } from './pace.ts'

export interface Resource<T> {
  readonly data: T | undefined
  readonly error: ApiError | undefined
  readonly isLoading: boolean
  readonly reload: () => void
  /** The same where nobody has asked for it. */
  readonly look: () => void
}

interface State<T> {
  readonly path: string | null
  readonly data?: T
  readonly error?: ApiError
  readonly isLoading: boolean
}

/** Many devices change at once when a fleet reports: a page asks again once for all of them. */
const SETTLE_MS = 400

/**
 * What the API says under a path, asked anew whenever `concerns` is true of a change. What was there stays until the new
 * answer has come. null: nothing is asked.
 */
export function useResource<T>(
  path: string | null,
  concerns: (ueids: readonly string[] | 'all') => boolean = () => false,
): Resource<T> {
  const state = useSignal<State<T>>({ path: null, isLoading: path !== null })
  const newest = useRef(0)
  const pace = useRef(new Pace(SETTLE_MS))
  const load = (isBackground = false): void => {
    if (path === null) return
    const number = ++newest.current
    const known = state.value.path === path ? state.value : { path }
    state.value = { ...known, isLoading: true }
    const start = performance.now()
    get<T>(path, isBackground).then(
      (data) => {
        pace.current.took(performance.now() - start)
        if (number === newest.current) state.value = { path, data, isLoading: false }
      },
      (error: unknown) => {
        if (number !== newest.current) return
        const failure = error instanceof ApiError ? error : undefined
        state.value = { ...state.value, ...(failure && { error: failure }), isLoading: false }
      },
    )
  }
  useEffect(() => {
    load()
    const stop = onChange((ueids) => {
      if (concerns(ueids)) pace.current.later(() => load(true))
    })
    return () => {
      newest.current++
      pace.current.stop()
      stop()
    }
  }, [path])
  const { data, error, isLoading, path: shown } = state.value
  const isCurrent = shown === path
  return {
    data: isCurrent ? data : undefined,
    error: isCurrent ? error : undefined,
    isLoading: isCurrent ? isLoading : path !== null,
    reload: () => load(),
    look: () => load(true),
  }
}

import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { ApiError, get, withQuery } from './api.ts'
import { onChange } from './live.ts'
import { Pace } from './pace.ts'
import type { Device, FleetList } from './types.ts'
import { pagesOf, type ShownRows } from '../model/window.ts'

const PAGE = 100
const REFRESH_MS = 1_000
/** Pages that are asked for at a time. */
const UNDER_WAY = 2

export interface Rows {
  /** undefined before the first answer. */
  readonly total: number | undefined
  readonly error: ApiError | undefined
  /** undefined: not there yet. */
  readonly at: (index: number) => Device | undefined
  readonly retry: () => void
}

interface Held {
  readonly path: string
  readonly total: number | undefined
  readonly pages: ReadonlyMap<number, readonly Device[]>
  readonly error: ApiError | undefined
}

/**
 * A list of any length of which only what is shown is asked for. `path`: with all of its filters. When devices change,
 * what is shown is asked for again, and what was there stays until the answer has come.
 */
export function useRows(path: string, shown: ShownRows): Rows {
  const empty: Held = { path, total: undefined, pages: new Map(), error: undefined }
  const held = useSignal<Held>(empty)
  const asked = useRef(new Set<string>())
  const visible = useRef(shown)
  const pace = useRef(new Pace(REFRESH_MS))
  visible.current = shown

  const load = (page: number, isBackground = false): void => {
    const name = `${path} ${page}`
    if (asked.current.has(name)) return
    asked.current.add(name)
    const url = path + (path.includes('?') ? '&' : '?') + withQuery('', { offset: page * PAGE, limit: PAGE }).slice(1)
    const start = performance.now()
    get<FleetList>(url, isBackground)
      .then(({ total, items }) => {
        pace.current.took(performance.now() - start)
        const before = held.value.path === path ? held.value : empty
        held.value = { path, total, pages: new Map(before.pages).set(page, items), error: undefined }
      })
      .catch((error: unknown) => {
        if (error instanceof ApiError) held.value = { ...held.value, path, error }
      })
      .finally(() => {
        asked.current.delete(name)
        if (held.value.path === path && held.value.error === undefined) loadWanted()
      })
  }
  const wanted = (): number[] => pagesOf(visible.current, PAGE)
  /** What is on the screen now: whoever scrolls past thousands of rows waits for none of those that he has passed. */
  const loadWanted = (): void => {
    const { pages } = held.value.path === path ? held.value : empty
    for (const page of wanted()) if (!pages.has(page) && asked.current.size < UNDER_WAY) load(page)
  }

  const current = held.value.path === path ? held.value : empty
  const range = `${path} ${wanted().join()}`
  useEffect(() => {
    if (current.total === undefined) load(0)
    else loadWanted()
  }, [range, current.total])

  useEffect(() => {
    const refresh = (): void => {
      // What is not on the screen is asked for when it comes there.
      const kept = new Map([...held.value.pages].filter(([page]) => wanted().includes(page)))
      held.value = { ...held.value, pages: kept }
      for (const page of new Set([0, ...wanted()])) load(page, true)
    }
    const stop = onChange(() => pace.current.later(refresh))
    return () => {
      pace.current.stop()
      stop()
    }
  }, [path])

  return {
    total: current.total,
    error: current.error,
    at: (index) => current.pages.get(Math.floor(index / PAGE))?.[index % PAGE],
    retry: () => load(0),
  }
}

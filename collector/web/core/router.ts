import { signal } from '@preact/signals'

export interface Location {
  readonly path: string
  readonly query: URLSearchParams
}

const here = (): Location => ({ path: window.location.pathname, query: new URLSearchParams(window.location.search) })

/** Where the reader is: the address says it, so that it can be sent to somebody else. */
export const location = signal<Location>(here())
/** Grows when another page is shown, and not when a filter of the same one changes. */
export const pageNumber = signal(0)

export function navigate(href: string, { replace = false } = {}): void {
  const before = location.value.path
  if (replace) history.replaceState(null, '', href)
  else history.pushState(null, '', href)
  location.value = here()
  if (location.value.path !== before) arrive()
}

function arrive(): void {
  pageNumber.value += 1
  window.scrollTo(0, 0)
}

/** A filter of this page: left out of the address where it is empty. */
export function setQuery(changes: Readonly<Record<string, string | null>>): void {
  const query = new URLSearchParams(location.value.query)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name)
    else query.set(name, value)
  }
  const text = query.toString()
  navigate(text === '' ? location.value.path : `${location.value.path}?${text}`, { replace: true })
}

const OTHERS = /^\/(api|c|enroll|status|status-lists|healthz|readyz|assets)(\/|$)/

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (link === null || link.target !== '' || link.hasAttribute('download')) return
  if (link.origin !== window.location.origin || OTHERS.test(link.pathname)) return
  // Within the page: the browser goes there by itself.
  if (link.hash !== '' && link.pathname === window.location.pathname) return
  event.preventDefault()
  navigate(link.pathname + link.search)
}

export function startRouter(): void {
  document.addEventListener('click', onClick)
  window.addEventListener('popstate', () => {
    const before = location.value.path
    location.value = here()
    if (location.value.path !== before) arrive()
  })
}

/** The parts of a path that a pattern names: `/devices/:ueid`. Undefined where it is another path. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.replace(/\/$/, '').split('/')
  if (pattern === '/') return path === '/' ? {} : undefined
  if (wanted.length !== given.length) return undefined
  const found: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const text = given[index] ?? ''
    if (part.startsWith(':')) found[part.slice(1)] = decodeURIComponent(text)
    else if (part !== text) return undefined
  }
  return found
}

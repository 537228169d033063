import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { pageNumber } from '../core/router.ts'

interface PageProps {
  readonly title: string
  readonly crumbs?: readonly { readonly href: string; readonly text: string }[]
  readonly children: ComponentChildren
}

/** A page with its one heading, which gets the focus when somebody has come here: screen readers then say where. */
export function Page({ title, crumbs = [], children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · Keepseal`
  }, [title])
  useEffect(() => {
    if (pageNumber.peek() > 0) heading.current?.focus({ preventScroll: true })
  }, [])
  return (
    <>
      {crumbs.length > 0 && (
        <nav class="crumbs" aria-label="Breadcrumb">
          {crumbs.map(({ href, text }) => (
            <a key={href} href={href}>
              {text}
            </a>
          ))}
        </nav>
      )}
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {children}
    </>
  )
}

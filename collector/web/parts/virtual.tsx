import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { shownRows, type ShownRows } from '../model/window.ts'

/** What of a list is on the screen, which scrolls as a whole: no box within it that scrolls apart. */
export function useShownRows(total: number, rowHeight: number) {
  const list = useRef<HTMLDivElement>(null)
  const shown = useSignal<ShownRows>({ first: 0, end: Math.min(total, 40) })
  useEffect(() => {
    let frame = 0
    const look = (): void => {
      frame = 0
      const top = list.current?.getBoundingClientRect().top ?? 0
      const next = shownRows({ total, rowHeight, scrolled: Math.max(0, -top), height: window.innerHeight })
      if (next.first !== shown.value.first || next.end !== shown.value.end) shown.value = next
    }
    const later = (): void => {
      if (frame === 0) frame = requestAnimationFrame(look)
    }
    look()
    window.addEventListener('scroll', later, { passive: true })
    window.addEventListener('resize', later)
    return () => {
      cancelAnimationFrame(frame)
      window.removeEventListener('scroll', later)
      window.removeEventListener('resize', later)
    }
  }, [total, rowHeight])
  return { list, shown: shown.value }
}

interface VirtualListProps {
  readonly listRef: { current: HTMLDivElement | null }
  readonly shown: ShownRows
  readonly total: number
  readonly rowHeight: number
  readonly label: string
  readonly row: (index: number) => ComponentChildren
}

/** Rows of equal height, of which only those near the screen exist. Screen readers are told how many there are. */
export function VirtualList({ listRef, shown, total, rowHeight, label, row }: VirtualListProps) {
  const rows = []
  for (let index = shown.first; index < Math.min(shown.end, total); index++) {
    rows.push(
      <li
        key={index}
        aria-setsize={total}
        aria-posinset={index + 1}
        style={{ position: 'absolute', top: `${index * rowHeight}px`, height: `${rowHeight}px` }}
      >
        {row(index)}
      </li>,
    )
  }
  return (
    <div ref={listRef}>
      <ul class="virtual" aria-label={label} style={{ height: `${total * rowHeight}px` }}>
        {rows}
      </ul>
    </div>
  )
}

/** As wide as a telephone, or wider. */
export function useIsNarrow(): boolean {
  const query = '(max-width: 44rem)'
  const isNarrow = useSignal(window.matchMedia(query).matches)
  useEffect(() => {
    const media = window.matchMedia(query)
    const change = (): void => void (isNarrow.value = media.matches)
    media.addEventListener('change', change)
    return () => media.removeEventListener('change', change)
  }, [])
  return isNarrow.value
}

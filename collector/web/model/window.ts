/** Which rows of a long list are shown, so that it costs the same however long it is. */
export interface ShownRows {
  readonly first: number
  /** Behind the last one. */
  readonly end: number
}

export interface ListView {
  readonly total: number
  readonly rowHeight: number
  /** How far the top of the list is above the top of the screen, in pixels. */
  readonly scrolled: number
  readonly height: number
}

/** Rows above and below the screen that are there already when somebody scrolls. */
const OVERSCAN = 8

export function shownRows({ total, rowHeight, scrolled, height }: ListView): ShownRows {
  const first = Math.floor(scrolled / rowHeight) - OVERSCAN
  const end = Math.ceil((scrolled + height) / rowHeight) + OVERSCAN
  return { first: Math.min(Math.max(0, first), total), end: Math.max(0, Math.min(total, end)) }
}

/** Numbers of the pages of a list that have these rows. */
export function pagesOf({ first, end }: ShownRows, size: number): number[] {
  if (end <= first) return []
  const from = Math.floor(first / size)
  return Array.from({ length: Math.floor((end - 1) / size) - from + 1 }, (_, index) => from + index)
}

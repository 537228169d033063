/**
 * Matches a whole text: `*` is any text, also none, `?` one character, everything else is itself. At most pattern times
 * text steps, and nothing is kept: texts come from devices.
 */
export function wildcardMatcher(pattern: string): (text: string) => boolean {
  const wanted = [...pattern]
  return (text) => {
    const given = [...text]
    let [at, place] = [0, 0]
    let star: { readonly place: number; at: number } | undefined
    while (at < given.length) {
      const token = wanted[place]
      if (token === '*') {
        star = { place, at }
        place += 1
      } else if (token !== undefined && (token === '?' || token === given[at])) {
        place += 1
        at += 1
      } else if (star === undefined) return false
      else {
        // The last star takes one character more.
        star.at += 1
        at = star.at
        place = star.place + 1
      }
    }
    return wanted.slice(place).every((token) => token === '*')
  }
}

import type { StateScalar } from '../sensor.ts'

/** Places that are remembered between two measurements: a count that reaches it means as many or more. */
const MAX_PLACES = 1024
const MAX_TEXT = 256
const MORE = ' ...'

/** What is told of one interval in the claim `state`. */
export type ShortLivedState = Readonly<Record<string, StateScalar>>

/**
 * Counts places where something listened between two measurements and in neither of them. A place is a text such as
 * `tcp/any:22`. Counts go on until they are reported, so that a measurement that came to no report loses none.
 */
export class ShortLived {
  /** Those of the measurement before; undefined until there was one, for what came before it is not known. */
  #before: ReadonlySet<string> | undefined
  readonly #between = new Set<string>()
  readonly #unreported = new Set<string>()
  #samples = 0
  #told = 0

  sample(places: ReadonlySet<string>): void {
    if (this.#before === undefined) return
    this.#samples += 1
    for (const place of places) {
      if (this.#between.size < MAX_PLACES && !this.#before.has(place)) this.#between.add(place)
    }
  }

  /** To be called with what listens at the time of a measurement. */
  measured(places: ReadonlySet<string>): ShortLivedState {
    for (const place of this.#between) {
      if (this.#unreported.size < MAX_PLACES && !places.has(place)) this.#unreported.add(place)
    }
    this.#between.clear()
    this.#before = places
    this.#told = this.#samples
    const some = listed([...this.#unreported].sort())
    return {
      'sockets.samples': this.#samples,
      'sockets.short-lived': this.#unreported.size,
      ...(some === '' ? {} : { 'sockets.short-lived-places': some }),
    }
  }

  /** What `measured` said last is in a report that will not be lost. */
  reported(): void {
    this.#unreported.clear()
    // Some may have been taken since.
    this.#samples -= this.#told
    this.#told = 0
  }
}

/** As many as fit, whole. */
function listed(places: readonly string[]): string {
  let text = ''
  for (const place of places) {
    const longer = text === '' ? place : `${text} ${place}`
    if (longer.length > MAX_TEXT - MORE.length) return text + MORE
    text = longer
  }
  return text
}

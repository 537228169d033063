/** Pairs of positions that belong together, ascending in both. */
export type Pairs = readonly (readonly [first: number, second: number])[]

/** Beyond this many comparisons only what is equal at both ends is paired: the rest is told as removed and added. */
const MAX_COMPARISONS = 50_000

/**
 * The alignment of two sequences with the greatest sum of scores. A score of 0 says that two items do not belong
 * together. Items that are `equal` at the beginning and at the end are paired beforehand, so that the cost depends on
 * what differs: the product of the lengths in between, bounded.
 */
export function align<A, B>(
  first: readonly A[],
  second: readonly B[],
  score: (a: A, b: B) => number,
  equal: (a: A, b: B) => boolean,
): Pairs {
  const isEqual = (i: number, j: number): boolean => {
    const [a, b] = [first[i], second[j]]
    return a !== undefined && b !== undefined && equal(a, b)
  }
  let start = 0
  while (start < first.length && start < second.length && isEqual(start, start)) start++
  let end = 0
  while (
    end < first.length - start &&
    end < second.length - start &&
    isEqual(first.length - 1 - end, second.length - 1 - end)
  ) {
    end++
  }
  const middle = alignWhole(first.slice(start, first.length - end), second.slice(start, second.length - end), score)
  return [
    ...Array.from({ length: start }, (_, i) => [i, i] as const),
    ...middle.map(([i, j]) => [i + start, j + start] as const),
    ...Array.from({ length: end }, (_, i) => [first.length - end + i, second.length - end + i] as const),
  ]
}

function alignWhole<A, B>(first: readonly A[], second: readonly B[], score: (a: A, b: B) => number): Pairs {
  const width = second.length + 1
  if (first.length * second.length > MAX_COMPARISONS) return []
  // best[i * width + j]: the greatest sum for the items from i and from j on.
  const best = new Float64Array((first.length + 1) * width)
  const at = (i: number, j: number): number => best[i * width + j] ?? 0
  const scoreOf = (i: number, j: number): number => {
    const [a, b] = [first[i], second[j]]
    return a === undefined || b === undefined ? 0 : score(a, b)
  }
  for (let i = first.length - 1; i >= 0; i--) {
    for (let j = second.length - 1; j >= 0; j--) {
      const own = scoreOf(i, j)
      const paired = own > 0 ? own + at(i + 1, j + 1) : 0
      best[i * width + j] = Math.max(paired, at(i + 1, j), at(i, j + 1))
    }
  }
  const pairs: [number, number][] = []
  for (let i = 0, j = 0; i < first.length && j < second.length;) {
    const own = scoreOf(i, j)
    if (own > 0 && at(i, j) === own + at(i + 1, j + 1)) pairs.push([i++, j++])
    else if (at(i, j) === at(i + 1, j)) i++
    else j++
  }
  return pairs
}

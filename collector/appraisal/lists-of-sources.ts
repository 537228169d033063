import type { Deviation } from './context.ts'

/** How the subjects begin of a source of apt (update-channel) that packages are taken from, and of a list (patch-level). */
const SOURCE = /^source apt deb [a-z0-9+.-]+:\/\/(\S+) (\S+)$/
const LIST = 'package lists '

/** Characters that apt writes into the name of a list as they are; others make it another name. */
const PLAIN = /^[A-Za-z0-9.:/+-]+$/

type Kind = 'came' | 'went' | 'changed'

const kindOf = ({ before, after }: Deviation): Kind => (before === null ? 'came' : after === null ? 'went' : 'changed')

/** How the names of all lists of a source begin, as apt makes them of its URI; undefined where that is not so plain. */
function listsOf(subject: string): string | undefined {
  const [, address, suite] = SOURCE.exec(subject) ?? []
  if (address === undefined || suite === undefined || !PLAIN.test(address + suite)) return undefined
  const base = address.endsWith('/') ? address : `${address}/`
  const directory = suite.endsWith('/') ? (suite === '/' ? '' : suite) : `dists/${suite}/`
  return LIST + `${base}${directory}`.replaceAll('/', '_')
}

/**
 * What is found, without the package lists that came with a source of apt that came, or went with one that went: one
 * cause is one finding. A source that only changed still has its lists, so what becomes of those is told.
 */
export function withoutListsOfSources(deviations: readonly Deviation[]): readonly Deviation[] {
  const moved = deviations.flatMap((deviation) => {
    const kind = kindOf(deviation)
    const lists = listsOf(deviation.subject)
    return !deviation.code.startsWith('update-channel.') || kind === 'changed' || lists === undefined
      ? []
      : [{ kind, lists }]
  })
  if (moved.length === 0) return deviations
  return deviations.filter((deviation) => {
    if (deviation.code !== 'patch-level.lists-changed') return true
    const kind = kindOf(deviation)
    return !moved.some((source) => source.kind === kind && deviation.subject.startsWith(source.lists))
  })
}

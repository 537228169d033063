import { compareDigits, orderOf, type Order } from './digits.ts'

/**
 * A version taken apart as PEP 440 has it (Appendix B, spellings that it calls normal forms included). Vendors number
 * their products so too: any count of numbers, then what comes before or after the release.
 */
export interface Pep440Version {
  readonly epoch: string
  /** Without zeros at the end: 1.0 is 1. */
  readonly release: readonly string[]
  readonly pre: readonly [phase: number, number: string] | null
  readonly post: string | null
  readonly dev: string | null
  readonly local: readonly string[]
}

const MAX_LENGTH = 512
const VERSION =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(alpha|beta|preview|pre|rc|a|b|c)[-_.]?(\d*))?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d*))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/

const PHASES: Readonly<Record<string, number>> = { a: 0, alpha: 0, b: 1, beta: 1, c: 2, rc: 2, pre: 2, preview: 2 }

/** Undefined for what is no version. */
export function parsePep440Version(text: string): Pep440Version | undefined {
  const match = text.length > MAX_LENGTH ? null : VERSION.exec(text.toLowerCase())
  if (match === null) return undefined
  const [, epoch = '0', numbers = '', phase, preNumber, implicitPost, post, postNumber, dev, devNumber, local] = match
  const release = numbers.split('.')
  while (release.length > 1 && /^0+$/.test(release.at(-1) ?? '')) release.pop()
  return {
    epoch,
    release,
    pre: phase === undefined ? null : [PHASES[phase] ?? 0, preNumber || '0'],
    post: implicitPost ?? (post === undefined ? null : postNumber || '0'),
    dev: dev === undefined ? null : devNumber || '0',
    local: local === undefined ? [] : local.split(/[-_.]/),
  }
}

/** "Summary of permitted suffixes and relative ordering". */
export function comparePep440Versions(a: Pep440Version, b: Pep440Version): Order {
  return (
    compareDigits(a.epoch, b.epoch) ||
    compareLists(a.release, b.release, compareDigits) ||
    comparePre(a, b) ||
    compareOptional(a.post, b.post, -1) ||
    compareOptional(a.dev, b.dev, 1) ||
    compareLists(a.local, b.local, compareLocal)
  )
}

/** The release itself comes after what leads to it; a mere .dev of it before all of that. */
function comparePre(a: Pep440Version, b: Pep440Version): Order {
  const rank = ({ pre, post, dev }: Pep440Version): number =>
    pre === null ? (post === null && dev !== null ? -1 : 3) : pre[0]
  const order = orderOf(rank(a), rank(b))
  return order !== 0 || a.pre === null || b.pre === null ? order : compareDigits(a.pre[1], b.pre[1])
}

/** `absent`: what one that has none is to one that has. */
function compareOptional(a: string | null, b: string | null, absent: Order): Order {
  if (a === null || b === null) return a === b ? 0 : a === null ? absent : absent === 1 ? -1 : 1
  return compareDigits(a, b)
}

/** The longer one is the later one. */
function compareLists(a: readonly string[], b: readonly string[], compare: (x: string, y: string) => Order): Order {
  for (let at = 0; at < a.length && at < b.length; at++) {
    const order = compare(a[at] ?? '', b[at] ?? '')
    if (order !== 0) return order
  }
  return orderOf(a.length, b.length)
}

/** Numbers come after words. */
function compareLocal(a: string, b: string): Order {
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)]
  if (x !== y) return x ? 1 : -1
  return x ? compareDigits(a, b) : orderOf(a, b)
}

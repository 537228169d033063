import { equal, toHex } from '../bytes/bytes.ts'
import type { MirroredRun } from './page.ts'

interface Run extends MirroredRun {
  /** The message that begins it is in the mirror, and says so itself. */
  isBegun: boolean
}

export interface Gap {
  readonly session: string
  readonly detail: string
}

/** The runs of one device: what its collector has counted, held against what the device itself has signed. */
export class DeviceRuns {
  readonly #sessions = new Map<string, Map<number, Run>>()

  /** Messages that the collector says it had. */
  get counted(): number {
    let count = 0
    for (const runs of this.#sessions.values()) for (const { first, last } of runs.values()) count += last - first + 1
    return count
  }

  /** A run as it is now: it may be longer than before, and nothing else. Gives what is wrong. */
  add(run: MirroredRun): string | null {
    const session = toHex(run.session)
    const runs = this.#sessions.get(session) ?? new Map<number, Run>()
    this.#sessions.set(session, runs)
    const before = runs.get(run.first)
    runs.set(run.first, { ...run, isBegun: before?.isBegun ?? false })
    if (before === undefined) return null
    const isOther = run.last === before.last && !equal(run.headHash, before.headHash)
    if (run.last >= before.last && !isOther) return null
    runs.set(run.first, before)
    return `session ${session}: the run from ${run.first} was to ${before.last}, and is to ${run.last} now`
  }

  /** A kept message has to be in a run, and be what the run says of this place. Gives what is wrong. */
  place(session: Uint8Array, seq: number, hash: Uint8Array, previous: Uint8Array | null): string | null {
    const runs = this.#sessions.get(toHex(session))
    const run = runs === undefined ? undefined : containing(runs, seq)
    if (run === undefined) return `message ${seq} of session ${toHex(session)} is counted in no run`
    if (seq === run.first) {
      if (run.isBegun) return `message ${seq} of session ${toHex(session)} is there twice`
      run.isBegun = true
      if (!same(run.firstPrevious, previous)) return `message ${seq} follows another one than its run says`
    }
    return seq === run.last && !equal(hash, run.headHash) ? `message ${seq} is not the head of its run` : null
  }

  /** Where messages or links are missing. */
  *gaps(): Generator<Gap> {
    for (const [session, runs] of this.#sessions) {
      const sorted = [...runs.values()].sort((one, other) => one.first - other.first)
      let next = 0
      let head: Uint8Array | null = null
      for (const run of sorted) {
        const missing = run.first - 1 === next ? `message ${next}` : `messages ${next} to ${run.first - 1}`
        if (run.first > next) yield { session, detail: `${missing} were never counted` }
        else if (run.first < next) yield { session, detail: `message ${run.first} is in two runs` }
        else if (head !== null && !same(run.firstPrevious, head)) {
          yield { session, detail: `message ${run.first} does not follow the one that is counted before it` }
        }
        if (!run.isBegun) yield { session, detail: `message ${run.first} begins a run, and was not handed over` }
        next = Math.max(next, run.last + 1)
        head = run.headHash
      }
    }
  }
}

const same = (one: Uint8Array | null, other: Uint8Array | null): boolean =>
  one === null || other === null ? one === other : equal(one, other)

/** The last one that begins at or before the place. */
function containing(runs: ReadonlyMap<number, Run>, seq: number): Run | undefined {
  let found: Run | undefined = runs.get(seq)
  if (found !== undefined) return found
  for (const run of runs.values()) {
    if (run.first <= seq && seq <= run.last && (found === undefined || run.first > found.first)) found = run
  }
  return found
}

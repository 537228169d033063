import type { SequenceRange, Session } from '../model/evidence.ts'

/** More gaps than an outbox ever leaves; beyond it the agent is not believed to be one of ours. */
export const MAX_RANGES = 1024

/** Adds a sequence number to what is held of a session. Undefined when it would leave too many gaps. */
export function hold(session: Session, sequence: number): Session | undefined {
  const isHeld =
    sequence <= session.contiguousTo || session.extra.some(([first, last]) => first <= sequence && sequence <= last)
  if (isHeld) return session
  const before = session.extra.filter(([, last]) => last < sequence)
  const after = session.extra.slice(before.length)
  const extra = joined([...before, [sequence, sequence], ...after])
  const [lowest, ...others] = extra
  if (lowest?.[0] === session.contiguousTo + 1) return { ...session, contiguousTo: lowest[1], extra: others }
  return extra.length > MAX_RANGES ? undefined : { ...session, extra }
}

/** Ascending ranges, those that follow each other without a gap made one. */
function joined(ranges: readonly SequenceRange[]): SequenceRange[] {
  const result: SequenceRange[] = []
  for (const [first, last] of ranges) {
    const previous = result.at(-1)
    if (previous !== undefined && previous[1] + 1 === first) result[result.length - 1] = [previous[0], last]
    else result.push([first, last])
  }
  return result
}

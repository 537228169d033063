import type { Session } from '../model/evidence.ts'

/** More gaps than an outbox ever has; beyond it the agent is not believed to be one of ours. */
const MAX_EXTRA = 4096

/** Adds a sequence number to what is held of a session. Undefined when it would leave too many gaps. */
export function hold(session: Session, sequence: number): Session | undefined {
  if (sequence <= session.contiguousTo || session.extra.includes(sequence)) return session
  const extra = [...session.extra, sequence].sort((a, b) => a - b)
  let { contiguousTo } = session
  while (extra[0] === contiguousTo + 1) {
    contiguousTo++
    extra.shift()
  }
  return extra.length > MAX_EXTRA ? undefined : { ...session, contiguousTo, extra }
}

import { equal, toHex } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import type { AppraisalContext, ForgottenMessage } from '../context.ts'
import type { AppraisalStep } from '../registry.ts'

const short = (bytes: Uint8Array): string => toHex(bytes).slice(0, 16)

/**
 * The place of a message in the chain of its session. Messages may arrive in any order and more than once, so each
 * link is checked against those neighbours that are held.
 */
export const link: AppraisalStep = {
  id: 'link',
  title: 'The message has one place in one chain',
  failure: 'refuse',
  run(context) {
    const { links } = context.known
    const { sequence, previous, session } = context.unverified.claims
    if (links.samePlace !== undefined) {
      if (isSame(links.samePlace, context)) {
        context.duplicate = true
        return
      }
      clone(context, `session ${short(session)}`, `two contents for number ${sequence}`)
      throw new OutcomeError('link.fork', `number ${sequence}`)
    }
    if (sequence > 0) {
      const broken = previous === null || (links.hashBefore !== undefined && !equal(links.hashBefore, previous))
      if (broken) throw new OutcomeError('link.previous-mismatch', `number ${sequence}`)
    }
    const { previousOfNext } = links
    if (previousOfNext === null || (previousOfNext !== undefined && !equal(previousOfNext, context.hashOfMessage))) {
      throw new OutcomeError('link.previous-mismatch', `number ${sequence + 1} follows another message`)
    }
    if (sequence === 0) rollback(context)
  },
}

/**
 * Whether the message is the very one that was counted in its place. Of one that was not kept it is known that it
 * answers no newer epoch than its neighbours: what does was made later, by somebody else.
 */
function isSame(held: Uint8Array | ForgottenMessage, { hashOfMessage, known }: AppraisalContext): boolean {
  if (held instanceof Uint8Array) return equal(held, hashOfMessage.subarray(0, held.length))
  return known.epoch === undefined || held.newestEpoch === null || known.epoch.number <= held.newestEpoch
}

function clone(context: AppraisalContext, subject: string, after: string): void {
  context.deviations.push({ code: 'identity.clone', subject, before: null, after })
}

/**
 * The first message of a session names the newest receipt that the agent knows. An older one than the device has
 * named before means that its state was set back: an image restored, another slot booted. A single time is normal
 * life and only worth a note; a copy that goes on running shows itself by interleaving.
 */
function rollback(context: AppraisalContext): void {
  const { links, state } = context.known
  const named = context.unverified.claims.previous === null ? 0 : links.namedReceipt
  if (named === undefined) return // of before a restore of the collector, or pruned: it says nothing
  context.notes.namedReceipt = named
  if (named >= state.namedReceipt) return
  context.deviations.push({
    code: 'reporting.rollback',
    subject: 'agent state',
    before: `receipt ${state.namedReceipt}`,
    after: named === 0 ? 'no receipt' : `receipt ${named}`,
  })
}

/**
 * Two running agents with one identity: the epochs of their fresh evidence overlap. One device that restarts uses the
 * epochs one after the other, so that two of its sessions share at most the epoch of the restart.
 */
export function interleavesWith(
  epoch: number,
  own: { readonly firstEpoch: number | null; readonly lastEpoch: number | null } | undefined,
  other: { readonly firstEpoch: number | null; readonly lastEpoch: number | null },
): boolean {
  if (other.firstEpoch === null || other.lastEpoch === null) return false
  const first = Math.min(own?.firstEpoch ?? epoch, epoch)
  const last = Math.max(own?.lastEpoch ?? epoch, epoch)
  return !(last <= other.firstEpoch || other.lastEpoch <= first)
}

/**
 * Whether `other` was heard of as late as `own` was before this message. One that has stopped since proves nothing new:
 * what was concluded from it stays concluded, and a person's decision about it stands.
 */
export function isStillRunning(
  other: { readonly lastEpoch: number | null },
  own: { readonly lastEpoch: number | null } | undefined,
): boolean {
  if (other.lastEpoch === null) return false
  return own === undefined || own.lastEpoch === null || other.lastEpoch >= own.lastEpoch
}

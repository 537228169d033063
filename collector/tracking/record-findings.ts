import { findings as findingCodes, type FindingCode } from '../../shared/codes/findings.ts'
import type { Device } from '../model/device.ts'
import type { Finding, FindingPolicy, FindingTransition, TransitionCause } from '../model/finding.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import { openCases, type CaseDependencies } from './cases/open.ts'
import type { Conclusion, OpenedFinding, SeenFinding } from './conclude.ts'
import { findingOpened, findingResolved } from './events.ts'

/** What findings are recorded for. */
export interface Recording {
  readonly store: Store
  readonly device: Device
  readonly evidenceHash: Uint8Array
  readonly now: number
  readonly deps: CaseDependencies
  readonly cause: TransitionCause
  /** What the product says of findings. */
  readonly policies: ReadonlyMap<FindingCode, FindingPolicy>
}

/** Stores what was concluded about findings, with each step of each of them. `known`: those that were concluded from. */
export async function recordFindings(
  recording: Recording,
  known: readonly Finding[],
  { opened, seen, left, leaving, faded }: Pick<Conclusion, 'opened' | 'seen' | 'left' | 'leaving' | 'faded'>,
): Promise<void> {
  const { store, device, now } = recording
  const byId = new Map(known.map((finding) => [finding.id, finding]))
  for (const each of seen) {
    const finding = byId.get(each.id)
    if (finding !== undefined) await seeAgain(recording, finding, each)
  }
  for (const { id, state } of left) {
    const finding = byId.get(id)
    if (finding === undefined) continue
    await store.findings.setState(id, state, now)
    await store.findingTransitions.append(id, step(recording, { ...finding, state }))
    await store.notifications.add(findingResolved(device, finding, now))
  }
  for (const { id, hysteresis } of leaving) await store.findings.setHysteresis(id, hysteresis)
  for (const id of faded) {
    if (byId.get(id)?.openings === 0) await store.findings.remove(id)
    else await store.findings.setState(id, 'resolved', now)
  }
  for (const each of opened) await openFinding(recording, each)
}

async function seeAgain(recording: Recording, finding: Finding, { after, state, hysteresis }: SeenFinding) {
  const { store, now, evidenceHash } = recording
  if (finding.state === 'suspected' && state === 'open') {
    const { openings, firstOpenedAt, openedAt } = finding
    const again = { openings: openings + 1, firstOpenedAt: openings === 0 ? openedAt : firstOpenedAt }
    const entered = { ...finding, ...again, after, state, hysteresis, lastSeenAt: now, evidenceHash }
    await store.findings.save(entered)
    return tellOfOpened(recording, entered)
  }
  await store.findings.touch(finding, { at: now, after, hysteresis })
  if (finding.state === state) return
  await store.findings.setState(finding.id, state, now)
  await store.findingTransitions.append(finding.id, step(recording, { ...finding, after, state }))
}

/** One cause on one device is one finding: what comes again opens it again. */
async function openFinding(recording: Recording, deviation: OpenedFinding): Promise<void> {
  const { store, device, now, evidenceHash, deps } = recording
  const { code, subject, before, after, state, openedAt, hysteresis } = deviation
  const earlier = await store.findings.ofCause(device.id, code, subject)
  const openings = (earlier?.openings ?? 0) + (state === 'suspected' ? 0 : 1)
  const finding: Finding = {
    id: earlier?.id ?? makeId('fnd', now, deps.random),
    deviceId: device.id,
    code,
    subject,
    before,
    after,
    state,
    openedAt,
    hysteresis,
    openings,
    evidenceHash,
    severity: findingCodes[code].severity,
    firstOpenedAt: earlier?.firstOpenedAt ?? openedAt,
    lastSeenAt: now,
    resolvedAt: state === 'resolved' ? now : null,
    acknowledgement: null,
  }
  if (earlier === undefined) await store.findings.insert(finding)
  else await store.findings.save(finding)
  if (state !== 'suspected') await tellOfOpened(recording, finding)
}

async function tellOfOpened(recording: Recording, finding: Finding): Promise<void> {
  const { store, device, now, deps, policies } = recording
  const { id, code, subject, state, openings, openedAt } = finding
  const append = (transition: FindingTransition) =>
    openings > 1
      ? store.findingTransitions.appendAgain(id, transition)
      : store.findingTransitions.append(id, transition)
  await append({ ...step(recording, { ...finding, state: 'open' }), at: openedAt })
  if (state !== 'open') await append(step(recording, finding))
  // What does not act opens no case and tells nobody, until the exception is over: see ./exceptions.ts.
  const suppressed = await store.findingExceptions.overFindings([id], now)
  if (suppressed.size > 0) return
  if (state === 'open') {
    const severity = policies.get(code)?.severity ?? findingCodes[code].severity
    await store.notifications.add(findingOpened(device, { code, subject, severity, isAgain: openings > 1 }, now))
  }
  await openCases(store, device, finding, now, deps)
}

const step = (
  { now, cause, evidenceHash }: Pick<Recording, 'now' | 'cause' | 'evidenceHash'>,
  { state, before, after }: Pick<Finding, 'state' | 'before' | 'after'>,
): FindingTransition => ({ at: now, state, cause, actor: null, before, after, evidenceHash })

/** A person accepts these: they are over, and so is what was only suspected. */
export async function resolveFindings(
  store: Store,
  findings: readonly Finding[],
  { actor, now }: { readonly actor: string; readonly now: number },
): Promise<void> {
  for (const { id, state, openings, before, after } of findings) {
    if (state === 'suspected' && openings === 0) {
      await store.findings.remove(id)
      continue
    }
    await store.findings.setState(id, 'resolved', now)
    if (state === 'suspected') continue
    const over = { at: now, state: 'resolved', cause: 'approval', actor, before, after, evidenceHash: null } as const
    await store.findingTransitions.append(id, over)
  }
}

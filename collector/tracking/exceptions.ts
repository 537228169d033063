import type { Logger } from 'pino'
import { findings } from '../../shared/codes/findings.ts'
import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { subjectPattern, type FindingException } from '../model/exception.ts'
import { UNRESOLVED } from '../model/finding.ts'
import { PeriodicWork } from '../periodic-work.ts'
import { makeId } from '../store/ids.ts'
import type { Store } from '../store/index.ts'
import { openCases, type CaseDependencies } from './cases/open.ts'
import { exceptionLapsed } from './events.ts'
import { assertEnds } from './finding-decisions.ts'

type NewException = Pick<
  FindingException,
  'productId' | 'deviceUeid' | 'groupId' | 'code' | 'subject' | 'reason' | 'expiresAt' | 'createdBy'
>

/** Whatever somebody wants not to hear of has to stay countable for people. */
const MAX_ACTIVE = 200

/** Errors: request.invalid, request.not-found, request.conflict; then nothing was made. */
export function makeException(
  store: Store,
  wanted: NewException,
  now: number,
  random: RandomFunction,
): Promise<FindingException> {
  const { productId, deviceUeid, groupId, code, subject, expiresAt, createdBy: actor } = wanted
  if (findings[code].axis === 'integrity') {
    throw new KeepsealError('request.invalid', `${code} is about integrity, which nothing suppresses`, {
      remedy: 'Examine the gateway, then: keepseal device approve UEID',
    })
  }
  if (deviceUeid !== null && groupId !== null)
    throw new KeepsealError('request.invalid', 'a device or a group, not both')
  if (subjectPattern(subject) === undefined) throw new KeepsealError('request.invalid', 'a subject has at most one *')
  assertEnds(expiresAt, now)
  return store.transaction(async (transaction) => {
    if (groupId !== null && (await transaction.deviceGroups.byId(groupId)) === undefined) {
      throw new KeepsealError('request.not-found', `group ${groupId}`)
    }
    const device = deviceUeid === null ? undefined : await transaction.devices.byUeid(deviceUeid)
    if (deviceUeid !== null && device?.productId !== productId) {
      throw new KeepsealError('request.not-found', `device ${deviceUeid} of this product`)
    }
    const active = await transaction.findingExceptions.list({ limit: MAX_ACTIVE }, { productId, activeAt: now })
    if (active.items.length >= MAX_ACTIVE) {
      throw new KeepsealError('request.conflict', `the product has ${MAX_ACTIVE} exceptions`, {
        remedy: 'End some, or approve a release that says what is good.',
      })
    }
    const id = makeId('exc', now, random)
    const exception: FindingException = { ...wanted, id, createdAt: now, endedBy: null, endedAt: null }
    await transaction.findingExceptions.insert(exception, device?.id ?? null)
    const detail = { exception: id, deviceUeid, groupId, code, subject, reason: wanted.reason, expiresAt }
    await transaction.auditLog.append({
      at: now,
      actor,
      action: 'finding-exception.create',
      subject: productId,
      detail,
    })
    return exception
  })
}

/** Before its time. Errors: request.not-found, request.conflict where it is over already. */
export function endException(store: Store, id: string, actor: string, now: number): Promise<FindingException> {
  return store.transaction(async (transaction) => {
    const exception = await transaction.findingExceptions.byId(id)
    if (exception === undefined) throw new KeepsealError('request.not-found', `exception ${id}`)
    if (exception.endedAt !== null || exception.expiresAt <= now)
      throw new KeepsealError('request.conflict', 'it is over')
    await transaction.findingExceptions.end(id, actor, now)
    const entry = { at: now, actor, action: 'finding-exception.end', subject: exception.productId }
    await transaction.auditLog.append({ ...entry, detail: { exception: id } })
    return { ...exception, endedBy: actor, endedAt: now }
  })
}

const BATCH = 200

/** What exceptions that are over have covered acts again: cases are opened for it, and people are told. How many. */
export async function lapseExceptions(store: Store, now: number, deps: CaseDependencies): Promise<number> {
  const lapsed = await store.findingExceptions.lapsed(now, BATCH)
  for (const exception of lapsed) await lapse(store, exception, now, deps)
  return lapsed.length
}

/** Page by page, and again from the beginning where it was interrupted: opening a case twice changes nothing. */
async function lapse(store: Store, exception: FindingException, now: number, deps: CaseDependencies): Promise<void> {
  const { id, productId, code, deviceUeid } = exception
  const filter = { productId, code, state: UNRESOLVED, ...(deviceUeid === null ? {} : { deviceUeid }) }
  let [cursor, acting] = [null as string | null, 0]
  do {
    const after = cursor
    const page = await store.transaction(async (transaction) => {
      const read = await transaction.findings.list({ limit: BATCH, cursor: after }, filter)
      const ids = read.items.map(({ finding }) => finding.id)
      const still = await transaction.findingExceptions.overFindings(ids, now)
      const freed = read.items.filter(({ finding }) => !still.has(finding.id))
      for (const { finding } of freed) {
        const device = await transaction.devices.byId(finding.deviceId)
        if (device !== undefined) await openCases(transaction, device, finding, now, deps)
      }
      return { nextCursor: read.nextCursor, freed: freed.length }
    })
    cursor = page.nextCursor
    acting += page.freed
  } while (cursor !== null)
  await store.transaction(async (transaction) => {
    await transaction.findingExceptions.setLapsed(id, now)
    await transaction.notifications.add(exceptionLapsed(exception, acting, now))
  })
}

export interface ExceptionClockOptions {
  readonly store: Store
  readonly clock: () => number
  readonly deps: CaseDependencies
  readonly logger: Logger
  readonly isLeader: () => Promise<boolean>
  readonly periodMs?: number
}

const PERIOD_MS = 60_000

/** Lets exceptions end by time alone. What has ended is looked up each time: there is nothing to forget. */
export class ExceptionClock extends PeriodicWork {
  readonly #options: ExceptionClockOptions

  constructor(options: ExceptionClockOptions) {
    super({ everyMs: options.periodMs ?? PERIOD_MS, logger: options.logger, failure: 'exceptions did not end' })
    this.#options = options
  }

  async look(): Promise<void> {
    const { store, clock, deps, isLeader } = this.#options
    if (await isLeader()) await lapseExceptions(store, clock(), deps)
  }
}

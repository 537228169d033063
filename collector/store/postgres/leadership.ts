import { Client } from 'pg'
import { KeepsealError } from '../../../shared/errors.ts'
import type { Duty, Leadership } from '../leadership.ts'
import { advisoryLocks } from './advisory-locks.ts'
import { translatePostgresError } from './errors.ts'
import { clientOptions, type PostgresSettings } from './pool.ts'

const ANSWER_MS = 5_000

/**
 * Takes part in the collectors on one database, by advisory locks of a session that is used for nothing else: the
 * server lets go of them when the session ends, however this process or its network ends.
 * Errors: state.in-use while a backup is restored, state.unreachable.
 */
export async function joinPostgres(settings: PostgresSettings): Promise<Leadership> {
  let session: Client | undefined = await openSession(settings)
  const leading = new Set<Duty>()
  let hasResigned = false

  const lose = async (): Promise<void> => {
    const lost = session
    session = undefined
    leading.clear()
    await lost?.end().catch(() => undefined)
  }
  const ask = async (duty: Duty): Promise<boolean> => {
    if (hasResigned) return false
    session ??= await openSession(settings)
    // Also asked while leading: only an answer tells that the session, and the lock with it, is still there.
    const isHeld = leading.has(duty)
    const question = isHeld ? 'select true as held' : `select pg_try_advisory_lock(${advisoryLocks[duty]}) as held`
    const isLeading = await heldAfter(session, question)
    if (isLeading) leading.add(duty)
    return isLeading
  }
  const resign = async (): Promise<void> => {
    hasResigned = true
    for (const duty of leading) {
      // Where the session is lost, the lock is.
      await session?.query(`select pg_advisory_unlock(${advisoryLocks[duty]})`).catch(() => undefined)
    }
    leading.clear()
  }
  // One question at a time: two that find no session would open two, of which one is forgotten and keeps the lock; and an
  // answer that comes late would speak of a session that was lost meanwhile.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(action: () => Promise<T>): Promise<T> => {
    const result = last.then(action)
    last = result.catch(() => undefined)
    return result
  }
  return {
    isLeader: (duty = 'tracking') =>
      inTurn(() =>
        ask(duty).catch(async () => {
          await lose()
          return false
        }),
      ),
    resign: () => inTurn(resign),
    release: () => inTurn(lose),
  }
}

async function openSession(settings: PostgresSettings): Promise<Client> {
  const client = new Client({ ...clientOptions(settings, true), query_timeout: ANSWER_MS })
  client.on('error', () => undefined)
  try {
    await client.connect()
    if (await heldAfter(client, `select pg_try_advisory_lock_shared(${advisoryLocks.serving}) as held`)) return client
    throw new KeepsealError('state.in-use', 'a backup is being restored', { remedy: 'Start again when it has ended.' })
  } catch (cause) {
    await client.end().catch(() => undefined)
    throw translatePostgresError(cause)
  }
}

async function heldAfter(client: Client, question: string): Promise<boolean> {
  const { rows } = await client.query<{ held: boolean }>(question)
  return rows[0]?.held === true
}

/** Holds a database alone: no collector serves from it, and none begins to. Error: state.in-use. */
export async function holdPostgresAlone(settings: PostgresSettings): Promise<() => Promise<void>> {
  const client = new Client(clientOptions(settings, true))
  client.on('error', () => undefined)
  try {
    await client.connect()
    if (await heldAfter(client, `select pg_try_advisory_lock(${advisoryLocks.serving}) as held`))
      return () => client.end()
    throw new KeepsealError('state.in-use', settings.database)
  } catch (cause) {
    await client.end().catch(() => undefined)
    throw translatePostgresError(cause)
  }
}

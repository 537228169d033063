import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { KeepsealError } from '../../../shared/errors.ts'
import { readSecretFile } from '../../trust/key-files.ts'
import type { Store } from '../../store/index.ts'
import { importFeed, type Batch } from '../import.ts'
import { takeProvider } from './csaf/take.ts'
import { download } from './download.ts'
import type { Feed } from './feed.ts'
import { FEED_READERS } from './read.ts'
import { makeAgents, type Agents, type Visit } from './request.ts'

export interface FetchContext {
  readonly store: Store
  readonly clock: () => number
  /** Where files lie until they are taken. */
  readonly directory: string
  /** Of one file, and of silence. */
  readonly wholeMs: number
  readonly idleMs: number
  /** Address of the proxy for what is got by TLS; empty: none. */
  readonly proxy: string
  /** Aborted when the collector ends. */
  readonly signal: AbortSignal
}

/**
 * Fetches a feed and takes what it has now, all of it or nothing. Errors: advisory.*, state.*, and those of the database;
 * after each of them what was there before stays in force.
 */
export async function fetchFeed(
  context: FetchContext,
  feed: Feed,
  mayShrink: boolean,
): Promise<'unchanged' | 'changed'> {
  const { store, clock } = context
  const directory = join(context.directory, feed.name)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const agents = makeAgents(context.proxy)
  try {
    const visit = await visitOf(context, feed, agents)
    if (feed.kind === 'csaf-provider') return await takeProvider({ store, clock, feed, directory, visit, mayShrink })
    const file = join(directory, 'feed')
    const known = await store.advisorySets.feed(feed.name)
    const validators = known === undefined || known.activeSet === null ? null : known
    const fetched = await download(feed.url, file, validators, visit)
    if (fetched === 'unchanged') {
      await store.advisorySets.checked(feed.name, clock())
      return 'unchanged'
    }
    try {
      const { etag, lastModified, sha256: digest } = fetched
      if (validators !== null && validators.digest === digest) {
        await store.advisorySets.checked(feed.name, clock())
        return 'unchanged'
      }
      const batches = untilAborted(FEED_READERS[feed.kind](file), context.signal)
      const { name, authority } = feed
      const whole = { feed: name, authority, batches, validators: { etag, lastModified, digest }, mayShrink }
      await importFeed(store, whole, clock)
      return 'changed'
    } finally {
      await rm(file, { force: true })
    }
  } finally {
    agents.plain.destroy()
    agents.tls.destroy()
  }
}

async function visitOf(context: FetchContext, feed: Feed, agents: Agents): Promise<Visit> {
  const { wholeMs, idleMs, signal } = context
  const { maxBytes, plainHttp, authorizationFile: file } = feed
  const authorization =
    file === ''
      ? null
      : { origin: new URL(feed.url).origin, value: (await readSecretFile(file)).toString('utf8').trim() }
  if (authorization !== null && !/^[\x20-\x7e]{1,8192}$/.test(authorization.value)) {
    throw new KeepsealError('state.unreadable', `${file} is no value of the header Authorization`)
  }
  return { maxBytes, wholeMs, idleMs, plainHttp, isPrivate: null, authorization, agents, signal }
}

async function* untilAborted(batches: AsyncIterable<Batch>, signal: AbortSignal): AsyncGenerator<Batch> {
  for await (const batch of batches) {
    signal.throwIfAborted()
    yield batch
  }
}

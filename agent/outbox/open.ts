import type { KeepsealError } from '../../shared/errors.ts'
import type { StatePaths } from '../state/paths.ts'
import { ContentStore } from './contents.ts'
import { Outbox } from './outbox.ts'

export interface UnsentOptions {
  readonly paths: Pick<StatePaths, 'outbox' | 'contents'>
  /** For reports and contents together. */
  readonly maxBytes: number
  readonly maxAgeSeconds: number
  /** Seconds since 1970: see OutboxOptions. */
  readonly now: () => number
  readonly report: (problem: KeepsealError) => void
}

/** What the collector does not have for certain. */
export interface Unsent {
  readonly outbox: Outbox
  readonly contents: ContentStore
}

/**
 * Opens both under one bound. Contents take at most half of it: they can be measured again, reports cannot.
 * Throws `state.insecure-permissions`, `state.unreadable`, `state.unwritable`, `state.disk-full`.
 */
export async function openUnsent({ paths, maxBytes, maxAgeSeconds, now, report }: UnsentOptions): Promise<Unsent> {
  const contents = await ContentStore.open({
    directory: paths.contents,
    maxBytes: Math.floor(maxBytes / 2),
    report,
    onGrow: async () => outbox.trim(),
  })
  const reserved = (): number => contents.bytes
  const outbox = await Outbox.open({ directory: paths.outbox, maxBytes, maxAgeSeconds, now, reserved, report })
  return { outbox, contents }
}

import { join } from 'node:path'
import { Outbox, type OutboxOptions } from '../../../agent/outbox/outbox.ts'
import type { ErrorCode } from '../../../shared/codes/errors.ts'

export const BLOCK = 4096
export const session = (number: number): Uint8Array => new Uint8Array(16).fill(number)

export interface OpenedOutbox {
  readonly outbox: Outbox
  readonly problems: readonly ErrorCode[]
}

export async function openOutbox(directory: string, changes: Partial<OutboxOptions> = {}): Promise<OpenedOutbox> {
  const problems: ErrorCode[] = []
  const outbox = await Outbox.open({
    directory: join(directory, 'outbox'),
    maxBytes: 8 * BLOCK,
    maxAgeSeconds: 1000,
    now: () => 0,
    report: ({ code }) => problems.push(code),
    ...changes,
  })
  return { outbox, problems }
}

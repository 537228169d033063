import { equal } from '../../shared/bytes/bytes.ts'
import type { Log } from '../log.ts'
import { readBootIdentity } from '../sensors/boot-identity.ts'
import type { Host } from '../sensors/host.ts'
import type { ProgressFile } from './progress.ts'

/**
 * Counts this start, and tells how many there were before it in this boot of the kernel: 0 for an agent that is left
 * alone, and more and more for one that does not live long. null where the boot cannot be told from others.
 */
export async function countStart(progress: ProgressFile, host: Host, log: Log): Promise<number | null> {
  const { bootId } = readBootIdentity(host)
  if (!('value' in bootId)) return null
  const { starts } = progress.current
  const before = starts !== null && equal(starts.boot, bootId.value) ? starts.count : 0
  await progress
    .update({ starts: { boot: bootId.value, count: before + 1 } })
    .catch((error: unknown) => log.warn(error instanceof Error ? error.message : String(error)))
  return before
}

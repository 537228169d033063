import { readFileSync, readlinkSync } from 'node:fs'
import { importKoffi } from '../tpm/library.ts'

/** A part of this process's memory: address and length in bytes. */
export interface Mapping {
  readonly start: number
  readonly length: number
}

const HEADER = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \d+\s+(.+)/
/** Of a mapping: pages that are not what the file holds, and so cannot be read from it again. */
const OWN_PAGES = /^(?:Anonymous|Private_Dirty|Shared_Dirty|Swap):\s+[1-9]/m

/**
 * The mappings of the program's own file that can be read from it again as they are: private, without the right to
 * write, no page of them changed. A page that the loader has relocated (RELRO) is private, read-only, and nowhere else.
 * Those of libraries are left alone: another thread may be loading one.
 * `smaps`: the content of /proc/self/smaps, proc_pid_smaps(5); `program`: where /proc/self/exe leads.
 */
export function unchangedMappings(smaps: string, program: string): Mapping[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap((block) => {
    const [, first = '', end = '', rights = '', file = ''] = HEADER.exec(block) ?? []
    if (file !== program || !/^r-[x-]p$/.test(rights)) return []
    if (!block.includes('\nAnonymous:') || OWN_PAGES.test(block)) return []
    const start = Number.parseInt(first, 16)
    return [{ start, length: Number.parseInt(end, 16) - start }]
  })
}

/** madvise(2), the same on every processor that there is an agent for. */
const MADV_DONTNEED = 4

/**
 * Gives back what only the start has needed: pages of the program's file, which the kernel maps again when one is used,
 * and what the C library holds for allocations to come. Throws what keeps it from that; then nothing is lost but room.
 */
export async function giveBackMemory(): Promise<void> {
  const c = (await importKoffi()).load(null)
  const madvise = c.func('madvise', 'int', ['size_t', 'size_t', 'int'])
  for (const { start, length } of unchangedMappings(
    readFileSync('/proc/self/smaps', 'latin1'),
    readlinkSync('/proc/self/exe'),
  )) {
    madvise(start, length, MADV_DONTNEED)
  }
  const trim = trimOf(c)
  trim?.(0)
}

/** The GNU C library's: others have none, and keep less. */
function trimOf(c: ReturnType<Awaited<ReturnType<typeof importKoffi>>['load']>) {
  try {
    return c.func('malloc_trim', 'int', ['size_t'])
  } catch {
    return undefined
  }
}

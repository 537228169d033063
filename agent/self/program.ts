import { realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { toHex } from '../../shared/bytes/bytes.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import type { Observation } from '../../shared/posture/observation.ts'
import type { AgentContent } from '../../shared/posture/sections/agent.ts'
import type { Host } from '../sensors/host.ts'
import { observed } from '../sensors/observe.ts'
import { Unchanged } from '../sensors/unchanged.ts'

/** Several times what the bundle and the binding have. */
const MAX_BYTES = 64 * 1024 * 1024

export type ProgramFacts = Pick<AgentContent, 'form' | 'program' | 'binding' | 'replaced'>

export interface ProgramFiles {
  /** The file that Node was started with: process.argv[1]. */
  readonly entry: string | undefined
  /** The file that this very code was loaded from. In the bundle that is the same one. */
  readonly loaded: string
  /** Of the native binding, as linux-x64. */
  readonly platform: string
}

type Digests = Pick<ProgramFacts, 'program' | 'binding'>

/**
 * Takes the digests of the agent's own files now, as near to their loading as can be, and answers what is known of them
 * whenever it is asked. `host` is the system that the agent itself runs in, which need not be the measured one.
 */
export function watchProgram(host: Host, files: ProgramFiles): () => ProgramFacts {
  const entry = realPath(files.entry)
  const isOneFile = entry !== undefined && entry === realPath(files.loaded)
  if (!isOneFile) {
    const unknown = { missing: 'absent' } as const
    return () => ({ form: 'modules', program: unknown, binding: unknown, replaced: unknown })
  }
  const paths = [entry, join(dirname(entry), `koffi-${files.platform}.node`)] as const
  const kept = new Unchanged<Digests>()
  const now = (): Digests => kept.get(host, paths, () => digestsOf(host, paths))
  const started = now()
  return () => ({ form: 'one-file', ...started, replaced: isReplaced(started, now()) })
}

const digestsOf = (host: Host, [program, binding]: readonly [string, string]): Digests => ({
  program: digestOf(host, program),
  binding: digestOf(host, binding),
})

const digestOf = (host: Host, path: string): Observation<string> =>
  observed(host.readFile(path, MAX_BYTES), (bytes) => ({ value: toHex(sha256(bytes)) }))

/** What cannot be read is not known to be the same. A file that was not there and is not there is no other one. */
function isReplaced(started: Digests, now: Digests): Observation<boolean> {
  const states = [started.program, started.binding].map((before, index) => {
    const after = index === 0 ? now.program : now.binding
    if ('value' in before && 'value' in after) return before.value !== after.value
    const isGone = 'missing' in after && after.missing === 'absent'
    const wasAbsent = 'missing' in before && before.missing === 'absent'
    return isGone || wasAbsent ? isGone !== wasAbsent : 'unknown'
  })
  if (states.includes(true)) return { value: true }
  return states.includes('unknown') ? { missing: 'unreadable' } : { value: false }
}

function realPath(path: string | undefined): string | undefined {
  try {
    return path === undefined ? undefined : realpathSync(path)
  } catch {
    return undefined
  }
}

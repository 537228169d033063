import { spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'

/** One of the built programs as a process of its own; what it says goes to a log file. */
export interface Child {
  readonly process: ChildProcess
  /** Resolves with the exit code. */
  readonly ended: Promise<number>
  stop(): Promise<void>
}

export interface ChildOptions {
  /** In dist, or an absolute path. */
  readonly program: string
  readonly arguments: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly logFile: string
  /** Flags of Node itself, such as those that the service is shipped with. */
  readonly nodeFlags?: readonly string[]
  /** The Node to run it with; this one without it. */
  readonly node?: string | undefined
}

const STOP_TIMEOUT_MS = 10_000

export function startChild(repository: string, options: ChildOptions): Child {
  const log = openSync(options.logFile, 'a', 0o600)
  const program = isAbsolute(options.program) ? options.program : join(repository, 'dist', options.program)
  const child = spawn(options.node ?? process.execPath, [...(options.nodeFlags ?? []), program, ...options.arguments], {
    // A process group of its own: Ctrl-C reaches the preview alone, which then stops its parts in order.
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...options.environment },
  })
  closeSync(log)
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(70))
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 70 : 128)))
  })
  return {
    process: child,
    ended,
    async stop() {
      child.kill('SIGTERM')
      const killer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await ended
      clearTimeout(killer)
    },
  }
}

/** Keeps what has to be done at the end. */
export type Keep = (stop: () => Promise<unknown>) => void

/** Rejects when a part ends by itself: a preview that has lost one of its halves must not look alive. */
let failChild: (error: Error) => void = () => undefined
export const childEnded = new Promise<never>((_, reject) => {
  failChild = reject
})
childEnded.catch(() => undefined)

export function supervise(name: string, child: Child, logFile: string, keep: Keep): void {
  let stopping = false
  keep(() => {
    stopping = true
    return child.stop()
  })
  void child.ended.then((code) => {
    if (!stopping) failChild(new Error(`The ${name} ended with exit code ${code}. Its log: ${logFile}`))
  })
}

import { spawn } from 'node:child_process'
import { COMMANDS, type CommandId, type SystemCommand } from '../sensors/commands.ts'
import type { Host, HostResult } from '../sensors/host.ts'
import { findTrustedProgram, type TrustedProgram } from './trusted-program.ts'

/** All that a command is given of an environment: messages in one language, and where its own helpers are. */
const ENVIRONMENT = { LC_ALL: 'C', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } as const

export interface RunnerOptions {
  readonly commands?: Readonly<Record<CommandId, SystemCommand>>
  /** Is told why a command gave no result. */
  readonly tell?: (message: string) => void
  readonly find?: (path: string) => TrustedProgram
}

/** Process groups of commands that are running. */
const running = new Set<number>()

/** Ends all commands, with what they have started. For the end of the process, which must not leave them behind. */
export function killCommands(): void {
  for (const group of running) killGroup(group)
}

/**
 * Runs the fixed commands of the system: no shell, no input, nothing of this process's environment, output and time
 * bounded. See Host.run for what it answers.
 */
export function createRunner({
  commands = COMMANDS,
  tell = () => undefined,
  find = findTrustedProgram,
}: RunnerOptions = {}): Host['run'] {
  return async (id) => {
    const command = commands[id]
    for (const path of command.paths) {
      const program = find(path)
      if (program.status === 'absent') continue
      if (program.status === 'trusted') return run(id, path, program.path, command, tell)
      // Not the next one: what stands in the place of a command is not passed over in silence.
      tell(`${id} is not run: ${program.reason}`)
      return { status: 'unreadable' }
    }
    return { status: 'absent' }
  }
}

function run(
  id: CommandId,
  name: string,
  path: string,
  { args, maxBytes, timeoutMs }: SystemCommand,
  tell: (message: string) => void,
): Promise<HostResult<string>> {
  return new Promise((resolve) => {
    // Some programs are several in one file, and do what the name that they are called by says.
    const child = spawn(path, args, {
      argv0: name,
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'ignore'],
      detached: true,
      shell: false,
    })
    const group = child.pid
    if (group !== undefined) running.add(group)
    const chunks: Buffer[] = []
    let size = 0
    let ended = false
    const finish = (result: HostResult<string>, problem?: string): void => {
      if (ended) return
      ended = true
      clearTimeout(timer)
      if (group !== undefined) {
        // Whatever it left running goes with it, and may not hold the pipe open.
        killGroup(group)
        running.delete(group)
      }
      child.stdout.destroy()
      if (problem !== undefined) tell(`${id} ${problem}`)
      resolve(result)
    }
    const timer = setTimeout(() => finish({ status: 'unreadable' }, `took longer than ${timeoutMs} ms`), timeoutMs)
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) finish({ status: 'too-large' }, `printed more than ${maxBytes} bytes`)
      else chunks.push(chunk)
    })
    child.on('error', (error) => {
      const denied = 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')
      finish({ status: denied ? 'no-permission' : 'unreadable' }, `cannot be started: ${error.message}`)
    })
    child.on('close', (code, signal) => {
      // Half of an output reads like less of a firewall, so only a command that says it is done is believed.
      if (code !== 0) return finish({ status: 'unreadable' }, `ended with ${signal ?? `exit code ${code}`}`)
      finish({ status: 'found', value: Buffer.concat(chunks, size).toString('latin1') })
    })
  })
}

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // ESRCH: it has ended, with all that it started.
  }
}

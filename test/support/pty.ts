import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

export const hasCommand = (name: string): boolean => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0

/** util-linux has what runs a command on a terminal of its own. */
export const hasPty = hasCommand('script')

export interface Pty {
  readonly send: (text: string) => void
  /** All that was written so far. */
  readonly output: () => string
  /** Waits until what was written since the last wait matches, and answers with that. */
  readonly until: (pattern: RegExp) => Promise<string>
  /** The exit code, once the command has ended. */
  readonly ended: Promise<number | null>
  readonly kill: () => void
}

const PATIENCE_MS = 20_000

/** A command of the shell on a terminal of 80 columns. */
export function openPty(
  command: string,
  { directory, env = {} }: { readonly directory: string; readonly env?: Readonly<Record<string, string>> },
): Pty {
  const child = spawn(
    'script',
    ['--quiet', '--return', '--flush', '--command', `stty cols 80 rows 24; exec ${command}`, '/dev/null'],
    {
      cwd: directory,
      env: { PATH: process.env.PATH, HOME: directory, TERM: 'xterm', LANG: 'C.UTF-8', ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  let output = ''
  let seen = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => void (output += text))
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  return {
    send: (text) => void child.stdin.write(text),
    output: () => output,
    until: async (pattern) => {
      const end = Date.now() + PATIENCE_MS
      for (;;) {
        const rest = output.slice(seen)
        const found = pattern.exec(rest)
        if (found !== null) {
          seen += found.index + found[0].length
          return rest.slice(0, found.index + found[0].length)
        }
        if (Date.now() > end) throw new Error(`${String(pattern)} did not come: ${JSON.stringify(rest)}`)
        await sleep(20)
      }
    },
    ended,
    kill: () => void child.kill('SIGKILL'),
  }
}

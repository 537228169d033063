import { spawnSync } from 'node:child_process'

export interface RunOptions {
  readonly input?: string
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** A program that has to succeed; answers with what it has printed. */
export function run(program: string, parameters: readonly string[], options: RunOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(program, parameters, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    timeout: 600_000,
    env: { ...process.env, LC_ALL: 'C', PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    ...options,
  })
  if (error !== undefined) throw new Error(`${program} cannot be started`, { cause: error })
  if (status !== 0) throw new Error(`${program} ${parameters.join(' ')}: ${stderr.slice(-2000)}${stdout.slice(-2000)}`)
  return stdout
}

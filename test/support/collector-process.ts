import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { settingsIn } from './test-collector.ts'

const ROOT = new URL('../../', import.meta.url).pathname
/** Within the tree, so that the packages are found from it. */
const BUILT = join(ROOT, 'node_modules', '.cache', `keepseal-process-${process.pid}`)

/** A collector that is a process of its own, and can be killed as one. */
export interface CollectorProcess {
  readonly child: ChildProcess
  /** What it has logged, line by line. */
  readonly log: () => readonly Record<string, unknown>[]
  /** SIGKILL. */
  kill(): Promise<void>
  /** SIGTERM; its exit code. */
  terminate(): Promise<number | null>
}

export interface ProcessOptions {
  /** Of the whole collector; its data lies below. */
  readonly directory: string
  readonly settings?: readonly string[]
  readonly roles?: string
  /** Programs with their parameters that start it: prlimit, say. */
  readonly under?: readonly string[]
}

/** Builds the program for a test file. Gives what starts it, resolving when it says that it is running. */
export function useCollectorProcesses(): (options: ProcessOptions) => Promise<CollectorProcess> {
  const running: CollectorProcess[] = []
  beforeAll(async () => {
    mkdirSync(BUILT, { recursive: true })
    writeFileSync(join(BUILT, 'package.json'), '{"type":"module"}')
    await build({
      entryPoints: {
        collector: join(ROOT, 'collector', 'main.ts'),
        worker: join(ROOT, 'collector', 'ingest', 'verify', 'worker.ts'),
      },
      outdir: BUILT,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    })
  })
  afterEach(async () => {
    for (const each of running.splice(0)) await each.kill()
  })
  afterAll(() => rmSync(BUILT, { recursive: true, force: true }))
  return async (options) => {
    const started = await start(options)
    running.push(started)
    return started
  }
}

async function start({ directory, settings = [], roles, under = [] }: ProcessOptions): Promise<CollectorProcess> {
  const set = settingsIn(directory, ...settings).flatMap((setting) => ['--set', setting])
  const [program = '', ...parameters] = [
    ...under,
    process.execPath,
    join(BUILT, 'collector.js'),
    'serve',
    ...(roles === undefined ? [] : ['--roles', roles]),
    ...set,
  ]
  const child = spawn(program, parameters, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  const gone = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)))
  await new Promise<void>((resolve, reject) => {
    void gone.then(() => reject(new Error(`it ended: ${output}`)))
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString()
      if (output.includes('the collector is running')) resolve()
    })
  })
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal)
    return gone
  }
  return {
    child,
    log: () =>
      output
        .split('\n')
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    kill: async () => {
      // One that is stopped by SIGSTOP dies of SIGKILL as well.
      if (child.exitCode === null && child.signalCode === null) await end('SIGKILL')
    },
    terminate: () => end('SIGTERM'),
  }
}

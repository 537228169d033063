#!/usr/bin/env node
import { fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import { parseArgs } from 'node:util'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import { printable } from '../../shared/text/printable.ts'
import { version } from '../../shared/version.ts'
import { createHost } from '../sensors/host.ts'
import { listen } from './listen.ts'
import { MEASURE_SUMMARY, MEASURE_USE, measureOptions } from './options.ts'
import { createRunner, killCommands } from './run-command.ts'
import { serve } from './serve.ts'

const HELP = `keepseal-measure: ${MEASURE_SUMMARY}

${MEASURE_USE}

${Object.entries(measureOptions)
  .map(([name, option]) => {
    const flag = `--${name}${'placeholder' in option ? ` ${option.placeholder}` : ''}`
    return `  ${flag.padEnd(14)}  ${option.description}`
  })
  .join('\n')}
`

/** Of the whole process that serves a connection, commands included. Below what unit and --listen allow. */
const LIFETIME_MS = 75_000

const tell = (message: string): void => void process.stderr.write(`keepseal-measure: ${printable(message)}\n`)

function fail(error: unknown, code: number = exitCodes.internal): void {
  tell(error instanceof Error ? error.message : String(error))
  process.exitCode = code
}

async function serveConnection(): Promise<void> {
  process.once('exit', killCommands)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => process.exit(1))
  const lifetime = setTimeout(() => {
    tell(`ended after ${LIFETIME_MS} ms`)
    process.exit(1)
  }, LIFETIME_MS)
  // Never absent: this program has no TPM to look at, and cannot say that there is none.
  const tpm = async () => ({ status: 'no-permission' }) as const
  const host = createHost({ run: createRunner({ tell }), tpm })
  try {
    await serve(new Socket({ fd: 0, allowHalfOpen: true }), { host })
  } finally {
    clearTimeout(lifetime)
  }
}

async function listenAt(path: string, group: string | undefined): Promise<void> {
  const self = process.argv[1]
  if (self === undefined) throw new Error('the path of this program is not known')
  const server = await listen({ path, group, server: [process.execPath, ...process.execArgv, self], tell })
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => server.close())
}

function options() {
  const { values } = parseArgs({ options: measureOptions })
  if (values.group !== undefined && values.listen === undefined) throw new Error('--group goes with --listen')
  if (values.listen !== undefined && !values.listen.startsWith('/')) throw new Error('--listen takes an absolute path')
  return values
}

async function main(): Promise<void> {
  let values: ReturnType<typeof options>
  try {
    values = options()
  } catch (error) {
    return fail(error, exitCodes.usage)
  }
  if (values.help === true) process.stdout.write(HELP)
  else if (values.version === true) process.stdout.write(`keepseal-measure ${version}\n`)
  else if (values.listen !== undefined) await listenAt(values.listen, values.group)
  else if (fstatSync(0).isSocket()) await serveConnection()
  else {
    process.stderr.write(HELP)
    process.exitCode = exitCodes.usage
  }
}

main().catch((error: unknown) => fail(error))

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiToken } from '../../../collector/api/authentication.ts'
import { useCollectorProcesses } from '../../support/collector-process.ts'
import { freePort } from '../../support/mosquitto.ts'
import { hasPty, openPty } from '../../support/pty.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { Workbench } from '../../support/test-collector.ts'

const scratch = useScratchDirectories('watch')
const startProcess = useCollectorProcesses()

const ESCAPE = '\u001b'

/** Within the tree, so that the packages are found from it. */
const BUILT = join(
  new URL('../../../', import.meta.url).pathname,
  'node_modules',
  '.cache',
  `keepseal-cli-${process.pid}`,
)
const program = join(BUILT, 'main.mjs')

beforeAll(async () => {
  mkdirSync(BUILT, { recursive: true })
  await build({
    entryPoints: ['collector/cli/client/main.ts'],
    outfile: program,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
  })
})
afterAll(() => rmSync(BUILT, { recursive: true, force: true }))

/** A collector that can be started anew at the same address, and what a person at a terminal has to know of it. */
async function site() {
  const directory = scratch()
  const port = await freePort()
  const settings = ['http.plain=true', `http.plain_port=${port}`]
  const serve = () => startProcess({ directory, settings })
  const first = await serve()
  const bench = await Workbench.open(directory)
  const wanted = { name: 'test', role: 'operator', scope: null, expiresAt: null } as const
  const token = await createApiToken(bench.store, wanted, { now: Date.now(), random: (size) => randomBytes(size) })
  const env = { KEEPSEAL_URL: `http://localhost:${port}`, KEEPSEAL_TOKEN: token.text }
  return { directory, bench, env, serve, first }
}

describe('keepseal --watch', () => {
  it.skipIf(!hasPty)(
    `at a terminal, draws what changes, outlives a restart of the collector, and ends by Ctrl-C${hasPty ? '' : ' (skipped: no script of util-linux)'}`,
    async () => {
      const { directory, bench, env, serve, first } = await site()
      const command = `${process.execPath} ${program} fleet status --watch --interval 1`
      const pty = openPty(command, { directory, env: { ...env, NO_COLOR: '1' } })
      try {
        await pty.until(/0 of 0 devices proven good/)
        await bench.enrol()
        await pty.until(/0 of 1 device proven good/)
        await first.terminate()
        await pty.until(/is\s[^a-z]*asked\s[^a-z]*again/)
        const second = await serve()
        await pty.until(/keepseal fleet status  Ctrl-C ends[\s\S]*0 of 1 device/)
        pty.send('\u0003')
        expect(await pty.ended).toBe(0)
        const screen = pty.output().replaceAll(ESCAPE, '<ESC>')
        // The cursor is there again, and what was seen last stands on the screen before.
        expect(screen).toMatch(/<ESC>\[\?25h<ESC>\[\?1049l0 of 1 device proven good[^<]*$/)
        const lines = screen.split('<ESC>[?1049l')[1]?.split('\r\n') ?? []
        expect(lines.filter((line) => line.length > 80)).toEqual([])
        await second.terminate()
      } finally {
        pty.kill()
        await bench.close()
      }
    },
    60_000,
  )

  it('in a pipe with --json, gives a document a line, and ends when nobody reads on', async () => {
    const { bench, env } = await site()
    const parameters = [program, 'device', 'list', '--json', '--watch', '--interval', '1']
    const child = spawn(process.execPath, parameters, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => void (output += text))
    const until = async (count: number): Promise<void> => {
      while (output.split('\n').length - 1 < count) await new Promise((resolve) => setTimeout(resolve, 50))
    }
    await until(1)
    await bench.enrol()
    await until(2)
    const documents = output
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { items: unknown[] })
    expect(documents.map(({ items }) => items.length)).toEqual([0, 1])
    child.stdout.destroy()
    await bench.enrol()
    expect(await ended).toBe(0)
    await bench.close()
  }, 60_000)
})

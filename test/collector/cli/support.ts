import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { afterEach, beforeEach } from 'vitest'
import { buildApi, type TlsIdentity } from '../../../collector/api/app.ts'
import type { ApiServices } from '../../../collector/api/services.ts'
import { createApiToken } from '../../../collector/api/authentication.ts'
import { client } from '../../../collector/cli/client/program.ts'
import type { ApiRole } from '../../../collector/model/product.ts'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { publishedFacts } from '../../../collector/decisions/published-facts.ts'
import { openStore, type Store } from '../../../collector/store/index.ts'
import { defaultLivenessPolicy } from '../../../collector/tracking/liveness.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { recordTerminal } from '../../support/terminal.ts'
import { testKeys } from '../api/support.ts'
import { NOW } from '../store/samples.ts'

export interface RunResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface TestCollector {
  readonly store: Store
  readonly url: string
  /** A directory of this test alone. */
  readonly directory: string
  readonly tokens: Readonly<Record<ApiRole, string>>
  /** Runs `keepseal` as somebody of that role would. */
  readonly run: (role: ApiRole, ...argv: string[]) => Promise<RunResult>
  /** The same with an environment of one's own. */
  readonly runWith: (env: Record<string, string>, ...argv: string[]) => Promise<RunResult>
}

/** A collector's API that listens on loopback over a store of its own, for each test. */
export function useCollector(
  tls?: () => TlsIdentity,
  clock = () => NOW,
  over: (store: Store) => Partial<ApiServices> = () => ({}),
): () => TestCollector {
  let collector: TestCollector | undefined
  let stop = async (): Promise<void> => {}
  beforeEach(async () => {
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-cli-'))
    const { store, close } = await openStore({ path: join(directory, 'state', 'collector.db') })
    const app = await buildApi(
      {
        store,
        decisions: new DecisionBook(store),
        clock,
        random: randomBytes,
        version: '0.0.0-test',
        publicUrl: 'https://collector.example',
        livenessTime: () => ({ policy: defaultLivenessPolicy, now: clock(), downtime: [] }),
        keys: testKeys(),
        ...publishedFacts(store),
        ...over(store),
      },
      tls?.(),
    )
    const url = (await app.listen({ host: '127.0.0.1', port: 0 })).replace('127.0.0.1', 'localhost')
    const tokenOf = async (role: ApiRole) =>
      (
        await createApiToken(
          store,
          { name: role, role, scope: null, expiresAt: null },
          { now: NOW, random: randomBytes },
        )
      ).text
    const tokens = {
      vendor: await tokenOf('vendor'),
      operator: await tokenOf('operator'),
      certifier: await tokenOf('certifier'),
      auditor: await tokenOf('auditor'),
    }
    const home = join(directory, 'config')
    const runWith: TestCollector['runWith'] = async (env, ...argv) => {
      const terminal = recordTerminal({ env: { XDG_CONFIG_HOME: home, ...env } })
      const code = await runProgram(client, argv, terminal, parseArgs)
      return { code, stdout: terminal.stdout(), stderr: terminal.stderr() }
    }
    collector = {
      store,
      url,
      directory,
      tokens,
      runWith,
      run: (role, ...argv) => runWith({ KEEPSEAL_URL: url, KEEPSEAL_TOKEN: tokens[role] }, ...argv),
    }
    stop = async () => {
      await app.close()
      await close()
      rmSync(directory, { recursive: true })
    }
  })
  afterEach(() => stop())
  return () => {
    if (collector === undefined) throw new Error('only within a test')
    return collector
  }
}

/** The configuration file where the command looks for it. */
export function writeConfig({ directory }: TestCollector, content: string, mode = 0o600): string {
  mkdirSync(join(directory, 'config', 'keepseal'), { recursive: true })
  const file = join(directory, 'config', 'keepseal', 'cli.toml')
  writeFileSync(file, content, { mode })
  return file
}

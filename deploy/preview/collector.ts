import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApiClient, type ApiClient } from './api-client.ts'
import { childEnded } from './child.ts'
import type { PreviewPorts } from './ports.ts'
import { PRODUCT } from './settings.ts'

const READY_TIMEOUT_MS = 60_000

export async function connectApi(
  repository: string,
  home: string,
  ports: PreviewPorts,
  environment: Record<string, string>,
): Promise<ApiClient> {
  const caFile = join(home, 'collector', 'keys', 'device-ca.pem')
  const url = `https://localhost:${ports.https}`
  const deadline = Date.now() + READY_TIMEOUT_MS
  const waitUntil = async (condition: () => Promise<boolean>): Promise<void> => {
    while (!(await Promise.race([condition(), childEnded]))) {
      if (Date.now() > deadline)
        throw new Error('The collector does not start. Its log: .cache/preview/logs/collector.log')
      await sleep(100)
    }
  }
  await waitUntil(async () => existsSync(caFile) && existsSync(join(home, 'collector', 'collector.db')))
  const tokenFile = join(home, 'api-token')
  let client: ApiClient | undefined
  await waitUntil(async () => {
    try {
      client = createApiClient(url, caFile, ensureToken(repository, tokenFile, environment))
      await client.get('/products')
      return true
    } catch {
      return false
    }
  })
  if (client === undefined) throw new Error('unreachable')
  return client
}

/** One token for the roles of vendor and operator; the certificate of the example is made with one of a certifier. */
function ensureToken(repository: string, file: string, environment: Record<string, string>): string {
  if (existsSync(file)) return readFileSync(file, 'utf8').trim()
  const token = makeToken(repository, 'operator', environment)
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  return token
}

export function makeToken(
  repository: string,
  role: string,
  environment: Record<string, string>,
  name = 'preview',
): string {
  const program = join(repository, 'dist', 'collector', 'main.js')
  const result = spawnSync(process.execPath, [program, 'api-token', 'create', '--role', role, '--name', name], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  })
  if (result.status !== 0) throw new Error(`no API token could be made: ${result.stderr}`)
  return result.stdout.trim()
}

/** What one of the collector's own commands prints as JSON. */
export function askCollector<T>(
  repository: string,
  environment: Record<string, string>,
  words: readonly string[],
): T | undefined {
  const program = join(repository, 'dist', 'collector', 'main.js')
  const result = spawnSync(process.execPath, [program, ...words, '--json'], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  })
  return result.status === 0 ? (JSON.parse(result.stdout) as T) : undefined
}

export async function ensureProduct(api: ApiClient): Promise<string> {
  const { items } = await api.get<{ items: { id: string; vendor: string; model: string }[] }>('/products')
  const known = items.find(({ vendor, model }) => vendor === PRODUCT.vendor && model === PRODUCT.model)
  if (known !== undefined) return known.id
  const body = { ...PRODUCT, identityPolicy: 'software', approvalPolicy: 'automatic' }
  return (await api.post<{ id: string }>('/products', body)).id
}

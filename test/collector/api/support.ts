import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { ApiRole } from '../../../collector/model/product.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { hmac } from '../../../shared/crypto/node.ts'
import { buildApi } from '../../../collector/api/app.ts'
import { createApiToken } from '../../../collector/api/authentication.ts'
import type { ApiServices } from '../../../collector/api/services.ts'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { publishedFacts } from '../../../collector/decisions/published-facts.ts'
import { openStore, type OpenStore, type Store } from '../../../collector/store/index.ts'
import { defaultLivenessPolicy } from '../../../collector/tracking/liveness.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { NOW } from '../store/samples.ts'

export const ROLES: readonly ApiRole[] = ['vendor', 'operator', 'certifier', 'auditor']

export interface TestApi {
  readonly app: FastifyInstance
  readonly store: Store
  /** An API token of each role. */
  readonly tokens: Readonly<Record<ApiRole, string>>
  /** Its time can be set. */
  readonly clock: { now: number }
  readonly call: (
    role: ApiRole | null,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
  ) => Promise<{ status: number; body: Record<string, unknown>; headers: Record<string, unknown>; raw: Buffer }>
}

/** A collector's API over a store of its own, for each test or one for all; `over` changes what it works with. */
export function useApi(over: Partial<ApiServices> = {}, sharing: 'each' | 'all' = 'each'): () => TestApi {
  let api: TestApi | undefined
  let opened: OpenStore | undefined
  let directory = ''
  const before = sharing === 'each' ? beforeEach : beforeAll
  const after = sharing === 'each' ? afterEach : afterAll
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-api-'))
    opened = await openStore({ path: join(directory, 'collector.db') })
    api = await buildTestApi(opened.store, over)
  })
  after(async () => {
    await api?.app.close()
    await opened?.close()
    rmSync(directory, { recursive: true })
  })
  return () => {
    if (api === undefined) throw new Error('only within a test')
    return api
  }
}

/** Keys of a collector that exists for a test alone. */
export function testKeys(): ApiServices['keys'] {
  const { signer, x } = ed25519Signer(randomBytes(32))
  const totpSecretOf: ApiServices['keys']['totpSecretOf'] = (account, salt) =>
    Uint8Array.from(hmac('sha1', salt, utf8(account)))
  const keyHistory = { first: x, statements: [] }
  return { collectorId: randomBytes(16), signer, publicKey: { curve: 'Ed25519', x }, keyHistory, totpSecretOf }
}

async function buildTestApi(store: Store, over: Partial<ApiServices>): Promise<TestApi> {
  const clock = { now: NOW }
  const app = await buildApi({
    store,
    decisions: new DecisionBook(store),
    clock: () => clock.now,
    random: randomBytes,
    version: '0.0.0-test',
    publicUrl: 'https://collector.example',
    livenessTime: () => ({ policy: defaultLivenessPolicy, now: clock.now, downtime: [] }),
    keys: testKeys(),
    passwordCost: { logN: 4, r: 1, p: 1 },
    ...publishedFacts(store),
    ...over,
  })
  const make = async (role: ApiRole) =>
    (await createApiToken(store, { name: role, role, scope: null, expiresAt: null }, { now: NOW, random: randomBytes }))
      .text
  const tokens = {
    vendor: await make('vendor'),
    operator: await make('operator'),
    certifier: await make('certifier'),
    auditor: await make('auditor'),
  }
  const call: TestApi['call'] = async (role, method, path, body) => {
    const response = await app.inject({
      method,
      url: path,
      ...(role === null ? {} : { headers: { authorization: `Bearer ${tokens[role]}` } }),
      ...(body === undefined ? {} : { payload: body }),
    })
    const json = String(response.headers['content-type']).includes('json')
    return {
      status: response.statusCode,
      body: json ? (response.json() as Record<string, unknown>) : {},
      headers: response.headers,
      raw: response.rawPayload,
    }
  }
  return { app, store, tokens, clock, call }
}

import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createAccount } from '../../collector/access/accounts.ts'
import { hotp, totpStep } from '../../collector/access/totp.ts'
import { processBatch } from '../../collector/ingest/process-batch.ts'
import type { Collector } from '../../collector/app.ts'
import type { ApiRole } from '../../collector/model/product.ts'
import { openStore, type Store } from '../../collector/store/index.ts'
import { loadOrCreateKeys, type CollectorKeys } from '../../collector/trust/keys.ts'
import { fromBase32 } from '../../deploy/preview/base32.ts'
import { hmac, random } from '../../shared/crypto/node.ts'
import { createChallenge } from '../../shared/evidence/challenge.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { decideIn } from './certified-profile.ts'
import { DecidingPeople } from './decision-log.ts'
import { IngestingCollector } from './ingesting-collector.ts'
import { MEMORY } from './memory.ts'
import { runCollector } from './test-collector.ts'
import { copyFleet, fillFleet, gatewayOf, type FilledFleet } from './web-fleet.ts'

export interface Person {
  readonly login: string
  readonly password: string
  /** Of his app, now; each is good once. */
  readonly code: () => string
}

export interface WebSite {
  /** For a browser on this machine. */
  readonly url: string
  readonly directory: string
  readonly people: Readonly<Record<'operator' | 'certifier' | 'second', Person>>
  /** That booted a foreign kernel, and that opened a port nobody has approved. */
  readonly tampered: Ueid
  readonly drifted: Ueid
  readonly productId: string
  /** Signed by the key of a person of the log, and appended to it. */
  decide(kind: string, subject: string, detail: object): Promise<void>
  /** The drifted gateway reads what it was asked last, and answers; its messages take the way of all others. */
  answer(): Promise<void>
  /** Ends the collector and starts it again on the same port, with further settings. */
  restart(...settings: readonly string[]): Promise<void>
  close(): Promise<void>
}

export interface WebSiteOptions {
  /** Puts in more. */
  readonly fill?: (store: Store, path: string) => Promise<void>
  /** Where fleets are kept for others who need one of this size; without, it is filled for this site alone. */
  readonly shared?: string | undefined
}

/** A fleet that others have filled is called fresh nevertheless: its gateways need not report so often. */
const PATIENT = ['liveness.report_interval_seconds=43200', 'liveness.silent_after_seconds=604800']

/** A real collector with its pages, and what a fleet of simulated gateways has sent to it. */
export async function openWebSite(gateways: number, { fill, shared }: WebSiteOptions = {}): Promise<WebSite> {
  const directory = mkdtempSync(join(MEMORY, 'keepseal-web-'))
  const dataDirectory = join(directory, 'data')
  const path = join(dataDirectory, 'collector.db')
  const filled =
    shared === undefined ? await fillFleet(dataDirectory, gateways) : await copyFleet(shared, dataDirectory, gateways)
  const keys = await loadOrCreateKeys({ dataDirectory, now: filled.begin, random })
  const { store, close } = await openStore({ path })
  const deciding = DecidingPeople.of(await store.decisions.from(0, 500), Math.floor(filled.begin / 1000))
  const accounts = {
    operator: await account(store, 'olga', 'Olga Operator', 'operator'),
    certifier: await account(store, 'cleo', 'Cleo Certifier', 'certifier'),
    second: await account(store, 'otto', 'Otto Operator', 'operator'),
  }
  await fill?.(store, path)
  await close()

  const settings = ['http.plain=true', ...(shared === undefined ? [] : PATIENT)]
  let collector: Collector = await runCollector(directory, ...settings, 'http.plain_port=0')
  const port = collector.servers.plainPort
  const url = `http://localhost:${port}`
  const people = Object.fromEntries(
    await Promise.all(
      Object.entries(accounts).map(async ([name, each]) => [name, await takeUp(url, each.login, each.invitation)]),
    ),
  ) as WebSite['people']
  const inStore = async <T>(act: (opened: Store) => Promise<T>): Promise<T> => {
    const opened = await openStore({ path })
    try {
      return await act(opened.store)
    } finally {
      await opened.close()
    }
  }
  return {
    url,
    directory,
    people,
    tampered: filled.tampered.ueid,
    drifted: filled.drifted.ueid,
    productId: filled.productId,
    decide: (kind, subject, detail) =>
      inStore((opened) => decideIn(opened, deciding, deciding.certifier, kind, subject, detail)),
    answer: () => inStore((opened) => answer(opened, filled, keys)),
    async restart(...more) {
      await collector.stop()
      collector = await runCollector(directory, ...settings, `http.plain_port=${port}`, ...more)
    },
    async close() {
      await collector.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function answer(store: Store, filled: FilledFleet, keys: CollectorKeys): Promise<void> {
  const device = await store.devices.byUeid(filled.drifted.ueid)
  const asked = device && (await store.attestationChallenges.newest(device.id))
  const epoch = await store.epochs.current()
  if (asked === undefined || epoch === undefined) throw new Error('nothing was asked')
  const gateway = gatewayOf(filled, filled.drifted, keys)
  const { number, nonce, expiresAt } = asked
  const { collectorId } = keys
  gateway.learn({ ...epoch, collectorId, issuedAt: Math.floor(epoch.issuedAt / 1000), period: 300 })
  const question = { number, nonce, expiresAt: Math.floor(expiresAt / 1000) }
  await gateway.answered(createChallenge(gateway.ueid, question, gateway.identity.receiptKey))
  await gateway.report(Date.now())
  const delivery = gateway.outbox.waiting.at(-1)
  if (delivery === undefined) throw new Error('it has not answered')
  const receiving = new IngestingCollector(store, keys)
  for (const { topic, bytes } of await gateway.messagesOf(delivery)) {
    await processBatch(store, [{ topic, bytes, receivedAt: Date.now() }], receiving.deps, Date.now())
  }
}

async function account(
  store: Parameters<typeof createAccount>[0],
  login: string,
  name: string,
  role: ApiRole,
): Promise<{ login: string; invitation: string }> {
  const made = await createAccount(store, { login, name, role, scope: null }, { now: Date.now(), random, by: 'test' })
  return { login, invitation: made.invitation }
}

/** As a person does it, with an app that shows codes. */
async function takeUp(url: string, login: string, invitation: string): Promise<Person> {
  const password = 'several words that nobody guesses'
  const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as Record<string, unknown>
  }
  const { totpSecret } = await post('/invitations/open', { invitation })
  const secret = fromBase32(String(totpSecret))
  let used = totpStep(Date.now()) - 1
  const code = (): string => hotp(hmac, secret, Math.max((used += 1), totpStep(Date.now()) - 1))
  const first = code()
  const { recoveryCodes } = await post('/invitations/take-up', { invitation, password, code: first })
  // Codes are good once, and tests log in more often than twice in a minute.
  const recovery = [...(recoveryCodes as string[])]
  return { login, password, code: () => recovery.shift() ?? code() }
}

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAccount } from '../../collector/access/accounts.ts'
import { hotp, totpStep } from '../../collector/access/totp.ts'
import { processBatch } from '../../collector/ingest/process-batch.ts'
import type { Collector } from '../../collector/app.ts'
import type { ApiRole } from '../../collector/model/product.ts'
import { openStore, type Store } from '../../collector/store/index.ts'
import { loadOrCreateKeys } from '../../collector/trust/keys.ts'
import type { Scenario } from '../../deploy/simulator/scenario.ts'
import { hmac, random } from '../../shared/crypto/node.ts'
import { createChallenge } from '../../shared/evidence/challenge.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { certifyByProfile, decideIn } from './certified-profile.ts'
import { IngestingCollector } from './ingesting-collector.ts'
import { SimulatedSite } from './simulated-fleet.ts'
import { runCollector } from './test-collector.ts'

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
  /** The gateway with this id reads what it was asked last, and answers; its messages take the way of all others. */
  answer(ueid: Ueid): Promise<void>
  /** Ends the collector and starts it again on the same port, with further settings. */
  restart(...settings: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** Without a disk, where there is such a place: each message of a fleet is a commit. */
const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

const MINUTE = 60
const SECONDS = 20 * MINUTE

/** One, from the middle of the fleet's order. */
const driftedOf = (gateways: number) => ({ from: 0.5, to: 0.5 + 1 / gateways })

/** Two of them are not as they were approved. */
const scenarioOf = (gateways: number): Scenario => ({
  title: 'one gateway boots a foreign kernel, another opens a port',
  durationSeconds: SECONDS,
  steps: [
    { atSeconds: 11 * MINUTE, gateways: { first: 1 }, change: { kind: 'tampered-boot' } },
    {
      atSeconds: 11 * MINUTE,
      gateways: driftedOf(gateways),
      change: { kind: 'listener', port: 4444, executable: '/tmp/nc' },
    },
  ],
  findings: [],
})

/** A real collector with its pages, and what a fleet of simulated gateways has sent to it. `fill`: puts in more. */
export async function openWebSite(
  gateways: number,
  fill: (store: Store, path: string) => Promise<void> = async () => undefined,
): Promise<WebSite> {
  const directory = mkdtempSync(join(MEMORY, 'keepseal-web-'))
  const dataDirectory = join(directory, 'data')
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  const begin = Date.now() - SECONDS * 1000
  const keys = await loadOrCreateKeys({ dataDirectory, now: begin, random })
  const { store, close } = await openStore({ path: join(dataDirectory, 'collector.db') })
  const ingesting = new IngestingCollector(store, keys)
  ingesting.now = begin
  const site = await SimulatedSite.of(ingesting, gateways, 'EG-420')
  const deciding = await certifyByProfile(store, 'Acme/EG-420', Math.floor(begin / 1000))
  const fleet = await site.play(scenarioOf(gateways), { approveAtSeconds: 6 * MINUTE })
  const [tampered] = fleet.chosen({ first: 1 })
  const [drifted] = fleet.chosen(driftedOf(gateways))
  const accounts = {
    operator: await account(store, 'olga', 'Olga Operator', 'operator'),
    certifier: await account(store, 'cleo', 'Cleo Certifier', 'certifier'),
    second: await account(store, 'otto', 'Otto Operator', 'operator'),
  }
  await fill(store, join(dataDirectory, 'collector.db'))
  await close()

  let collector: Collector = await runCollector(directory, 'http.plain=true', 'http.plain_port=0')
  const port = collector.servers.plainPort
  const url = `http://localhost:${port}`
  const people = Object.fromEntries(
    await Promise.all(
      Object.entries(accounts).map(async ([name, each]) => [name, await takeUp(url, each.login, each.invitation)]),
    ),
  ) as WebSite['people']
  return {
    url,
    directory,
    people,
    tampered: tampered?.ueid ?? ('' as Ueid),
    drifted: drifted?.ueid ?? ('' as Ueid),
    productId: ingesting.productId,
    async decide(kind, subject, detail) {
      const opened = await openStore({ path: join(dataDirectory, 'collector.db') })
      try {
        await decideIn(opened.store, deciding, deciding.certifier, kind, subject, detail)
      } finally {
        await opened.close()
      }
    },
    async answer(ueid) {
      const gateway = site.gateways.find((each) => each.ueid === ueid)
      const opened = await openStore({ path: join(dataDirectory, 'collector.db') })
      try {
        const device = await opened.store.devices.byUeid(ueid)
        const asked = device && (await opened.store.attestationChallenges.newest(device.id))
        const epoch = await opened.store.epochs.current()
        if (gateway === undefined || asked === undefined || epoch === undefined) throw new Error('nothing was asked')
        const { number, nonce, expiresAt } = asked
        const { collectorId } = keys
        gateway.learn({ ...epoch, collectorId, issuedAt: Math.floor(epoch.issuedAt / 1000), period: 300 })
        const question = { number, nonce, expiresAt: Math.floor(expiresAt / 1000) }
        await gateway.answered(createChallenge(ueid, question, gateway.identity.receiptKey))
        await gateway.report(Date.now())
        const delivery = gateway.outbox.waiting.at(-1)
        if (delivery === undefined) throw new Error('it has not answered')
        const receiving = new IngestingCollector(opened.store, keys)
        for (const { topic, bytes } of await gateway.messagesOf(delivery)) {
          await processBatch(opened.store, [{ topic, bytes, receivedAt: Date.now() }], receiving.deps, Date.now())
        }
      } finally {
        await opened.close()
      }
    },
    async restart(...settings) {
      await collector.stop()
      collector = await runCollector(directory, 'http.plain=true', `http.plain_port=${port}`, ...settings)
    },
    async close() {
      await collector.stop()
      rmSync(directory, { recursive: true, force: true })
    },
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

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

function fromBase32(text: string): Uint8Array {
  const bytes: number[] = []
  let bits = 0
  let held = 0
  for (const character of text) {
    held = (held << 5) | ALPHABET.indexOf(character)
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes.push((held >>> bits) & 0xff)
  }
  return Uint8Array.from(bytes)
}

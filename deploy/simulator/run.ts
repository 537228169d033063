import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import type { Identity } from '../../agent/state/identity.ts'
import type { ApiClient } from '../../collector/cli/client/api.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { RealClock, runReal } from './clock.ts'
import { enrolledGateway, enrolOverHttps, progressOf } from './enrol/over-https.ts'
import { askedSuccession, FollowingIdentities } from './enrol/succession.ts'
import { Fleet } from './fleet.ts'
import type { SimulatedGateway } from './gateway.ts'
import type { FleetSeed } from './keys/seed.ts'
import type { NetworkMix } from './network.ts'
import { releaseOf } from './posture/release.ts'
import type { Scenario } from './scenario.ts'
import { Schedule } from './schedule.ts'
import type { Summary } from './statistics.ts'
import { MqttEachTransport } from './transport/mqtt-each.ts'

export const SIMULATED_PRODUCT = { vendor: 'Example Works', model: 'Simulated Gateway' } as const

export interface FleetRun {
  readonly api: Pick<ApiClient, 'url' | 'list' | 'post' | 'get'>
  /** PEM of the authorities that may have certified the collector. */
  readonly authorities: string | undefined
  /** Where the gateways keep their identities. */
  readonly directory: string
  readonly seed: FleetSeed
  readonly gateways: number
  readonly networks: NetworkMix
  readonly scenario: Scenario
  /** Seconds of the scenario that pass in one. */
  readonly speed: number
  /** Accept for the whole product what the first gateway of the scenario reports, as soon as it has. */
  readonly approve: boolean
  readonly stop: AbortSignal
  readonly say: (line: string) => void
}

/** Enrols what is not enrolled yet, then lets the fleet report over MQTT until the scenario is over, or stopped. */
export async function runFleet(run: FleetRun): Promise<Summary> {
  const { api, seed, networks, scenario, speed, stop, say } = run
  const enrolled = await enrolAll(run, await ensureProduct(api))
  const identities = new FollowingIdentities(run.directory, enrolled)
  const told = await askedSuccession(api.url.href, run.authorities)
  if (told !== null) await Promise.all(enrolled.map((_, index) => identities.offer(index, told)))
  const start = Date.now()
  const gateways = await Promise.all(
    enrolled.map(async (identity, index) => {
      const progress = await progressOf(run.directory, index, identity)
      return enrolledGateway(seed, index, identity, releaseOf(1), start, progress)
    }),
  )
  const first = identities.of(0)
  if (first === undefined) throw new KeepsealError('usage.invalid', 'a fleet without a gateway')
  const accessOf = ({ identity: { index } }: SimulatedGateway) => {
    const { collector, tls } = identities.of(index) ?? first
    return { url: collector.mqttUrl, tls }
  }
  const schedule = new Schedule()
  const clock = new RealClock(speed)
  const transport = new MqttEachTransport(accessOf, (gateway, chain) => void followed(gateway, chain).catch(fail))
  const { key } = first.collector
  const fleet = new Fleet({ seed, gateways, networks, schedule, clock, transport, collector: key })
  fleet.start()
  fleet.play(scenario)
  const over = new AbortController()
  const ended = AbortSignal.any([stop, over.signal])
  let failure: unknown
  const fail = (error: unknown): void => {
    failure ??= error
    over.abort()
  }
  async function followed(gateway: SimulatedGateway, chain: Uint8Array): Promise<void> {
    const { index } = gateway.identity
    const next = await identities.offer(index, chain)
    if (next === undefined) return
    fleet.use(next.identity.collector.key)
    if (next.moved) transport.move(gateway)
    if (index === 0) say(`the collector was followed to statement ${next.identity.trust.number}`)
  }
  const progress = tellProgress(fleet, ended, say)
  const approved = run.approve ? approveFirst(api, fleet, ended, say).catch(fail) : undefined
  try {
    await runReal(schedule, clock, scenario.durationSeconds * 1000, ended, fail)
  } finally {
    over.abort()
    await transport.close()
    await Promise.all([progress, approved])
  }
  failure ??= fleet.failure
  if (failure !== undefined) throw failure
  return fleet.statistics.summary
}

const Product = v.object({ id: v.string(), vendor: v.string(), model: v.string() })

async function ensureProduct(api: FleetRun['api']): Promise<string> {
  const { vendor, model } = SIMULATED_PRODUCT
  const { items } = await api.list('/products', {}, Product, 10_000)
  const known = items.find((product) => product.vendor === vendor && product.model === model)
  if (known !== undefined) return known.id
  // A key in software is no endorsed TPM, and is not to look like one.
  const policies = { identityPolicy: 'tofu', approvalPolicy: 'automatic' }
  return (await api.post('/products', { ...SIMULATED_PRODUCT, ...policies }, v.object({ id: v.string() }))).id
}

/** The collector lets one address begin and finish thirty enrolments in a minute. */
const PER_MINUTE = 28

async function enrolAll(run: FleetRun, productId: string): Promise<readonly Identity[]> {
  const { api, authorities, directory, seed, gateways, say, stop } = run
  const identities: Identity[] = []
  let enrolled = 0
  const token = async (): Promise<string> => {
    if (enrolled > 0 && enrolled % PER_MINUTE === 0) {
      await sleep(61_000, undefined, { signal: stop }).catch(() => undefined)
    }
    enrolled++
    const body = { productId, expiresInSeconds: 600 }
    return (await api.post('/enrolment-tokens', body, v.object({ token: v.string() }))).token
  }
  for (let index = 0; index < gateways && !stop.aborted; index++) {
    const collectorUrl = api.url.href
    const enrolment = { collectorUrl, authorities, token, product: SIMULATED_PRODUCT, directory, seed }
    identities.push(await enrolOverHttps(enrolment, index))
    if (enrolled > 0 && (index + 1) % 10 === 0) say(`${index + 1} of ${gateways} gateways are enrolled`)
  }
  return identities
}

const Device = v.object({ verdictCode: v.nullable(v.string()), lastFreshAt: v.nullable(v.string()) })
const LOOK_MS = 500

async function approveFirst(
  api: FleetRun['api'],
  fleet: Fleet,
  ended: AbortSignal,
  say: (line: string) => void,
): Promise<void> {
  const [first] = fleet.chosen({ first: 1 })
  if (first === undefined) return
  while (!ended.aborted) {
    const { verdictCode, lastFreshAt } = await api.get(`/devices/${first.ueid}`, Device)
    if (lastFreshAt !== null && verdictCode === 'reference-values.missing') {
      await api.post(`/devices/${first.ueid}/approve`, { scope: 'product' }, v.unknown())
      say(`what ${first.ueid} reports is approved for its product`)
    }
    if (lastFreshAt !== null && verdictCode !== 'content.missing') return
    await sleep(LOOK_MS, undefined, { signal: ended }).catch(() => undefined)
  }
}

const PROGRESS_MS = 10_000

async function tellProgress(fleet: Fleet, ended: AbortSignal, say: (line: string) => void): Promise<void> {
  while (!ended.aborted) {
    await sleep(PROGRESS_MS, undefined, { signal: ended }).catch(() => undefined)
    const { made, receipted } = fleet.statistics
    if (!ended.aborted) say(`${fleet.connected} connected, ${made} reports made, ${receipted} receipted`)
  }
}

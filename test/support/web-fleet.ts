import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { openStore } from '../../collector/store/index.ts'
import { loadOrCreateKeys } from '../../collector/trust/keys.ts'
import { storedGateway } from '../../deploy/simulator/enrol/into-store.ts'
import type { SimulatedGateway } from '../../deploy/simulator/gateway.ts'
import { FleetSeed } from '../../deploy/simulator/keys/seed.ts'
import { releaseOf, withListener } from '../../deploy/simulator/posture/release.ts'
import type { Scenario } from '../../deploy/simulator/scenario.ts'
import { random } from '../../shared/crypto/node.ts'
import type { Ueid } from '../../shared/evidence/identifiers.ts'
import { certifyByProfile } from './certified-profile.ts'
import { IngestingCollector } from './ingesting-collector.ts'
import { once } from './once.ts'
import { FLEET_SEED, SimulatedSite } from './simulated-fleet.ts'

const MINUTE = 60
const SECONDS = 20 * MINUTE
const MODEL = 'EG-420'
const LISTENER = { port: 4444, executable: '/tmp/nc' }

/** What somebody has to know of a data directory that was filled. */
export interface FilledFleet {
  readonly gateways: number
  readonly begin: number
  readonly productId: string
  /** That booted a foreign kernel, and that opened a port nobody has approved: their numbers and ids. */
  readonly tampered: Chosen
  readonly drifted: Chosen
}

interface Chosen {
  readonly index: number
  readonly ueid: Ueid
}

/** One, from the middle of the fleet's order. */
const driftedOf = (gateways: number) => ({ from: 0.5, to: 0.5 + 1 / gateways })

/** Two of them are not as they were approved. */
const scenarioOf = (gateways: number): Scenario => ({
  title: 'one gateway boots a foreign kernel, another opens a port',
  durationSeconds: SECONDS,
  steps: [
    { atSeconds: 11 * MINUTE, gateways: { first: 1 }, change: { kind: 'tampered-boot' } },
    { atSeconds: 11 * MINUTE, gateways: driftedOf(gateways), change: { kind: 'listener', ...LISTENER } },
  ],
  findings: [],
})

/** The data directory of a collector to which simulated gateways have reported for twenty minutes, up to now. */
export async function fillFleet(dataDirectory: string, gateways: number): Promise<FilledFleet> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  const begin = Date.now() - SECONDS * 1000
  const keys = await loadOrCreateKeys({ dataDirectory, now: begin, random })
  const { store, close } = await openStore({ path: join(dataDirectory, 'collector.db') })
  try {
    const ingesting = new IngestingCollector(store, keys)
    ingesting.now = begin
    const site = await SimulatedSite.of(ingesting, gateways, MODEL)
    await certifyByProfile(store, `Acme/${MODEL}`, Math.floor(begin / 1000))
    const fleet = await site.play(scenarioOf(gateways), { approveAtSeconds: 6 * MINUTE, togetherMs: 30_000 })
    const [tampered] = fleet.chosen({ first: 1 })
    const [drifted] = fleet.chosen(driftedOf(gateways))
    if (tampered === undefined || drifted === undefined) throw new Error('the fleet is too small for its scenario')
    const chosen = ({ identity: { index, ueid } }: SimulatedGateway): Chosen => ({ index, ueid })
    const { productId } = ingesting
    return { gateways, begin, productId, tampered: chosen(tampered), drifted: chosen(drifted) }
  } finally {
    await close()
  }
}

/**
 * The same from `shared`, where it is filled once for all who need a fleet of this size, each of whom gets a copy: whoever
 * comes first fills it, the others wait. Its reports are as old then as the copy is late.
 */
export async function copyFleet(shared: string, dataDirectory: string, gateways: number): Promise<FilledFleet> {
  const own = join(shared, `${gateways}`)
  const filled = await once(shared, `${gateways} gateways`, () => fillFleet(own, gateways))
  cpSync(own, dataDirectory, { recursive: true })
  return filled
}

/** A gateway of it, whose agent has started anew. */
export function gatewayOf(
  { begin, productId, drifted }: FilledFleet,
  { index }: Chosen,
  keys: Parameters<typeof storedGateway>[2],
): SimulatedGateway {
  const product = { id: productId, vendor: 'Acme', model: MODEL }
  const fleet = { seed: new FleetSeed(FLEET_SEED), product, now: begin }
  const gateway = storedGateway(fleet, index, keys, releaseOf(1), begin)
  if (index === drifted.index) {
    gateway.drift((readings) => withListener(readings, LISTENER.port, LISTENER.executable))
  }
  // Of the first run of an agent the messages are there already.
  gateway.restart()
  return gateway
}

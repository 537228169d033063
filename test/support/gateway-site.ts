import { afterEach, vi } from 'vitest'
import type { Collector } from '../../collector/app.ts'
import { approveDevice } from '../../collector/tracking/approval.ts'
import { random } from '../../shared/crypto/node.ts'
import { freePort } from './mosquitto.ts'
import { RunningGateway } from './running-gateway.ts'
import { useScratchDirectories } from './scratch.ts'
import { runCollector, Workbench } from './test-collector.ts'

/** A collector with its embedded broker, and a gateway that has enrolled and knows the epoch. */
export interface GatewaySite {
  readonly bench: Workbench
  readonly gateway: RunningGateway
}

/** Both are stopped after each test. `name`: of the test file, for its directories. */
export function useGatewaySite(name: string): (...settings: readonly string[]) => Promise<GatewaySite> {
  const scratch = useScratchDirectories(name)
  const gateways: RunningGateway[] = []
  const collectors: Collector[] = []
  afterEach(async () => {
    for (const gateway of gateways.splice(0)) await gateway.stop()
    for (const collector of collectors.splice(0)) await collector.stop()
  })
  return async (...settings) => {
    const directory = scratch()
    const port = await freePort()
    collectors.push(await runCollector(directory, `mqtt.listen_port=${port}`, ...settings))
    const bench = await Workbench.open(directory)
    const gateway = new RunningGateway(port, scratch)
    gateways.push(gateway)
    await gateway.enrol(bench)
    await gateway.start()
    await gateway.epochAfter(null)
    return { bench, gateway }
  }
}

/** Approves the gateway as it has reported, as soon as everything about it has arrived. */
export const approved = ({ bench: { store }, gateway }: GatewaySite): Promise<unknown> =>
  vi.waitFor(
    () => approveDevice(store, { ueid: gateway.device.ueid, actor: 'api_x', now: Date.now(), scope: 'device', random }),
    { timeout: 10_000, interval: 200 },
  )

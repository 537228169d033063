import { expect, it, vi } from 'vitest'
import { createResultMessage } from '../../../shared/evidence/result-message.ts'
import { revokeDevice } from '../../../collector/tracking/approval.ts'
import { random } from '../../../shared/crypto/node.ts'
import { ed25519Signer } from '../../support/node-signer.ts'
import { approved, useGatewaySite } from '../../support/gateway-site.ts'

/** The agent and the collector as they run, broker and all: what the collector concludes reaches the gateway. */

const open = useGatewaySite('result')

it('a gateway learns what is concluded about it, also what changed while it was away, and of nobody else', async () => {
  const site = await open('freshness.epoch_period_seconds=10', 'receipts.min_interval_seconds=0')
  const { bench, gateway } = site
  const { store, keys } = bench
  await gateway.report()
  await gateway.receipted()
  const learns = (wanted: object): Promise<void> =>
    vi.waitFor(() => expect(gateway.agent.status.result).toMatchObject(wanted), { timeout: 25_000, interval: 100 })
  await learns({ status: 'none', latch: 'none', liveness: 'fresh' })

  const { ueid } = gateway.device
  const act = { ueid, actor: 'api_x', now: Date.now() }
  await approved(site)
  await gateway.report()
  await gateway.receipted()
  await learns({ status: 'affirming', reasons: [] })
  const { id } = (await store.devices.byUeid(ueid)) ?? expect.fail()
  await gateway.report()
  await vi.waitFor(async () => expect(await store.resultDeliveries.of([id])).toEqual([]), {
    timeout: 10_000,
    interval: 200,
  })
  const told = gateway.agent.status.result

  // It is stored, so that it is shown after a restart as well; and what the gateway missed comes with its next evidence.
  await gateway.stop()
  await store.transitions.append([
    { deviceId: id, at: Date.now(), axis: 'verdict', from: 'affirming', to: 'warning', cause: 'test' },
  ])
  await vi.waitFor(async () => expect(await store.resultDeliveries.of([id])).toHaveLength(1), {
    timeout: 15_000,
    interval: 200,
  })
  await gateway.start()
  expect(gateway.agent.status.result).toEqual(told)
  await gateway.report()
  const since = told?.since ?? expect.fail()
  await vi.waitFor(() => expect(gateway.agent.status.result?.since).toBeGreaterThan(since), {
    timeout: 10_000,
    interval: 100,
  })

  // Whoever can publish to the gateway cannot tell it anything: not by another key, and not what was signed before.
  const known = gateway.agent.status.result
  const [old] = (await store.signedResults.list(id, { limit: 9 })).items.slice(-1)
  const { transitionId, cwt } = old ?? expect.fail()
  const message = { collectorId: keys.collectorId, number: transitionId, since: 1, ear: cwt }
  const impostor = { ...ed25519Signer(random(32)).signer, keyId: keys.signer.keyId }
  for (const forged of [
    await createResultMessage(ueid, message, keys.signer),
    await createResultMessage(ueid, { ...message, number: transitionId + 1_000 }, impostor),
  ]) {
    expect(await gateway.agent.downArrived(forged, false)).toBe('ignored')
  }
  expect(gateway.agent.status.result).toEqual(known)
  await revokeDevice(store, act)
  await bench.close()
}, 120_000)

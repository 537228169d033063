import { expect, it } from 'vitest'
import type { SweepTimes } from '../../../collector/store/sweep.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { describeStore } from './support.ts'
import { bytes, evidence, finding, id, NOW, storedDevice, reassessment } from './samples.ts'

const NEVER: SweepTimes = { evidence: 0, history: 0, refusals: 0, findings: 0, pcrValues: 0 }

describeStore('the sweep of old rows', (createStore) => {
  const removed = async (times: Partial<SweepTimes>, limit = 100) =>
    Object.fromEntries([...(await store().sweep({ ...NEVER, ...times }, limit))].filter(([, count]) => count > 0))
  const store = createStore

  it('removes messages by their age, a bounded number at once, but none that an open finding is about', async () => {
    const device = await storedDevice(store())
    for (let seq = 0; seq < 6; seq++) await store().evidence.insert(evidence(device.id, seq))
    await store().findings.insert(finding(device.id, { evidenceHash: evidence(device.id, 1).hash }))
    const settled = { subject: 'other', state: 'resolved', resolvedAt: NOW } as const
    await store().findings.insert(finding(device.id, { evidenceHash: evidence(device.id, 2).hash, ...settled }))
    expect(await removed({ evidence: NOW + 5 }, 3)).toEqual({ evidence: 3 })
    expect(await removed({ evidence: NOW + 5 }, 3)).toEqual({ evidence: 1 })
    expect(await removed({ evidence: NOW + 5 }, 3)).toEqual({})
    const { items } = await store().evidence.list(device.id, { limit: 9 })
    expect(items.map(({ seq }) => seq)).toEqual([5, 1])
  })

  it('removes no message that an open case is decided on, though its finding is resolved; when the case is over it goes', async () => {
    const device = await storedDevice(store())
    for (let seq = 0; seq < 4; seq++) await store().evidence.insert(evidence(device.id, seq))
    const settled = { state: 'resolved', resolvedAt: NOW } as const
    const gathered = finding(device.id, { evidenceHash: evidence(device.id, 1).hash, ...settled })
    await store().findings.insert(gathered)
    const open = reassessment(device.productId)
    await store().cases.insert(open)
    await store().cases.addFinding(open.id, gathered.id)
    expect(await removed({ evidence: NOW + 5 })).toEqual({ evidence: 3 })
    expect(await store().evidence.byHash(device.id, gathered.evidenceHash)).toBeDefined()
    await store().cases.setState(open.id, 'closed')
    expect(await removed({ evidence: NOW + 5 })).toEqual({ evidence: 1 })
  })

  it('removes runs that ended long ago, and a session after the last of its runs unless it is the running one', async () => {
    const device = await storedDevice(store())
    const sessions = [bytes('old', 16), bytes('running', 16), bytes('recent', 16)]
    for (const [index, session] of sessions.entries()) {
      const begun = { deviceId: device.id, session, contiguousTo: 0, extra: [], firstEpoch: 1, lastEpoch: 1 }
      await store().sessions.save({ ...begun, firstSeenAt: NOW })
      await store().evidenceRuns.begin(evidence(device.id, 0, { session, receivedAt: NOW, hash: bytes(`${index}`) }))
    }
    const [run] = await store().evidenceRuns.around(device.id, bytes('recent', 16), 0)
    await store().evidenceRuns.extend(run ?? expect.fail(), evidence(device.id, 1, { receivedAt: NOW + 100 }))
    await store().devices.saveState(device.id, { ...initialDeviceState, freshSession: bytes('running', 16) })
    expect(await removed({ history: NOW + 50 })).toEqual({ evidence_runs: 2, sessions: 1 })
    expect(await store().sessions.find(device.id, bytes('old', 16))).toBeUndefined()
    expect(await store().sessions.find(device.id, bytes('running', 16))).toBeDefined()
    expect(await store().evidenceRuns.around(device.id, bytes('recent', 16), 1)).toHaveLength(1)
  })

  it('removes what became of devices long ago, but neither the last change of an axis nor one whose result is kept', async () => {
    const device = await storedDevice(store())
    const { transitions, signedResults } = store()
    const moved = (at: number, axis: 'verdict' | 'liveness', from: string | null, to: string) =>
      transitions.append([{ deviceId: device.id, at, axis, from, to, cause: null }])
    await moved(NOW, 'verdict', null, 'affirming')
    await moved(NOW + 1, 'liveness', null, 'fresh')
    await moved(NOW + 2, 'verdict', 'affirming', 'warning')
    await moved(NOW + 3, 'verdict', 'warning', 'affirming')
    const left = async () => (await transitions.list(device.id, { limit: 9 })).items.map(({ at }) => at - NOW)
    // Nobody has looked yet whether a result is to be signed of them.
    expect(await removed({ history: NOW + 9 })).toEqual({})
    const all = (await transitions.list(device.id, { limit: 9 })).items
    expect(all).toHaveLength(4)
    await signedResults.settle(NOW + 10)
    await signedResults.add({
      transitionId: 3,
      deviceId: device.id,
      issuedAt: NOW + 20,
      cwt: bytes('cwt'),
      keyId: bytes('key'),
    })
    expect(await removed({ history: NOW + 9 })).toEqual({ device_transitions: 1 })
    expect(await left()).toEqual([3, 2, 1])
    expect(await removed({ history: NOW + 30 })).toEqual({ signed_results: 1, device_transitions: 1 })
    expect(await left()).toEqual([3, 1])
  })

  it('never removes the newest epoch', async () => {
    for (const label of ['a', 'b']) await store().epochs.insert({ nonce: bytes(label), issuedAt: NOW })
    expect(await removed({ history: NOW + 1 })).toEqual({ epochs: 1 })
    expect((await store().epochs.current())?.number).toBe(2)
  })

  it('removes refused messages, not their number', async () => {
    const about = { ueid: null, topic: 't', code: 'quote.magic', hash: bytes('r'), bytes: bytes('r') }
    for (const receivedAt of [NOW, NOW + 10]) await store().refusals.insert({ ...about, receivedAt })
    expect(await removed({ refusals: NOW + 5 })).toEqual({ refusals: 1 })
    expect(await store().refusals.countsByCode()).toEqual(new Map([['quote.magic', 2]]))
  })

  it('removes findings that were resolved long ago and belong to no case', async () => {
    const device = await storedDevice(store())
    const resolved = (subject: string, resolvedAt: number) =>
      finding(device.id, { subject, state: 'resolved', resolvedAt })
    const all = [resolved('old', NOW), resolved('in a case', NOW), resolved('recent', NOW + 10), finding(device.id)]
    for (const each of all) await store().findings.insert(each)
    const { id: caseId, ...about } = reassessment(device.productId, { state: 'closed' })
    await store().cases.insert({ id: caseId, ...about })
    await store().cases.addFinding(caseId, all[1]?.id ?? '')
    expect(await removed({ findings: NOW + 5 })).toEqual({ findings: 1 })
    const { items } = await store().findings.list({ limit: 9 })
    expect(items.map((item) => item.finding.subject)).not.toContain('old')
    expect(items).toHaveLength(3)
  })

  it('removes PCR values that are not used, but none that a device reports or that are approved', async () => {
    const { pcrSets, devices, references } = store()
    const device = await storedDevice(store())
    const labels = ['reported', 'approved', 'used', 'unused']
    for (const label of labels) await pcrSets.save('Acme', bytes(label), bytes('values'), NOW)
    await devices.saveState(device.id, { ...initialDeviceState, pcrDigest: bytes('reported') })
    await references.insert({
      id: id('ref'),
      productId: device.productId,
      deviceId: null,
      review: 'unreviewed',
      postureDigest: bytes('posture'),
      pcrDigest: bytes('approved'),
      bootReferenceDigest: null,
      tpmFirmwareVersion: null,
      createdAt: NOW,
      createdBy: 'api_x',
    })
    const later = NOW + 3 * 86_400_000
    expect(await pcrSets.use('Acme', bytes('used'), later)).toEqual(bytes('values'))
    expect(await removed({ pcrValues: NOW + 1 })).toEqual({ pcr_sets: 1 })
    for (const label of labels)
      expect((await pcrSets.find('Acme', bytes(label))) === undefined).toBe(label === 'unused')
  })
})

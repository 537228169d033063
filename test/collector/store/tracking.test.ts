import { expect, it } from 'vitest'
import type { ReassessmentCase } from '../../../collector/model/case.ts'
import { FINAL_STATES } from '../../../shared/decisions/cases/case.ts'
import type { ReferenceValues } from '../../../collector/model/evidence.ts'
import { describeStore } from './support.ts'
import { bytes, everyPage, finding, id, NOW, storedDevice, storedProduct, reassessment } from './samples.ts'

describeStore('reference values', (createStore) => {
  it('of the device come before those of its product, each newest first, and no others', async () => {
    const store = createStore()
    const owner = await storedProduct(store)
    const [one, two] = [await storedDevice(store, 'one', owner.id), await storedDevice(store, 'two', owner.id)]
    const stranger = await storedProduct(store, { model: 'another' })
    const make = (productId: string, deviceId: number | null, at: number): ReferenceValues => ({
      id: id('ref', NOW + at),
      productId,
      deviceId,
      review: 'unreviewed',
      postureDigest: bytes(`posture ${at}`),
      pcrDigest: at % 2 === 0 ? null : bytes('pcrs'),
      bootReferenceDigest: at % 2 === 0 ? null : bytes('boot'),
      tpmFirmwareVersion: at % 2 === 0 ? null : 0xffff_ffff_ffff_ffffn,
      createdAt: NOW + at,
      createdBy: 'api_x',
    })
    const all = [
      make(owner.id, one.id, 1),
      make(owner.id, null, 2),
      make(owner.id, two.id, 3),
      make(owner.id, one.id, 4),
      make(owner.id, null, 5),
      make(stranger.id, null, 6),
    ]
    for (const values of all) await store.references.insert(values)
    expect(await store.references.newestFor(one.id, owner.id)).toEqual(all[3])
    expect(await store.references.newestFor(one.id, owner.id, NOW + 1)).toEqual(all[0])
    expect(await store.references.newestFor(99, owner.id)).toEqual(all[4])
    expect(await store.references.newestFor(one.id, stranger.id)).toEqual(all[5])
    expect(await store.references.newestFor(one.id, stranger.id, NOW)).toBeUndefined()
  })
})

describeStore('findings', (createStore) => {
  it('are one for a deviation until it is resolved', async () => {
    const { findings, ...store } = createStore()
    const device = await storedDevice({ findings, ...store })
    const first = finding(device.id)
    await findings.insert(first)
    await expect(findings.insert(finding(device.id))).rejects.toMatchObject({ code: 'request.conflict' })
    await findings.insert(finding(device.id, { subject: 'tcp/[::]:22' }))
    await findings.setState(first.id, 'recovered', NOW + 1)
    await expect(findings.insert(finding(device.id))).rejects.toMatchObject({ code: 'request.conflict' })
    await findings.setState(first.id, 'resolved', NOW + 2)
    await findings.insert(finding(device.id))
    expect(await findings.openOf(device.id)).toHaveLength(2)
  })

  it('are followed while they last', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    const open = finding(device.id)
    await store.findings.insert(open)
    await store.findings.touch(open, { at: NOW + 5, after: 'socat', hysteresis: null })
    const touched = { ...open, lastSeenAt: NOW + 5, after: 'socat' }
    expect(await store.findings.openOf(device.id)).toEqual([touched])
    await store.findings.setState(open.id, 'recovered', NOW + 6)
    expect(await store.findings.openOf(device.id)).toEqual([{ ...touched, state: 'recovered' }])
    await store.findings.setState(open.id, 'resolved', NOW + 7)
    expect(await store.findings.openOf(device.id)).toEqual([])
    const [listed] = (await store.findings.list({ limit: 5 })).items
    expect(listed).toEqual({
      finding: { ...touched, state: 'resolved', resolvedAt: NOW + 7 },
      ueid: device.ueid,
      productId: device.productId,
    })
  })

  it('are listed newest first with each filter', async () => {
    const store = createStore()
    const [one, two] = [await storedDevice(store, 'one'), await storedDevice(store, 'two')]
    for (let i = 0; i < 3; i++) {
      await store.findings.insert(finding(one.id, { id: id('fnd', NOW + i), subject: `tcp/0.0.0.0:${i}` }))
    }
    const pcr = finding(two.id, {
      id: id('fnd', NOW + 9),
      code: 'boot.pcr-changed',
      subject: 'pcr/sha256/4',
      state: 'recovered',
    })
    await store.findings.insert(pcr)
    const subjects = async (filter: Parameters<typeof store.findings.list>[1]) =>
      (await everyPage((cursor) => store.findings.list({ limit: 2, cursor }, filter)))
        .flat()
        .map((each) => each.finding.subject.slice(-1))
        .join('')
    expect(await subjects({})).toBe('4210')
    expect(await subjects({ deviceUeid: one.ueid })).toBe('210')
    expect(await subjects({ productId: two.productId })).toBe('4')
    expect(await subjects({ state: 'recovered' })).toBe('4')
    expect(await subjects({ code: 'sockets.listener-added', state: 'open' })).toBe('210')
    expect(await subjects({ code: 'sockets.listener-added', deviceUeid: two.ueid })).toBe('')
  })
})

describeStore('cases', (createStore) => {
  it('are one of their key until they are over, and gather findings', async () => {
    const store = createStore()
    const device = await storedDevice(store)
    const make = (over: Partial<ReassessmentCase> = {}) => reassessment(device.productId, over)
    const [first, second] = [make(), make()]
    const open = (over: Partial<ReassessmentCase> = {}) => store.cases.openFor(make(over))
    expect(await open()).toBeUndefined()
    expect(await store.cases.insert(first)).toBe(true)
    expect(await store.cases.insert(second)).toBe(false)
    expect(await open()).toEqual(first)
    for (const other of [
      { cause: 'identity.clone' },
      { subject: 's' },
      { releaseId: 'rel_1' },
      { certificateId: 'c' },
    ] as const) {
      expect(await open(other)).toBeUndefined()
      expect(await store.cases.insert(make(other))).toBe(true)
    }
    for (const state of FINAL_STATES) {
      await store.cases.setState(first.id, state)
      expect(await open()).toBeUndefined()
    }
    expect(await store.cases.insert(second)).toBe(true)
    await store.cases.setState(second.id, 'closed')

    const findings = [finding(device.id), finding(device.id, { subject: 'tcp/[::]:22' })]
    for (const each of findings) {
      await store.findings.insert(each)
      await store.cases.addFinding(first.id, each.id)
      await store.cases.addFinding(first.id, each.id)
    }
    const expected = { case: { ...first, state: 'ended' }, findingIds: findings.map((each) => each.id).sort() }
    expect(await store.cases.byId(first.id)).toEqual(expected)
    expect(await store.cases.byId(id('cas'))).toBeUndefined()
    expect((await store.cases.list({ limit: 9 }, { state: 'triggered' })).items).toHaveLength(4)
    expect((await store.cases.list({ limit: 5 }, { productId: 'prd_none' })).items).toEqual([])
    expect(await store.cases.affectedUnits(first.id)).toBe(1)
  })

  it('that come once never come again, also when they are over', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    const yearly = () => reassessment(productId, { cause: 'certificate.anniversary', subject: 'year 1', isOnce: true })
    const first = yearly()
    expect(await store.cases.insert(first)).toBe(true)
    await store.cases.setState(first.id, 'dismissed')
    expect(await store.cases.openFor(yearly())).toEqual({ ...first, state: 'dismissed' })
    expect(await store.cases.insert(yearly())).toBe(false)
  })

  it('have each of their deadlines told once, and a later one anew', async () => {
    const { cases, ...store } = createStore()
    const record = reassessment((await storedProduct({ cases, ...store })).id)
    await cases.insert(record)
    expect(await cases.remindOnce(record.id, 'plan', 1, NOW)).toBe(true)
    expect(await cases.remindOnce(record.id, 'plan', 1, NOW + 1)).toBe(false)
    expect(await cases.remindOnce(record.id, 'plan', 2, NOW + 1)).toBe(true)
  })
})

describeStore('the audit log', (createStore) => {
  it('gives back what was appended, newest first', async () => {
    const { auditLog } = createStore()
    const entry = (at: number, subject: string) => ({
      at,
      actor: 'api_x',
      action: 'device.approve',
      subject,
      detail: { scope: 'device', n: at },
    })
    for (let at = 0; at < 3; at++) await auditLog.append(entry(at, at === 1 ? 'b' : 'a'))
    const pages = await everyPage((cursor) => auditLog.list({ limit: 2, cursor }))
    expect(pages).toEqual([[entry(2, 'a'), entry(1, 'b')], [entry(0, 'a')]])
    expect((await auditLog.list({ limit: 5 }, { subject: 'b' })).items).toEqual([entry(1, 'b')])
  })
})

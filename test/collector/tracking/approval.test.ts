import { randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { initialDeviceState, type Device, type DeviceState } from '../../../collector/model/device.ts'
import type { EvidenceRecord } from '../../../collector/model/evidence.ts'
import type { Store } from '../../../collector/store/index.ts'
import { approveDevice, revokeDevice, type ApprovalScope } from '../../../collector/tracking/approval.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { makeUeid } from '../../../shared/evidence/identifiers.ts'
import { bytes, evidence, finding, NOW, storedDevice } from '../store/samples.ts'
import { quotedMessage } from '../../support/quoted-message.ts'
import { describeStore } from '../store/support.ts'

const SESSION = bytes('session', 16)
const PAGE = { limit: 100 }

/** A device that has reported: failed, latched, with two findings, and all content at hand. */
async function reported(store: Store, over: { device?: Partial<Device>; record?: Partial<EvidenceRecord> } = {}) {
  const device = await storedDevice(store, 'one', undefined, over.device)
  const message = await quotedMessage()
  const record = evidence(device.id, 4, { bytes: message.bytes, ...over.record })
  await store.evidence.insert(record)
  await store.postures.save(device.vendor, bytes('posture'), new Map([['sockets', bytes('sockets')]]))
  await store.pcrSets.save(device.vendor, bytes('pcrs'), message.pcrs, 0)
  await store.sections.save(device.vendor, bytes('sockets'), bytes('content'))
  await store.sections.save(device.vendor, sha256(message.log), message.log)
  const state: DeviceState = {
    ...initialDeviceState,
    verdict: 'contraindicated',
    verdictCode: 'boot.pcr-changed',
    latch: 'failed',
    lastFreshAt: NOW,
    freshSession: SESSION,
    freshSequence: 4,
    postureDigest: record.postureDigest,
    pcrDigest: record.pcrDigest,
  }
  await store.devices.saveState(device.id, state)
  const findings = [finding(device.id), finding(device.id, { subject: 'tcp/[::]:22', state: 'recovered' })]
  for (const each of findings) await store.findings.insert(each)
  return { device, state, findings, record }
}

describeStore('the approval of a device', (createStore) => {
  const approve = (store: Store, device: Device, scope: ApprovalScope = 'device', expectedPostureDigest?: Uint8Array) =>
    approveDevice(store, {
      ueid: device.ueid,
      scope,
      actor: 'api_x',
      now: NOW + 9,
      random: randomBytes,
      expectedPostureDigest,
    })

  const refused = async (store: Store, device: Device, expectedPostureDigest?: Uint8Array) => {
    const before = await everything(store, device)
    const approving = approve(store, device, 'device', expectedPostureDigest)
    await expect(approving).rejects.toMatchObject({ code: 'request.conflict' })
    expect(await everything(store, device)).toEqual(before)
  }

  it('takes what it reports as reference values, resolves its findings and releases the latch', async () => {
    const store = createStore()
    const { device, state, findings } = await reported(store)
    const approval = await approve(store, device)
    expect(approval).toMatchObject({ activated: false, withoutBaseline: null })
    expect([...approval.resolvedFindings].sort()).toEqual(findings.map((each) => each.id).sort())
    expect(await store.references.newestFor(device.id, device.productId)).toEqual({
      id: approval.referenceId,
      productId: device.productId,
      deviceId: device.id,
      review: 'unreviewed',
      postureDigest: bytes('posture'),
      pcrDigest: bytes('pcrs'),
      bootReferenceDigest: expect.any(Uint8Array),
      tpmFirmwareVersion: 0x2019_1023n,
      createdAt: NOW + 9,
      createdBy: 'api_x',
    })
    expect(await store.findings.openOf(device.id)).toEqual([])
    const after = await store.devices.stateOf(device.id)
    expect(after).toEqual({ ...state, verdict: 'affirming', verdictCode: null, latch: 'none' })
    const [entry] = (await store.auditLog.list(PAGE)).items
    expect(entry).toMatchObject({ at: NOW + 9, actor: 'api_x', action: 'device.approve', subject: device.ueid })
    expect(entry?.detail).toMatchObject({
      scope: 'device',
      previousLatch: 'failed',
      previousVerdictCode: 'boot.pcr-changed',
    })
  })

  it('for the product holds for each of its devices, this one included', async () => {
    const store = createStore()
    const { device } = await reported(store)
    const sibling = await storedDevice(store, 'two', device.productId)
    await store.references.insert({
      id: 'ref_0',
      productId: device.productId,
      deviceId: device.id,
      review: 'unreviewed',
      postureDigest: bytes('older'),
      pcrDigest: null,
      bootReferenceDigest: null,
      tpmFirmwareVersion: null,
      createdAt: NOW,
      createdBy: 'api_x',
    })
    await approve(store, device, 'product')
    for (const { id } of [device, sibling]) {
      const first = await store.references.newestFor(id, device.productId)
      expect(first?.postureDigest).toEqual(bytes('posture'))
    }
  })

  it('activates a pending device together with its baseline', async () => {
    const store = createStore()
    const { device } = await reported(store, { device: { enrolment: 'pending' } })
    expect(await approve(store, device)).toMatchObject({ activated: true, withoutBaseline: null })
    expect((await store.devices.byId(device.id))?.enrolment).toBe('active')
  })

  it('activates a pending device that has reported nothing, and concludes nothing about it', async () => {
    const store = createStore()
    const device = await storedDevice(store, 'one', undefined, { enrolment: 'pending' })
    const approval = await approve(store, device)
    expect(approval).toMatchObject({ activated: true, referenceId: null })
    expect(approval.withoutBaseline).not.toBeNull()
    expect((await store.devices.byId(device.id))?.enrolment).toBe('active')
    expect(await store.devices.stateOf(device.id)).toEqual(initialDeviceState)
    expect(await store.references.newestFor(device.id, device.productId)).toBeUndefined()
  })

  it('is refused for a pending device that has not reported the posture that was looked at', async () => {
    const store = createStore()
    await refused(store, await storedDevice(store, 'one', undefined, { enrolment: 'pending' }), bytes('posture'))
  })

  it('is refused for an active device without fresh evidence', async () => {
    const store = createStore()
    await refused(store, await storedDevice(store))
  })

  it.each(['quote.signature-invalid', 'quote.missing', 'tpm.malformed'])(
    'is refused when the newest evidence failed with %s, also for a pending device',
    async (outcome) => {
      const store = createStore()
      const { device } = await reported(store, { record: { outcome } })
      await refused(store, device)
      await store.devices.updateEnrolment(device.id, 'pending', NOW)
      await refused(store, device)
    },
  )

  it('is refused for a TPM-identified device whose evidence proves no PCR values', async () => {
    const store = createStore()
    const { device } = await reported(store, { record: { pcrDigest: null } })
    await refused(store, device)
  })

  it('needs no PCR values of a device that was enrolled without a TPM', async () => {
    const store = createStore()
    const { device } = await reported(store, {
      device: { tpm: null, identity: 'software' },
      record: { pcrDigest: null },
    })
    await approve(store, device)
    expect((await store.references.newestFor(device.id, device.productId))?.pcrDigest).toBeNull()
  })

  it.each([
    ['posture map', { postureDigest: bytes('unknown posture') }],
    ['PCR values', { pcrDigest: bytes('unknown values') }],
  ])('is refused while the %s is missing', async (_, record) => {
    const store = createStore()
    const { device } = await reported(store, { record })
    await refused(store, device)
  })

  it('is refused while the content of a section is missing', async () => {
    const store = createStore()
    const { device } = await reported(store, { record: { postureDigest: bytes('larger') } })
    const sections = new Map([
      ['sockets', bytes('sockets')],
      ['packages', bytes('not arrived')],
    ])
    await store.postures.save(device.vendor, bytes('larger'), sections)
    await refused(store, device)
  })

  it("takes no content that another vendor's devices have sent", async () => {
    const store = createStore()
    const { device } = await reported(store, {
      device: { vendor: 'Other' },
      record: { postureDigest: bytes('foreign') },
    })
    await store.postures.save('Other', bytes('foreign'), new Map([['sockets', bytes('foreign content')]]))
    await store.sections.save('Acme', bytes('foreign content'), bytes('content'))
    await refused(store, device)
  })

  it('is refused when the device reports something else than was looked at', async () => {
    const store = createStore()
    const { device } = await reported(store)
    await refused(store, device, bytes('seen before'))
    expect(await approve(store, device, 'device', bytes('posture'))).toMatchObject({ withoutBaseline: null })
  })

  it('is refused for a revoked device, which it does not bring back', async () => {
    const store = createStore()
    const { device } = await reported(store)
    await revokeDevice(store, { ueid: device.ueid, actor: 'api_x', now: NOW })
    await refused(store, device)
    expect((await store.devices.byId(device.id))?.enrolment).toBe('revoked')
  })

  it('of an unknown device is refused', async () => {
    const store = createStore()
    const unknown = { ueid: makeUeid(bytes('nobody', 16)), actor: 'a', now: NOW }
    const approving = approveDevice(store, { ...unknown, scope: 'device', random: randomBytes })
    await expect(approving).rejects.toMatchObject({ code: 'request.not-found' })
    await expect(revokeDevice(store, unknown)).rejects.toMatchObject({ code: 'request.not-found' })
  })

  it('is all or nothing', async () => {
    const store = createStore()
    const { device } = await reported(store, { device: { enrolment: 'pending' } })
    const before = await everything(store, device)
    const failing = store.transaction(async (transaction) => {
      await approve(transaction, device)
      throw new Error('power cut')
    })
    await expect(failing).rejects.toThrow('power cut')
    expect(await everything(store, device)).toEqual(before)
  })
})

describeStore('the revocation of a device', (createStore) => {
  it('is entered once, and changes neither verdict nor latch', async () => {
    const store = createStore()
    const { device, state } = await reported(store)
    for (const at of [NOW, NOW + 1]) await revokeDevice(store, { ueid: device.ueid, actor: 'api_x', now: at })
    expect(await store.devices.byId(device.id)).toMatchObject({ enrolment: 'revoked', revokedAt: NOW })
    expect(await store.devices.stateOf(device.id)).toEqual(state)
    expect((await store.auditLog.list(PAGE)).items).toHaveLength(1)
  })
})

async function everything(store: Store, device: Device): Promise<unknown> {
  return [
    await store.devices.byId(device.id),
    await store.devices.stateOf(device.id),
    await store.findings.list(PAGE),
    await store.references.newestFor(device.id, device.productId),
    await store.auditLog.list(PAGE),
  ]
}

import { expect, it } from 'vitest'
import { IngestingCollector, PERIOD_MS, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { GOOD_READINGS, socketsWith, type SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

const PAGE = { limit: 200 }
const DRIFT = { ...GOOD_READINGS, sockets: socketsWith(22, 4444) }

describeStore('a device that was approved', (createStore) => {
  const keys = useCollectorKeys()

  async function approved() {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const certificate = await collector.certificate()
    await collector.approved(device)
    device.readings = DRIFT
    await collector.content(device)
    device.readings = GOOD_READINGS
    return { collector, device, certificate }
  }

  /** Each of them reports once in each of the next `count` epochs. */
  async function periods(collector: IngestingCollector, count: number, ...devices: SoftwareDevice[]) {
    for (let period = 0; period < count; period++) {
      await collector.epoch(...devices)
      for (const device of devices) await collector.report(device)
    }
  }

  const clones = async (collector: IngestingCollector, device: SoftwareDevice) =>
    (await collector.findings(device)).filter((finding) => finding.startsWith('identity.clone'))

  it('drifts, is approved as it is, drifts back and is approved again', async () => {
    const { collector, device } = await approved()
    await collector.epoch(device)
    device.readings = DRIFT
    await collector.report(device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'warning', latch: 'none' })
    expect(await collector.findings(device)).toContain('sockets.listener-added tcp/0.0.0.0:4444 open')
    await collector.approve(device)
    expect(await collector.findings(device)).toEqual([])
    await periods(collector, 1, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming' })
    device.readings = GOOD_READINGS
    // What may come back by itself is a finding when it was missed twice.
    await periods(collector, 2, device)
    expect(await collector.findings(device)).toContain('sockets.listener-removed tcp/0.0.0.0:4444 open')
    await collector.approve(device)
    await periods(collector, 1, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming' })
    expect(await collector.findings(device)).toEqual([])
  })

  it('whose drift goes away by itself is affirming again; its finding is resolved', async () => {
    const { collector, device } = await approved()
    device.readings = DRIFT
    await periods(collector, 2, device)
    device.readings = GOOD_READINGS
    await periods(collector, 1, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming' })
    expect(await collector.findings(device)).toEqual([])
    const { items } = await collector.store.findings.list(PAGE)
    expect(new Set(items.map(({ finding }) => finding.state))).toEqual(new Set(['resolved']))
  })

  it('that failed stays so after good evidence, until a person has looked at it', async () => {
    const { collector, device } = await approved()
    device.quoting = false
    await periods(collector, 1, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
    device.quoting = true
    await periods(collector, 2, device)
    expect(await collector.state(device)).toMatchObject({
      verdict: 'contraindicated',
      verdictCode: 'quote.missing',
      latch: 'recovered-unacknowledged',
    })
    expect(await collector.findings(device)).toEqual(['boot.quote-refused quote recovered'])
    await collector.approve(device)
    await periods(collector, 1, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', latch: 'none' })
  })

  it('hides a section with an open finding: the finding stays', async () => {
    const { collector, device } = await approved()
    device.readings = DRIFT
    await periods(collector, 1, device)
    device.readings = { ...GOOD_READINGS, sockets: { status: 'no-permission', reason: 'file-not-readable' } }
    await collector.content(device)
    await periods(collector, 1, device)
    const findings = await collector.findings(device)
    expect(findings).toContain('sockets.listener-added tcp/0.0.0.0:4444 open')
    expect(findings).toContain('reporting.section-status-changed sockets open')
    device.readings = GOOD_READINGS
    await periods(collector, 1, device)
    expect(await collector.findings(device)).toEqual([])
  })

  it('and restarts is no clone, whatever its old run delivers afterwards', async () => {
    const { collector, device } = await approved()
    await periods(collector, 2, device)
    const backlog = [await device.report(), await device.report()]
    device.restart()
    await collector.report(device)
    for (const { bytes } of backlog)
      expect(await collector.evidence(device, bytes)).toMatchObject({ result: 'accepted' })
    await periods(collector, 2, device)
    expect(await collector.findings(device)).toEqual([])
    expect(await collector.state(device)).toMatchObject({
      verdict: 'affirming',
      latch: 'none',
      freshSession: device.session,
    })
  })

  it('and restarts, while all that its old run sent in the epoch arrives later, is none either', async () => {
    const { collector, device } = await approved()
    await periods(collector, 1, device)
    device.restart()
    await collector.epoch(device)
    const backlog = [await device.report(), await device.report()]
    device.readings = DRIFT
    device.reboot()
    const { bytes } = await device.report()
    await collector.evidence(device, bytes)
    for (const old of backlog) await collector.evidence(device, old.bytes)
    expect(await collector.state(device)).toMatchObject({
      verdict: 'warning',
      latch: 'none',
      freshSession: device.session,
    })
    await periods(collector, 1, device)
    expect(await clones(collector, device)).toEqual([])
    expect(await collector.findings(device)).toContain('sockets.listener-added tcp/0.0.0.0:4444 open')
  })

  it('was offline for days: the newest first, then the backlog, each epoch once, and one finding for one deviation', async () => {
    const { collector, device } = await approved()
    const offline: Uint8Array[] = []
    device.readings = DRIFT
    for (let period = 0; period < 6; period++) {
      await collector.epoch(device)
      offline.push((await device.report()).bytes)
    }
    device.readings = GOOD_READINGS
    await collector.epoch(device)
    await collector.report(device)
    for (const bytes of offline) await collector.evidence(device, bytes)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', latch: 'none' })
    const { items } = await collector.store.findings.list(PAGE)
    const told = items.filter(({ finding }) => finding.code === 'sockets.listener-added')
    expect(told.map(({ finding }) => finding.state)).toEqual(['resolved'])
  })

  it('failed while it was offline: found in its history, and a person has to look', async () => {
    const { collector, device } = await approved()
    await collector.epoch(device)
    device.quoting = false
    const { bytes } = await device.report()
    device.quoting = true
    await periods(collector, 3, device)
    await collector.evidence(device, bytes)
    expect(await collector.state(device)).toMatchObject({
      verdict: 'contraindicated',
      latch: 'recovered-unacknowledged',
      freshSession: device.session,
    })
    await periods(collector, 1, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated' })
  })

  it('changed its boot and was approved again: what it could not deliver before is no new failure', async () => {
    const { collector, device } = await approved()
    await collector.epoch(device)
    const before = await device.report()
    device.tpm?.extend(4, 'another kernel')
    const between = await device.report()
    await periods(collector, 3, device)
    expect(await collector.state(device)).toMatchObject({ latch: 'failed', verdictCode: 'boot.pcr-changed' })
    collector.now += 1000
    await collector.approve(device)
    const told = (await collector.store.findings.list(PAGE)).items.length
    for (const { bytes } of [before, between]) await collector.evidence(device, bytes)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', latch: 'none' })
    expect((await collector.store.findings.list(PAGE)).items).toHaveLength(told)
  })

  it('was approved again after a failure: another failure in its history still wants a person', async () => {
    const { collector, device } = await approved()
    await collector.epoch(device)
    const tpm = device.tpm
    device.tpm = tpm?.copy() ?? null
    device.tpm?.extend(4, 'an evil kernel')
    const evil = await device.report()
    device.tpm = tpm
    device.tpm?.extend(4, 'another kernel')
    await periods(collector, 3, device)
    await collector.approve(device)
    await collector.evidence(device, evil.bytes)
    expect(await collector.state(device)).toMatchObject({
      verdict: 'contraindicated',
      latch: 'recovered-unacknowledged',
    })
    expect(await collector.findings(device)).toEqual(['boot.pcr-changed pcr/sha256/4 recovered'])
  })

  it('names a boot log that it never sends: nothing is concluded until it has come', async () => {
    const { collector, device } = await approved()
    await collector.epoch(device)
    const { bytes } = await device.report({}, { firmwareLogDigest: new Uint8Array(32).fill(7) })
    const { handled } = await collector.receive(collector.message(device, bytes))
    expect(handled[0]?.request?.contents).toEqual([new Uint8Array(32).fill(7)])
    expect(await collector.state(device)).toMatchObject({ verdict: 'not-appraised', verdictCode: 'content.missing' })
  })

  it('is copied while it runs: both forks of the session are told', async () => {
    const { collector, device } = await approved()
    const copy = device.copy()
    await collector.epoch(device, copy)
    await collector.report(device)
    copy.bootId = new Uint8Array(16)
    expect(await collector.report(copy)).toMatchObject({ result: 'refused', code: 'link.fork' })
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
    await periods(collector, 2, device, copy)
    expect(await clones(collector, device)).toHaveLength(1)
  })

  it('forks again after it had recovered: its finding is open again', async () => {
    const { collector, device } = await approved()
    const copy = device.copy()
    await collector.epoch(device, copy)
    copy.bootId = new Uint8Array(16)
    await collector.report(device)
    const forked = await copy.report()
    await collector.evidence(device, forked.bytes)
    await periods(collector, 1, device)
    const [recovered = ''] = await clones(collector, device)
    expect(recovered).toMatch(/recovered$/)
    await collector.evidence(device, forked.bytes)
    expect(await clones(collector, device)).toEqual([recovered.replace('recovered', 'open')])
  })

  it('is copied and both restart: sessions that interleave are a clone', async () => {
    const { collector, device } = await approved()
    const copy = device.copy()
    device.restart()
    copy.restart()
    await periods(collector, 1, device, copy)
    expect(await clones(collector, device)).toEqual([])
    await periods(collector, 1, device, copy)
    expect(await clones(collector, device)).toHaveLength(1)
    await periods(collector, 3, device, copy)
    expect(await clones(collector, device)).toEqual(['identity.clone interleaved sessions open'])
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated' })
    // The copy is gone, a person has looked: one alone is good again.
    await periods(collector, 2, device)
    await collector.approve(device)
    await periods(collector, 2, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', latch: 'none' })
    await periods(collector, 2, copy, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated' })
  })

  it('is restored from an image: a rollback, which is a warning, and no clone', async () => {
    const { collector, device } = await approved()
    const batch = await collector.receive(collector.message(device, (await device.report()).bytes))
    expect(collector.answers(device, batch).receipts).not.toEqual([])
    const image = device.copy()
    for (let period = 0; period < 4; period++) {
      await collector.epoch(device)
      device.restart()
      const next = await collector.receive(collector.message(device, (await device.report()).bytes))
      collector.answers(device, next)
    }
    image.tpm = device.tpm
    image.restart()
    // Its first evidence carries the epoch of the image, long past; the next one the current.
    expect(await collector.report(image)).toMatchObject({ result: 'accepted', code: 'freshness.late' })
    await periods(collector, 1, image)
    const { items } = await collector.store.findings.list(PAGE)
    expect(items.map(({ finding }) => finding.code)).toEqual(['reporting.rollback'])
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', latch: 'none' })
  })

  it('whose TPM was cleared fails until a person has looked at it', async () => {
    const { collector, device } = await approved()
    await periods(collector, 1, device)
    device.tpm?.clear()
    await periods(collector, 1, device)
    expect(await collector.findings(device)).toEqual(['identity.tpm-cleared tpm counters open'])
    await periods(collector, 1, device)
    expect(await collector.findings(device)).toEqual(['identity.tpm-cleared tpm counters recovered'])
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated' })
    await collector.approve(device)
    await periods(collector, 1, device)
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming' })
  })
})

describeStore('a reassessment case', (createStore) => {
  const keys = useCollectorKeys()

  it('is one for each certificate and cause, whatever the number of devices', async () => {
    const collector = new IngestingCollector(createStore(), keys())
    await collector.product()
    await collector.epoch()
    const certificates = [await collector.certificate(), await collector.certificate()]
    const devices = [await collector.device(), await collector.device()]
    for (const device of devices) await collector.approved(device)
    for (const device of devices) {
      device.readings = DRIFT
      await collector.content(device)
    }
    await collector.epoch(...devices)
    for (const device of devices) await collector.report(device)
    for (const device of devices) device.tpm?.extend(4, 'another kernel')
    await collector.epoch(...devices)
    for (const device of devices) await collector.report(device)
    const { items } = await collector.store.cases.list(PAGE)
    const opened = items.map((each) => `${each.certificateId} ${each.cause}`)
    expect(new Set(opened).size).toBe(opened.length)
    for (const id of certificates) {
      expect(opened).toContain(`${id} boot.pcr-changed`)
      expect(opened).toContain(`${id} sockets.listener-added`)
    }
    for (const { id, cause, openedAt, triageBy } of items) {
      const found = await collector.store.cases.byId(id)
      expect(found?.findingIds).toHaveLength(2)
      expect(triageBy - openedAt).toBe((cause === 'boot.pcr-changed' ? 1 : 7) * 86_400_000)
    }
  })

  it('is not opened for a product without a certificate', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.approved(device)
    await collector.epoch(device)
    device.quoting = false
    await collector.report(device)
    expect(await collector.findings(device)).toHaveLength(1)
    expect((await collector.store.cases.list(PAGE)).items).toEqual([])
  })

  it('tells when the deviation began to be reported, and until when a person has time', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    await collector.certificate()
    await collector.approved(device)
    const epoch = await collector.epoch(device)
    device.quoting = false
    const { bytes } = await device.report()
    collector.now += 3 * PERIOD_MS
    await collector.evidence(device, bytes)
    const [found] = (await collector.store.findings.list(PAGE)).items
    expect(found?.finding.openedAt).toBe(epoch.issuedAt)
    expect((await collector.store.cases.list(PAGE)).items[0]?.openedAt).toBe(collector.now)
  })
})

import { expect, it } from 'vitest'
import { goodBoot, type EventSpec } from '../../support/eventlog-builder.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { bootWith, tpmWith } from '../../support/platform.ts'
import { GOOD_READINGS, type Readings } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

const LYING: Readings = { boot: bootWith({ secureBoot: { value: false } }) }
const HONEST: Readings = { boot: bootWith({ secureBoot: { value: true } }) }
const CONTRADICTED = 'boot.fact-contradicted secure-boot'
const NEVER: Readings = { tpm: tpmWith({ sha1: { value: 'never' }, sha256: { value: 'extended' } }) }

describeStore('what a device asserts about its platform', (createStore) => {
  const keys = useCollectorKeys()

  async function reporting(readings: Readings, events?: readonly EventSpec[]) {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    device.readings = { ...GOOD_READINGS, ...readings }
    if (events !== undefined) device.reboot(events)
    await collector.report(device)
    await collector.content(device)
    return { collector, device }
  }

  it('and its boot log disproves is told as soon as both have arrived', async () => {
    const { collector, device } = await reporting(LYING, goodBoot())
    expect(await collector.findings(device)).toEqual([`${CONTRADICTED} open`])
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
  })

  it('and its boot log disproves is told again after an approval', async () => {
    const { collector, device } = await reporting(LYING, goodBoot())
    await collector.approve(device)
    expect(await collector.state(device)).toMatchObject({ latch: 'none' })
    await collector.epoch(device)
    await collector.report(device)
    expect(await collector.findings(device)).toEqual([`${CONTRADICTED} open`])
    expect(await collector.state(device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
  })

  it('and its boot log disproves is not over because the log is named no more', async () => {
    const { collector, device } = await reporting(LYING, goodBoot())
    await collector.epoch(device)
    device.firmwareLog = null
    await collector.report(device)
    expect(await collector.findings(device)).toEqual([`${CONTRADICTED} open`])
  })

  it('and its boot log disproved is recovered, not acquitted, once it tells the truth', async () => {
    const { collector, device } = await reporting(LYING, goodBoot())
    await collector.epoch(device)
    device.readings = { ...GOOD_READINGS, ...HONEST }
    await collector.report(device)
    await collector.content(device)
    await collector.epoch(device)
    await collector.report(device)
    expect(await collector.findings(device)).toEqual([`${CONTRADICTED} recovered`])
    expect(await collector.state(device)).toMatchObject({
      verdict: 'contraindicated',
      latch: 'recovered-unacknowledged',
    })
  })

  it('and its boot log proves is affirming, report after report', async () => {
    const { collector, device } = await reporting(HONEST, goodBoot())
    await collector.approve(device)
    for (let report = 0; report < 3; report++) {
      await collector.epoch(device)
      await collector.report(device)
    }
    expect(await collector.findings(device)).toEqual([])
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', latch: 'none' })
  })

  it('of a PCR bank that firmware never extends is told until somebody has approved it', async () => {
    const { collector, device } = await reporting(NEVER)
    expect(await collector.findings(device)).toEqual(['boot.bank-never-extended bank/sha1 open'])
    await collector.approve(device)
    await collector.epoch(device)
    await collector.report(device)
    expect(await collector.findings(device)).toEqual([])
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming' })
  })

  it('of such a bank is told again with the next change of the TPM, and over when that bank is gone', async () => {
    const { collector, device } = await reporting(NEVER)
    await collector.approve(device)
    await collector.epoch(device)
    const banks = { sha1: { value: 'never' }, sha256: { value: 'extended' } } as const
    device.readings = { ...GOOD_READINGS, tpm: tpmWith(banks, { model: { value: 'other' } }) }
    await collector.report(device)
    await collector.content(device)
    expect([...(await collector.findings(device))].sort()).toEqual([
      'boot.bank-never-extended bank/sha1 open',
      'tpm.attribute-changed model open',
    ])
    await collector.epoch(device)
    device.readings = { ...GOOD_READINGS, tpm: tpmWith({ sha256: { value: 'extended' } }) }
    await collector.report(device)
    await collector.content(device)
    expect(await collector.findings(device)).toEqual(['tpm.attribute-changed bank/sha1 open'])
  })
})

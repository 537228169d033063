import { expect, it } from 'vitest'
import type { Store } from '../../../collector/store/index.ts'
import { approveDevice, type ApprovalRequest } from '../../../collector/tracking/approval.ts'
import { reviewOf } from '../../../collector/tracking/review.ts'
import { random, sha256 } from '../../../shared/crypto/node.ts'
import { application, grubBoot, unifiedBoot } from '../../support/boots.ts'
import { agileLog, ascii, GLOBAL, u16, variableData, type EventSpec } from '../../support/eventlog-builder.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import type { SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

const bootNext = (value: number): EventSpec => ({
  pcr: 1,
  type: 'EV_EFI_VARIABLE_BOOT',
  data: variableData('BootNext', GLOBAL, u16(value)),
})

describeStore('a measured boot', (createStore) => {
  const keys = useCollectorKeys()

  async function withBoot(events: readonly EventSpec[]) {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    device.reboot(events)
    return { collector, device }
  }

  const stateOf = async ({ store }: IngestingCollector, device: SoftwareDevice) => {
    const stored = await store.devices.byUeid(device.ueid)
    if (stored === undefined) throw new Error('no such device')
    const findings = await store.findings.openOf(stored.id)
    return { ...(await store.devices.stateOf(stored.id)), id: stored.id, open: findings }
  }
  const openCodes = async (collector: IngestingCollector, device: SoftwareDevice) =>
    (await stateOf(collector, device)).open.map(({ code, subject }) => `${code} ${subject}`)

  async function reportWithContent(collector: IngestingCollector, device: SoftwareDevice): Promise<void> {
    await collector.report(device)
    await collector.content(device)
  }

  async function approve(
    { store, now }: IngestingCollector,
    device: SoftwareDevice,
    over: Partial<ApprovalRequest> = {},
  ): Promise<void> {
    const stored = await store.devices.byUeid(device.ueid)
    if (stored === undefined) throw new Error('no such device')
    const state = await store.devices.stateOf(stored.id)
    const expectedReview = reviewOf(state, await store.findings.openOf(stored.id))
    const request = { ueid: device.ueid, scope: 'device', actor: 'api_x', now, random, expectedReview } as const
    await approveDevice(store, { ...request, ...over })
  }

  async function approved(events: readonly EventSpec[]) {
    const { collector, device } = await withBoot(events)
    await reportWithContent(collector, device)
    await approve(collector, device)
    await collector.epoch(device)
    return { collector, device }
  }

  it('that is the approved one again is affirming', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot(grubBoot())
    await collector.report(device)
    expect(await stateOf(collector, device)).toMatchObject({ verdict: 'affirming', latch: 'none', open: [] })
  })

  it.each([
    ['GRUB', grubBoot(), grubBoot({ kernel: 'kernel 2' }), '/vmlinuz-6.1.0-13'],
    ['a unified image', unifiedBoot(), unifiedBoot({ kernel: 'kernel 2' }), '\\EFI\\BOOT\\BOOTX64.EFI'],
  ])('of another kernel by %s is one finding, which names the kernel image', async (_, before, after, path) => {
    const { collector, device } = await approved(before)
    device.reboot(after)
    await reportWithContent(collector, device)
    expect(await openCodes(collector, device)).toEqual([`boot.kernel-changed kernel image ${path}`])
    expect(await stateOf(collector, device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
  })

  it('whose log was edited to hide another kernel is refused as not matching the quote', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot(grubBoot({ kernel: 'kernel 2' }), agileLog(grubBoot()))
    await reportWithContent(collector, device)
    expect(await openCodes(collector, device)).toEqual(
      expect.arrayContaining(['boot.log-refused event log/sha256', 'boot.pcr-changed pcr/sha256/4']),
    )
    expect(await stateOf(collector, device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
  })

  it('is left open while the log that may explain it is on its way, and never called good', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    const { request } = await collector.report(device)
    expect(request?.contents).toContainEqual(sha256(device.firmwareLog ?? new Uint8Array()))
    expect(await stateOf(collector, device)).toMatchObject({
      verdict: 'not-appraised',
      verdictCode: 'content.missing',
      open: [],
    })
  })

  it('gains no second delay by a log that is named and never sent', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    await collector.report(device)
    await collector.epoch(device)
    await collector.report(device)
    const codes = await openCodes(collector, device)
    expect(codes.sort()).toEqual(['boot.pcr-changed pcr/sha256/4', 'boot.pcr-changed pcr/sha256/9'])
    expect(await stateOf(collector, device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
  })

  it('does not recover from a failure while its log is awaited', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    await reportWithContent(collector, device)
    await collector.epoch(device)
    device.reboot(grubBoot({ kernel: 'kernel 3' }))
    await collector.report(device)
    expect(await stateOf(collector, device)).toMatchObject({ latch: 'failed', verdict: 'contraindicated' })
    expect((await stateOf(collector, device)).open.map(({ state }) => state)).toEqual(['open'])
  })

  it('that runs further through the phases of systemd is the approved one', async () => {
    const phase = (word: string): EventSpec => ({ pcr: 11, type: 'EV_IPL', data: ascii(word), hashed: ascii(word) })
    const { collector, device } = await approved(unifiedBoot())
    device.reboot([...unifiedBoot(), phase('sysinit'), phase('ready')], agileLog(unifiedBoot()))
    await reportWithContent(collector, device)
    expect(await stateOf(collector, device)).toMatchObject({ verdict: 'affirming', open: [] })
  })

  it('with another TPM firmware is a finding of its own', async () => {
    const { collector, device } = await approved(grubBoot())
    if (device.tpm !== null) device.tpm.firmwareVersion = 0x2020_0000n
    await reportWithContent(collector, device)
    expect(await openCodes(collector, device)).toEqual(['boot.tpm-firmware-changed tpm firmware'])
  })

  it('of a boot loader between the approved ones names what was added', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot([...grubBoot(), application('\\EFI\\evil\\grubx64.efi', 'evil')])
    await reportWithContent(collector, device)
    expect(await openCodes(collector, device)).toEqual([
      'boot.loader-changed boot loader \\EFI\\evil\\grubx64.efi (PCR 4)',
    ])
  })

  async function golden(store: Store) {
    const { collector, device: first } = await IngestingCollector.withDevice(store, keys())
    const [second, third] = [await collector.device(), await collector.device()]
    for (const [index, device] of [first, second, third].entries()) {
      device.reboot([...grubBoot(), bootNext(index)])
      await reportWithContent(collector, device)
    }
    return { collector, first, second, third }
  }

  it('of units that differ in a boot variable is approved once for all by comparing two of them', async () => {
    const { collector, first, second, third } = await golden(createStore())
    await approve(collector, first, { scope: 'product', golden: [second.ueid] })
    await collector.epoch(first, second, third)
    for (const device of [first, second, third]) await collector.report(device)
    expect(await stateOf(collector, third)).toMatchObject({ verdict: 'affirming', open: [] })
    third.reboot([...grubBoot({ kernel: 'kernel 2' }), bootNext(7)])
    await collector.epoch(first, second, third)
    await reportWithContent(collector, third)
    expect(await openCodes(collector, third)).toEqual(['boot.kernel-changed kernel image /vmlinuz-6.1.0-13'])
  })

  it('that may vary is waited for as long as its log takes, and is not good meanwhile', async () => {
    const { collector, first, second } = await golden(createStore())
    await approve(collector, first, { scope: 'product', golden: [second.ueid] })
    const late = await collector.device()
    late.reboot([...grubBoot(), bootNext(9)])
    for (let round = 0; round < 3; round++) {
      await collector.epoch(first, second, late)
      await collector.report(late)
      expect(await stateOf(collector, late)).toMatchObject({ verdict: 'not-appraised', latch: 'none', open: [] })
    }
    await collector.content(late)
    expect(await stateOf(collector, late)).toMatchObject({ verdict: 'affirming', open: [] })
  })

  it('of another product, or without a proven log, is no golden one', async () => {
    const { collector, first } = await golden(createStore())
    const { collector: other, device: stranger } = { collector, device: await collector.device() }
    await expect(approve(other, first, { scope: 'product', golden: [stranger.ueid] })).rejects.toMatchObject({
      code: 'request.conflict',
    })
  })
})

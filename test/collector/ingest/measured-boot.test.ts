import { expect, it } from 'vitest'
import type { Store } from '../../../collector/store/index.ts'
import { approveDevice, goldenBoot, revokeDevice, type ApprovalRequest } from '../../../collector/tracking/approval.ts'
import { proposeFrom } from '../../../collector/tracking/boot-baseline.ts'
import { reviewOf } from '../../../collector/tracking/review.ts'
import { random, sha256 } from '../../../shared/crypto/node.ts'
import { application, grubBoot, unifiedBoot } from '../../support/boots.ts'
import { agileLog, ascii, GLOBAL, u16, variableData, type EventSpec } from '../../support/eventlog-builder.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { packagesWith, type SoftwareDevice } from '../../support/software-device.ts'
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

  /** What a person is shown who compares them, to be approved. */
  async function compared({ store }: IngestingCollector, first: SoftwareDevice, ...others: readonly SoftwareDevice[]) {
    const device = await store.devices.byUeid(first.ueid)
    if (device === undefined) throw new Error('no such device')
    const [boot, ...rest] = await Promise.all([first, ...others].map(({ ueid }) => goldenBoot(store, device, ueid)))
    const proposal = boot === undefined ? undefined : proposeFrom(boot, rest)
    if (proposal === undefined) throw new Error('no proposal')
    return { ueids: others.map(({ ueid }) => ueid), rules: proposal.digest, conflicts: proposal.conflicts }
  }

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
    await approve(collector, first, { scope: 'product', golden: await compared(collector, first, second) })
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
    await approve(collector, first, { scope: 'product', golden: await compared(collector, first, second) })
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

  it('without a proven log is no golden one', async () => {
    const { collector, first } = await golden(createStore())
    const stranger = await collector.device()
    await expect(compared(collector, first, stranger)).rejects.toMatchObject({ code: 'request.conflict' })
  })

  it('of a device that has failed is no golden one, nor of one that was revoked', async () => {
    const { collector, first, second, third } = await golden(createStore())
    await approve(collector, second)
    await collector.epoch(first, second, third)
    second.reboot([...grubBoot({ kernel: 'evil' }), bootNext(1)])
    await reportWithContent(collector, second)
    await expect(compared(collector, first, second)).rejects.toMatchObject({ code: 'request.conflict' })
    await revokeDevice(collector.store, { ueid: third.ueid, actor: 'api_x', now: collector.now })
    await expect(compared(collector, first, third)).rejects.toMatchObject({ code: 'request.conflict' })
  })

  it('that changed between the comparison and the approval is not approved with it', async () => {
    const { collector, first, second } = await golden(createStore())
    const seen = await compared(collector, first, second)
    second.reboot([...grubBoot({ kernel: 'evil' }), bootNext(1)])
    await collector.epoch(first, second)
    await reportWithContent(collector, second)
    await expect(approve(collector, first, { scope: 'product', golden: seen })).rejects.toMatchObject({
      code: 'request.conflict',
    })
  })

  it('of units whose TPM firmware differs is a conflict that is told before', async () => {
    const { collector, first, second } = await golden(createStore())
    if (second.tpm !== null) second.tpm.firmwareVersion = 0x2020_0000n
    await collector.epoch(first, second)
    await reportWithContent(collector, second)
    const { conflicts } = await compared(collector, first, second)
    expect(conflicts).toEqual(['the firmware versions of their TPMs differ'])
  })

  it('keeps its rules when something else is accepted later', async () => {
    const { collector, first, second, third } = await golden(createStore())
    await approve(collector, first, { scope: 'product', golden: await compared(collector, first, second) })
    first.readings = { ...first.readings, packages: packagesWith('3.0') }
    await collector.epoch(first, second, third)
    await reportWithContent(collector, first)
    await approve(collector, first, { scope: 'product' })
    third.readings = first.readings
    await collector.epoch(first, second, third)
    await reportWithContent(collector, third)
    expect(await stateOf(collector, third)).toMatchObject({ verdict: 'affirming', open: [] })
  })

  it('that was quoted without some of PCRs 0 to 7 is not approved', async () => {
    const { collector, device } = await withBoot(grubBoot())
    await collector.report(device, {
      selection: [{ bank: 'sha256', pcrs: [13] }],
      reported: new Map([['sha256', new Map([[13, new Uint8Array(32)]])]]),
    })
    await collector.content(device)
    await expect(approve(collector, device)).rejects.toMatchObject({ code: 'request.conflict' })
  })

  it('of a PCR that nobody has approved a value of is not good', async () => {
    const { collector, device } = await approved(grubBoot())
    device.tpm?.setPcr('sha256', 17, new Uint8Array(32).fill(1))
    await reportWithContent(collector, device)
    expect(await stateOf(collector, device)).toMatchObject({
      verdict: 'not-appraised',
      verdictCode: 'reference-values.missing',
    })
  })

  it('whose log its TPM contradicts is not approved', async () => {
    const { collector, device } = await withBoot(grubBoot())
    device.reboot(grubBoot({ kernel: 'kernel 2' }), agileLog(grubBoot()))
    await reportWithContent(collector, device)
    await expect(approve(collector, device)).rejects.toMatchObject({ code: 'request.conflict' })
  })

  it('is not judged by its values because a section came before its log', async () => {
    const { collector, device } = await approved(grubBoot())
    device.readings = { ...device.readings, packages: packagesWith('3.0') }
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    await collector.report(device)
    for (const part of [...(await device.parts('packages')), ...(await device.logParts())]) {
      await collector.receive(collector.message(device, part, 'section'))
    }
    const codes = await openCodes(collector, device)
    expect(codes.filter((code) => code.startsWith('boot.'))).toEqual([
      'boot.kernel-changed kernel image /vmlinuz-6.1.0-13',
    ])
  })

  it('is named once its log arrives, also where its values were judged before', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    await collector.report(device)
    await collector.epoch(device)
    await collector.report(device)
    await collector.content(device)
    const { open } = await stateOf(collector, device)
    const named = open.map(({ code, state }) => `${code} ${state}`)
    expect(named.sort()).toEqual([
      'boot.kernel-changed open',
      'boot.pcr-changed recovered',
      'boot.pcr-changed recovered',
    ])
  })

  it('of a device that failed for another cause gains nothing by a log that it does not send', async () => {
    const { collector, device } = await approved(grubBoot())
    device.tpm?.clear()
    await reportWithContent(collector, device)
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    for (let round = 0; round < 2; round++) {
      await collector.epoch(device)
      await collector.report(device)
    }
    expect(await openCodes(collector, device)).toContain('boot.pcr-changed pcr/sha256/4')
  })

  it('fails where the values under the quote are never sent, although they are asked for', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    for (let round = 0; round < 5; round++) {
      await collector.epoch(device)
      const { bytes } = await device.report()
      const without = await device.resign(bytes, { tpm: (tpm) => ({ ...tpm, pcrs: null }) })
      device.relink(without)
      await collector.evidence(device, without)
    }
    expect(await stateOf(collector, device)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
    expect(await openCodes(collector, device)).toEqual(['boot.quote-refused quote'])
  })

  it('fails where the log that may explain it is never sent, although it is asked for', async () => {
    const { collector, first, second } = await golden(createStore())
    await approve(collector, first, { scope: 'product', golden: await compared(collector, first, second) })
    const late = await collector.device()
    late.reboot([...grubBoot(), bootNext(9)])
    for (let round = 0; round < 5; round++) {
      await collector.epoch(first, second, late)
      await collector.report(late)
    }
    expect(await stateOf(collector, late)).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
    expect(await openCodes(collector, late)).toEqual(['boot.log-refused event log'])
  })

  it('that was changed stays changed when the agent stops to name its log', async () => {
    const { collector, device } = await approved(grubBoot())
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    await reportWithContent(collector, device)
    device.firmwareLog = null
    await collector.epoch(device)
    await collector.report(device)
    const { open } = await stateOf(collector, device)
    expect(open.find(({ code }) => code === 'boot.kernel-changed')?.state).toBe('open')
  })

  it('of before an approved update is history as approved when it was made', async () => {
    const { collector, device } = await approved(grubBoot())
    const { bytes: late } = await device.report()
    device.reboot(grubBoot({ kernel: 'kernel 2' }))
    await collector.epoch(device)
    await reportWithContent(collector, device)
    await approve(collector, device)
    await collector.epoch(device)
    await collector.report(device)
    await collector.evidence(device, late)
    expect(await stateOf(collector, device)).toMatchObject({ verdict: 'affirming', latch: 'none', open: [] })
  })

  it('is named before all that was measured to hide it', async () => {
    const { collector, device } = await approved(grubBoot())
    const noise = Array.from({ length: 40 }, (_, index) => ({
      ...bootNext(index),
      data: variableData(`Noise${index}`, GLOBAL, u16(1)),
    }))
    device.reboot([...grubBoot({ kernel: 'kernel 2' }), ...noise])
    await reportWithContent(collector, device)
    const codes = await openCodes(collector, device)
    expect(codes).toContain('boot.kernel-changed kernel image /vmlinuz-6.1.0-13')
    expect(codes).toContain('boot.configuration-changed further measurements')
    expect(codes.length).toBeLessThan(20)
  })
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { approveDevice } from '../../../collector/tracking/approval.ts'
import { hash, random, sha256 } from '../../../shared/crypto/node.ts'
import { encodePublicArea, nameOf } from '../../../shared/tpm/public.ts'
import { describeStore } from '../../collector/store/support.ts'
import { BootedSwtpm } from '../../support/booted-swtpm.ts'
import { grubBoot, unifiedBoot } from '../../support/boots.ts'
import { agileLog, type EventSpec } from '../../support/eventlog-builder.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import type { SoftwareDevice } from '../../support/software-device.ts'

let machine: BootedSwtpm
beforeAll(async () => {
  machine = await BootedSwtpm.start()
})
afterAll(() => machine.stop())

describeStore('a boot that a real TPM quotes', (createStore) => {
  const keys = useCollectorKeys()

  /** A device with the machine's TPM, booted and approved. */
  async function approved(events: readonly EventSpec[]) {
    const { collector } = await IngestingCollector.withDevice(createStore(), keys())
    const { area } = machine
    const tpm = {
      ekName: sha256(random(8)),
      ekCertificate: null,
      akPublic: encodePublicArea(area),
      akName: nameOf(area, hash),
    }
    const device = await collector.device({ tpm: null }, { tpm, identity: 'tpm-tofu' })
    await boots(collector, device, events)
    const request = { ueid: device.ueid, scope: 'device', actor: 'api_x', now: collector.now, random } as const
    await approveDevice(collector.store, request)
    return { collector, device }
  }

  /** Powers the machine on and reports; `log`: what the machine shows as its log. */
  async function boots(
    collector: IngestingCollector,
    device: SoftwareDevice,
    events: readonly EventSpec[],
    log: Uint8Array = agileLog(events, ['sha256']),
  ): Promise<void> {
    await machine.boot(events)
    await collector.epoch(device)
    device.restart()
    device.firmwareLog = log
    const { bytes } = await device.report({}, { quote: machine.quote })
    await collector.evidence(device, bytes)
    await collector.content(device)
  }

  const findingsOf = async ({ store }: IngestingCollector, { ueid }: SoftwareDevice) => {
    const stored = await store.devices.byUeid(ueid)
    const open = await store.findings.openOf(stored?.id ?? -1)
    return open.map(({ code, subject }) => `${code} ${subject}`).sort()
  }

  it('is affirming again after a reboot', async () => {
    const { collector, device } = await approved(grubBoot())
    await boots(collector, device, grubBoot())
    expect(await findingsOf(collector, device)).toEqual([])
  })

  it.each([
    ['GRUB', grubBoot(), grubBoot({ kernel: 'kernel 2' }), 'boot.kernel-changed kernel image /vmlinuz-6.1.0-13'],
    [
      'a unified image',
      unifiedBoot(),
      unifiedBoot({ kernel: 'kernel 2' }),
      'boot.kernel-changed kernel image \\EFI\\BOOT\\BOOTX64.EFI',
    ],
  ])('with another kernel by %s is one finding, which names the kernel image', async (_, before, after, finding) => {
    const { collector, device } = await approved(before)
    await boots(collector, device, after)
    expect(await findingsOf(collector, device)).toEqual([finding])
  })

  it('whose log was edited to hide the kernel does not match the quote', async () => {
    const { collector, device } = await approved(grubBoot())
    await boots(collector, device, grubBoot({ kernel: 'kernel 2' }), agileLog(grubBoot(), ['sha256']))
    expect(await findingsOf(collector, device)).toEqual([
      'boot.log-refused event log/sha256',
      'boot.pcr-changed pcr/sha256/4',
      'boot.pcr-changed pcr/sha256/9',
    ])
  })
})

import { describe, expect, test } from 'vitest'
import { grubBoot } from '../../support/boots.ts'
import { GLOBAL, u16, variableData, type EventSpec } from '../../support/eventlog-builder.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { useCollector, type RunResult } from './support.ts'

const expectFits = ({ stdout }: RunResult): void => {
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
}

const bootNext = (value: number): EventSpec => ({
  pcr: 1,
  type: 'EV_EFI_VARIABLE_BOOT',
  data: variableData('BootNext', GLOBAL, u16(value)),
})

describe('keepseal device boot', () => {
  const collector = useCollector()
  const keys = useCollectorKeys()

  /** Two units of a product that differ in one boot variable, and have reported. */
  async function fleet() {
    const { store, run } = collector()
    const { collector: ingest, device: first } = await IngestingCollector.withDevice(store, keys())
    const second = await ingest.device()
    for (const [index, device] of [first, second].entries()) {
      device.reboot([...grubBoot(), bootNext(index)])
      await ingest.report(device)
      await ingest.content(device)
    }
    return { run, ingest, first, second }
  }

  test('shows the chain that was proven, and Secure Boot with the name of who allowed it', async () => {
    const { run, first } = await fleet()
    const shown = await run('auditor', 'device', 'boot', first.ueid)
    expect(shown.code).toBe(0)
    for (const text of [
      'leads to the quoted values',
      '\\EFI\\debian\\grubx64.efi',
      '/vmlinuz-6.1.0-13',
      'Boot signer',
    ]) {
      expect(shown.stdout).toContain(text)
    }
    expectFits(shown)
    expectFits(await run('auditor', 'device', 'boot', first.ueid, '--all'))
  })

  test('compares good devices, and what it tells to type approves their product', async () => {
    const { run, ingest, first, second } = await fleet()
    const compared = await run('operator', 'device', 'compare-boots', first.ueid, second.ueid)
    expect(compared).toMatchObject({ code: 0, stdout: expect.stringContaining('variable BootNext may have any value') })
    expectFits(compared)
    const command = compared.stdout.slice(compared.stdout.indexOf('keepseal device approve')).replaceAll('\\\n', ' ')
    const approved = await run('operator', ...command.trim().split(/\s+/).slice(1))
    expect(approved.code, approved.stderr).toBe(0)
    second.reboot([...grubBoot({ kernel: 'kernel 2' }), bootNext(5)])
    await ingest.epoch(first, second)
    await ingest.report(second)
    await ingest.content(second)
    const shown = await run('auditor', 'device', 'boot', second.ueid, '--json')
    expect(shown.code).toBe(1)
    expect(JSON.parse(shown.stdout)).toMatchObject({
      log: 'proven',
      differences: [{ code: 'boot.kernel-changed', subject: 'kernel image /vmlinuz-6.1.0-13' }],
    })
  })

  test('refuses golden devices for one device alone', async () => {
    const { run, first, second } = await fleet()
    const alone = await run('operator', 'device', 'approve', first.ueid, '--golden', second.ueid)
    expect(alone.code).toBe(2)
    const rules = ['--boot-rules', 'ab'.repeat(32)]
    const refused = await run('operator', 'device', 'approve', first.ueid, '--golden', second.ueid, ...rules)
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain('golden devices need the scope product')
  })

  test('a device without a quote has no boot to show', async () => {
    const { store, run } = collector()
    const { collector: ingest, device } = await IngestingCollector.withDevice(store, keys(), { tpm: null })
    await ingest.report(device)
    const shown = await run('auditor', 'device', 'boot', device.ueid)
    expect(shown.code).not.toBe(0)
    expect(shown.stderr).toContain('the device has sent no valid quote')
  })
})

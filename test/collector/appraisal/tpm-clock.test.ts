import { beforeEach, describe, expect, it } from 'vitest'
import type { TpmClock } from '../../../collector/model/device.ts'
import { random } from '../../../shared/crypto/node.ts'
import { appraisalOf, ARRIVAL, deviationsOf, epochOf } from '../../support/appraising.ts'
import { SoftwareDevice } from '../../support/software-device.ts'

let device: SoftwareDevice
beforeEach(() => {
  device = new SoftwareDevice()
})

const tpmOf = () => {
  if (device.tpm === null) throw new Error('without a TPM')
  return device.tpm
}

/** As it was with the newest evidence. */
const clockBefore = (): TpmClock => {
  const { clockMs, resetCount, restartCount } = tpmOf()
  return { clockMs, resetCount, restartCount, observedAt: ARRIVAL - 300_000 }
}

const after = async (before: TpmClock, epoch = 100) => {
  const { bytes } = await device.report()
  return appraisalOf(device, bytes, {
    epoch: epochOf(device, epoch),
    state: { tpmClock: before, lastFreshEpoch: 99, freshSession: random(16) },
  })
}

const CLEARED = ['identity.tpm-cleared tpm counters']

describe('the clock of the TPM', () => {
  it('has been cleared when restarts go back without a reset', async () => {
    tpmOf().restartCount = 3
    const before = clockBefore()
    tpmOf().restartCount = 1
    expect(deviationsOf(await after(before))).toEqual(CLEARED)
  })

  it('goes forward from report to report, and over boots and sleep', async () => {
    const before = clockBefore()
    expect(deviationsOf(await after(before))).toEqual([])
    tpmOf().restartCount++
    expect(deviationsOf(await after(before))).toEqual([])
    tpmOf().reboot()
    expect(deviationsOf(await after(before))).toEqual([])
    tpmOf().resetCount += 1000
    expect(deviationsOf(await after(before))).toEqual([])
  })

  it('that was cleared fails, by the counter or by the clock alone', async () => {
    const before = clockBefore()
    tpmOf().clear()
    expect(await after(before)).toMatchObject({ verdict: 'contraindicated', code: 'identity.tpm-cleared' })
    expect(deviationsOf(await after({ ...before, resetCount: 0, clockMs: 2n ** 40n }))).toEqual(CLEARED)
  })

  it('may wrap around where the counters are obfuscated', async () => {
    tpmOf().resetCount = 0xffff_ffff
    const before = clockBefore()
    tpmOf().reboot()
    expect(tpmOf().resetCount).toBe(0)
    expect(deviationsOf(await after(before))).toEqual([])
    expect(deviationsOf(await after({ ...before, resetCount: 1 }))).toEqual(CLEARED)
  })

  it('of history says nothing: it was behind', async () => {
    const before = { ...clockBefore(), clockMs: 2n ** 40n }
    expect(await after(before, 98)).toMatchObject({ newest: false, deviations: [] })
  })

  it('that was cleared within an epoch is found in the next one', async () => {
    const before = clockBefore()
    tpmOf().clear()
    device.restart()
    expect(await after(before, 99)).toMatchObject({ newest: false, deviations: [] })
    expect(deviationsOf(await after(before, 100))).toEqual(CLEARED)
  })

  it('that was set forward, or is another one, advanced faster than time went by', async () => {
    const before = clockBefore()
    tpmOf().clockMs += 700_000n
    expect(deviationsOf(await after(before))).toEqual([])
    tpmOf().clockMs += 700_000n
    const found = await after(before)
    expect(deviationsOf(found)).toEqual(['reporting.tpm-clock-implausible tpm clock'])
    expect(found.verdict).toBe('warning')
  })

  it('is not judged where the time of the collector went back, nor over a reboot', async () => {
    const before = clockBefore()
    tpmOf().clockMs += 2n ** 40n
    expect(deviationsOf(await after({ ...before, observedAt: ARRIVAL + 1 }))).toEqual([])
    tpmOf().reboot()
    expect(deviationsOf(await after(before))).toEqual([])
  })
})

import { beforeEach, describe, expect, it } from 'vitest'
import { interleavesWith } from '../../../collector/appraisal/steps/link.ts'
import type { DeviceState } from '../../../collector/model/device.ts'
import type { Session } from '../../../collector/model/evidence.ts'
import { random } from '../../../shared/crypto/node.ts'
import { appraisalOf, ARRIVAL, deviationsOf, epochOf, WINDOW_MS, type Knowledge } from '../../support/appraising.ts'
import { SoftwareDevice } from '../../support/software-device.ts'

let device: SoftwareDevice
beforeEach(() => {
  device = new SoftwareDevice()
})

const reported = async (knowledge: Knowledge) => appraisalOf(device, (await device.report()).bytes, knowledge)

describe('evidence of an epoch', () => {
  const issued = (ago: number): Knowledge => ({ epoch: { ...epochOf(device), issuedAt: ARRIVAL - ago } })

  it('is fresh from its issue to the end of the window, by the clock of the collector alone', async () => {
    expect(await reported(issued(0))).toMatchObject({ freshness: 'fresh', verdict: 'affirming' })
    expect(await reported(issued(WINDOW_MS))).toMatchObject({ freshness: 'fresh', verdict: 'affirming' })
  })

  it('is late afterwards: history, which is no verdict', async () => {
    expect(await reported(issued(WINDOW_MS + 1))).toMatchObject({
      freshness: 'late',
      newest: false,
      verdict: 'not-appraised',
      code: 'freshness.late',
    })
  })

  it('is late when it is from the future of a clock that was set back', async () => {
    expect(await reported(issued(-1))).toMatchObject({ freshness: 'late', newest: false })
  })

  it('that this collector did not issue is never fresh', async () => {
    expect(await reported({ epoch: undefined })).toMatchObject({
      freshness: 'unknown-epoch',
      newest: false,
      verdict: 'not-appraised',
      code: 'freshness.unknown-epoch',
    })
  })

  it('does not become fresh by what the device says about the time', async () => {
    const { bytes } = await device.report({}, { issuedAt: Math.floor(ARRIVAL / 1000) })
    expect(appraisalOf(device, bytes, issued(WINDOW_MS + 1)).freshness).toBe('late')
  })

  it('fails as late evidence too', async () => {
    device.quoting = false
    expect(await reported(issued(WINDOW_MS + 1))).toMatchObject({
      newest: false,
      verdict: 'contraindicated',
      code: 'quote.missing',
    })
  })
})

const session = (firstEpoch: number | null, lastEpoch: number | null, id = random(16)): Session => ({
  deviceId: 1,
  session: id,
  contiguousTo: 0,
  extra: [],
  firstSeenAt: ARRIVAL - 1_000_000,
  firstEpoch,
  lastEpoch,
})

describe('the newest evidence', () => {
  const newest = async (state: Partial<DeviceState>, epoch: number, own?: Session) =>
    (await reported({ epoch: epochOf(device, epoch), state, links: { session: own } })).newest

  it('is that of the latest epoch', async () => {
    const other = { freshSession: random(16), freshSequence: 4 }
    expect(await newest({ ...other, lastFreshEpoch: 99 }, 100)).toBe(true)
    expect(await newest({ ...other, lastFreshEpoch: 101 }, 100)).toBe(false)
  })

  it('is within an epoch and a session that of the highest number', async () => {
    await device.report()
    const state = { lastFreshEpoch: 100, freshSession: device.session }
    expect(await newest({ ...state, freshSequence: 0 }, 100)).toBe(true)
    expect(await newest({ ...state, freshSequence: 5 }, 100)).toBe(false)
  })

  it('is within an epoch that of the run which began in it, and not what the run before had left', async () => {
    const state = { lastFreshEpoch: 100, freshSession: random(16), freshSequence: 0 }
    expect(await newest(state, 100)).toBe(true)
    expect(await newest(state, 100, session(null, null, device.session))).toBe(true)
    expect(await newest(state, 100, session(98, 100, device.session))).toBe(false)
    expect(await newest(state, 100, session(98, 99, device.session))).toBe(false)
  })

  it('of a run that was never heard of is told from the backlog of the run before by the clock of its TPM', async () => {
    const { clock } = await reported({})
    const observedAt = ARRIVAL
    const clockOf = (clockMs: bigint, resetCount: number) => ({ clockMs, resetCount, restartCount: 0, observedAt })
    const state = { lastFreshEpoch: 100, freshSession: random(16), freshSequence: 0 }
    const { resetCount = 0 } = clock ?? {}
    for (const tpmClock of [clockOf(2n ** 40n, resetCount), clockOf(0n, resetCount + 1)]) {
      const appraisal = await reported({ epoch: epochOf(device), state: { ...state, tpmClock } })
      expect(appraisal).toMatchObject({ newest: false, deviations: [] })
    }
    expect(await newest({ ...state, tpmClock: clockOf(1n, resetCount) }, 100)).toBe(true)
  })
})

describe('two sessions', () => {
  const cloneOf = async (epoch: number, own: Session | undefined, ...others: Session[]) => {
    const appraisal = await reported({
      epoch: epochOf(device, epoch),
      state: { freshSession: others[0]?.session ?? null },
      links: { session: own, freshSessions: others },
    })
    return deviationsOf(appraisal)
  }
  const CLONE = ['identity.clone interleaved sessions']

  it('that interleave are a clone, which is an integrity failure', async () => {
    const appraisal = await reported({
      epoch: epochOf(device, 7),
      state: { freshSession: random(16) },
      links: { session: session(5, 6, device.session), freshSessions: [session(4, 7)] },
    })
    expect(appraisal).toMatchObject({ verdict: 'contraindicated', code: 'identity.clone' })
  })

  it('one after the other are a restart', async () => {
    expect(await cloneOf(8, undefined, session(3, 7))).toEqual([])
    expect(await cloneOf(7, undefined, session(3, 7))).toEqual([])
    expect(await cloneOf(9, session(7, 8, device.session), session(3, 7))).toEqual([])
  })

  it('are a restart when the old one delivers the rest of what it had after the new one began', async () => {
    expect(await cloneOf(7, session(3, 6, device.session), session(7, 8))).toEqual([])
    expect(await cloneOf(7, session(3, 7, device.session), session(7, 7))).toEqual([])
    expect(await cloneOf(6, undefined, session(7, 8))).toEqual([])
  })

  it('are a clone when the new one is within the time of the old, or the other way round', async () => {
    expect(await cloneOf(6, undefined, session(3, 7))).toEqual(CLONE)
    expect(await cloneOf(8, session(3, 6, device.session), session(7, 7))).toEqual(CLONE)
  })

  it('in lockstep are a clone from the second epoch that they share', async () => {
    expect(await cloneOf(7, session(7, 7, device.session), session(3, 7))).toEqual([])
    expect(await cloneOf(8, session(7, 7, device.session), session(3, 8))).toEqual(CLONE)
    expect(await cloneOf(8, session(3, 7, device.session), session(7, 8))).toEqual(CLONE)
  })

  it('of which one has stopped are reported no more, and again when it returns', async () => {
    const stopped = session(3, 8)
    expect(await cloneOf(8, session(7, 8, device.session), stopped)).toEqual(CLONE)
    expect(await cloneOf(10, session(7, 9, device.session), stopped)).toEqual([])
    expect(await cloneOf(12, session(3, 8, device.session), session(7, 11))).toEqual(CLONE)
  })

  it('never interleave with one that was not fresh: a restored image, whose first evidence is late', async () => {
    const restored = session(null, null, device.session)
    expect(await cloneOf(9, restored, session(3, 8))).toEqual([])
    expect(interleavesWith(9, undefined, session(null, null))).toBe(false)
  })

  it('are found whichever of several others it is', async () => {
    expect(await cloneOf(9, session(8, 8, device.session), session(1, 2), session(2, 5), session(7, 9))).toEqual(CLONE)
  })
})

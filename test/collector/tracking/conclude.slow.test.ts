import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Appraisal } from '../../../collector/appraisal/appraise.ts'
import { initialDeviceState, type DeviceState } from '../../../collector/model/device.ts'
import type { Finding } from '../../../collector/model/finding.ts'
import { conclude } from '../../../collector/tracking/conclude.ts'
import { findings as findingCodes, type FindingCode } from '../../../shared/codes/findings.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { appraisalOf, approvalOf, ARRIVAL, epochOf, WINDOW_MS } from '../../support/appraising.ts'
import { GOOD_READINGS, SoftwareDevice, socketsWith } from '../../support/software-device.ts'

const HIDDEN = { ...GOOD_READINGS, sockets: { status: 'no-permission', reason: 'file-not-readable' } } as const
const FAILED = { ...GOOD_READINGS, sockets: { status: 'failed', code: 'input-unreadable' } } as const
const DRIFT = { ...GOOD_READINGS, sockets: socketsWith(22, 4444) }

/** What a report can be like. */
const kinds = [
  'good',
  'drifted',
  'hidden',
  'failed',
  'unquoted',
  'other-boot',
  'good-late',
  'drifted-late',
  'unquoted-late',
] as const
type Kind = (typeof kinds)[number]

const BLIND: { readonly [K in Kind]?: typeof GOOD_READINGS } = { hidden: HIDDEN, failed: FAILED }

/** State and findings as the store would keep them, over one report after the other. */
class Tracked {
  readonly device = new SoftwareDevice()
  readonly #approved = approvalOf(this.device)
  readonly #contents = new Map<string, Uint8Array>()
  state: DeviceState = { ...initialDeviceState, verdict: 'affirming' }
  findings: Finding[] = []
  #epoch = 100
  #id = 0

  constructor() {
    for (const readings of [GOOD_READINGS, DRIFT, HIDDEN, FAILED]) {
      this.device.readings = readings
      for (const [digest, content] of this.device.contents) this.#contents.set(digest, content)
    }
  }

  async report(kind: Kind): Promise<Appraisal> {
    const { device } = this
    const isLate = kind.endsWith('-late')
    if (!isLate) this.#epoch++
    device.readings = kind.startsWith('drifted') ? DRIFT : (BLIND[kind] ?? GOOD_READINGS)
    device.quoting = !kind.startsWith('unquoted')
    if (kind === 'other-boot') device.tpm?.extend(4, 'another kernel')
    const { bytes } = await device.report()
    if (kind === 'other-boot') device.tpm?.reboot()
    const number = isLate ? this.#epoch - 50 : this.#epoch
    const epoch = { ...epochOf(device, number), issuedAt: ARRIVAL - (isLate ? WINDOW_MS + 1 : 0) }
    return appraisalOf(device, bytes, {
      approved: this.#approved,
      contents: this.#contents,
      state: this.state,
      epoch,
    })
  }

  conclude(appraisal: Appraisal) {
    const open = this.findings.filter(({ state }) => state !== 'resolved')
    const conclusion = conclude(this.state, open, appraisal, { receivedAt: ARRIVAL, epochIssuedAt: ARRIVAL })
    this.state = conclusion.state
    const states = new Map([...conclusion.seen, ...conclusion.left].map(({ id, state }) => [id, state]))
    this.findings = this.findings.map((finding) => ({ ...finding, state: states.get(finding.id) ?? finding.state }))
    for (const opened of conclusion.opened) {
      const { severity } = findingCodes[opened.code]
      const about = {
        deviceId: 1,
        severity,
        lastSeenAt: ARRIVAL,
        resolvedAt: null,
        evidenceHash: new Uint8Array(32),
        firstOpenedAt: ARRIVAL,
        openings: 1,
        acknowledgement: null,
      }
      this.findings.push({ ...opened, ...about, id: `fnd_${this.#id++}` })
    }
    return { open, conclusion }
  }
}

const sequence = fc.array(fc.constantFrom(...kinds), { minLength: 1, maxLength: 14 })
const isIntegrity = (code: FindingCode): boolean => findingCodes[code].axis === 'integrity'
const RANK = { affirming: 0, 'not-appraised': 1, warning: 1, contraindicated: 2 } as const

describe('whatever a device reports, in any sequence', () => {
  it('once it has failed, it is never affirming again without a person', async () => {
    await fc.assert(
      fc.asyncProperty(sequence, async (reports) => {
        const tracked = new Tracked()
        let hasFailed = false
        for (const kind of reports) {
          const appraisal = await tracked.report(kind)
          hasFailed ||= appraisal.deviations.some(({ code }) => isIntegrity(code))
          tracked.conclude(appraisal)
          const { verdict, latch, verdictCode } = tracked.state
          expect(latch !== 'none').toBe(hasFailed)
          if (hasFailed) expect(verdict).toBe('contraindicated')
          expect(verdict === 'affirming').toBe(verdictCode === null)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('late evidence improves no verdict, releases no latch, ends no finding and is not the present', async () => {
    await fc.assert(
      fc.asyncProperty(sequence, async (reports) => {
        const tracked = new Tracked()
        for (const kind of reports) {
          const [before, findings] = [tracked.state, tracked.findings]
          const appraisal = await tracked.report(kind)
          tracked.conclude(appraisal)
          if (!kind.endsWith('-late')) continue
          expect(appraisal.newest).toBe(false)
          expect(RANK[tracked.state.verdict]).toBeGreaterThanOrEqual(RANK[before.verdict])
          if (before.latch !== 'none') expect(tracked.state.latch).toBe(before.latch)
          expect(tracked.findings.slice(0, findings.length)).toEqual(findings)
          expect(tracked.findings.slice(findings.length).map(({ state }) => state)).not.toContain('open')
          const { verdict: _, verdictCode: _code, latch: _latch, ...present } = tracked.state
          expect(before).toMatchObject({ ...present, lastReceivedAt: before.lastReceivedAt })
        }
      }),
      { numRuns: 60 },
    )
  })

  it('every finding is either opened, seen again, gone or left as it is', async () => {
    await fc.assert(
      fc.asyncProperty(sequence, async (reports) => {
        const tracked = new Tracked()
        for (const kind of reports) {
          const appraisal = await tracked.report(kind)
          const { open, conclusion } = tracked.conclude(appraisal)
          const keys = (list: readonly { code: string; subject: string }[]) =>
            list.map((it) => `${it.code} ${it.subject}`)
          const [seen, left] = [conclusion.seen, conclusion.left].map((list) => list.map(({ id }) => id))
          const known = open.map(({ id }) => id)
          expect(new Set([...(seen ?? []), ...(left ?? [])]).size).toBe((seen?.length ?? 0) + (left?.length ?? 0))
          expect(known).toEqual(expect.arrayContaining([...(seen ?? []), ...(left ?? [])]))
          expect(keys(conclusion.opened).filter((key) => keys(open).includes(key))).toEqual([])
          const reported = keys(appraisal.deviations)
          expect(reported).toEqual(expect.arrayContaining(keys(conclusion.opened)))
          for (const finding of open) {
            const isReported = reported.includes(keys([finding])[0] ?? '')
            if (appraisal.newest) expect(seen?.includes(finding.id)).toBe(isReported)
            if (left?.includes(finding.id)) expect(isReported).toBe(false)
          }
          const unresolved = keys(tracked.findings.filter(({ state }) => state !== 'resolved'))
          expect(new Set(unresolved).size).toBe(unresolved.length)
          for (const { code, state } of tracked.findings) if (isIntegrity(code)) expect(state).not.toBe('resolved')
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('the newest evidence', () => {
  it('becomes the present', async () => {
    const tracked = new Tracked()
    const appraisal = await tracked.report('good')
    tracked.conclude(appraisal)
    expect(tracked.state).toMatchObject({
      verdict: 'affirming',
      lastFreshEpoch: 101,
      freshSequence: 0,
      bootCoverage: 'partial',
      agentVersion: '0.1.0',
      lastReceivedAt: ARRIVAL,
    })
    expect(toHex(tracked.state.postureDigest ?? new Uint8Array(0))).toBe(toHex(tracked.device.posture.postureDigest))
    expect(tracked.state.tpmClock?.resetCount).toBe(tracked.device.tpm?.resetCount)
  })

  it('without the means to look does not end what it cannot see', async () => {
    const tracked = new Tracked()
    tracked.conclude(await tracked.report('drifted'))
    tracked.conclude(await tracked.report('unquoted'))
    tracked.conclude(await tracked.report('hidden'))
    const states = tracked.findings.map(({ code, state }) => `${code} ${state}`)
    expect(states).toContain('sockets.listener-added open')
    expect(states).toContain('boot.quote-refused recovered')
  })

  it('tells of a section without content in one finding, however its status changes', async () => {
    const tracked = new Tracked()
    const open = () =>
      tracked.findings.filter(({ state }) => state === 'open').map(({ code, subject }) => `${code} ${subject}`)
    tracked.conclude(await tracked.report('failed'))
    expect(open()).toEqual(['agent.sensor-failed sockets'])
    tracked.conclude(await tracked.report('hidden'))
    expect(open()).toEqual(['reporting.section-status-changed sockets'])
    tracked.conclude(await tracked.report('failed'))
    expect(open()).toEqual(['agent.sensor-failed sockets'])
    tracked.conclude(await tracked.report('good'))
    expect(open()).toEqual([])
  })

  it('never moves the time of the last arrival back', async () => {
    const tracked = new Tracked()
    tracked.state = { ...tracked.state, lastReceivedAt: ARRIVAL + 5 }
    tracked.conclude(await tracked.report('good'))
    expect(tracked.state.lastReceivedAt).toBe(ARRIVAL + 5)
  })
})

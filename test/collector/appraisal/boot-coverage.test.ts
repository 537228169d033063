import { describe, expect, it } from 'vitest'
import { bootCoverageOf } from '../../../collector/appraisal/boot-coverage.ts'
import type { PcrValues } from '../../../shared/tpm/pcr-selection.ts'
import { provenLog } from '../../support/boots.ts'
import { goodBoot, pcrsOf, startupLocality, type EventSpec } from '../../support/eventlog-builder.ts'

const valuesOf = (events: readonly EventSpec[], locality = 0): PcrValues =>
  new Map([['sha256', pcrsOf(events, 'sha256', locality)]])
const coverageOf = (events: readonly EventSpec[]) => bootCoverageOf(valuesOf(events), provenLog(events))
const without = (...pcrs: number[]) => goodBoot().filter(({ pcr }) => !pcrs.includes(pcr))

describe('boot coverage', () => {
  it('is measured where a proven log has events for all of PCRs 0 to 7', () => {
    expect(coverageOf(goodBoot())).toBe('measured')
  })

  it('counts only PCRs that were ever extended', () => {
    expect(coverageOf(without(3))).toBe('partial')
    expect(coverageOf(without(0, 1, 2, 3, 4, 5, 6, 7))).toBe('none')
  })

  it('is none where all values are ones, or no bank was quoted', () => {
    const ones = new Map([0, 1, 2, 3, 4, 5, 6, 7].map((pcr) => [pcr, new Uint8Array(32).fill(0xff)] as const))
    expect(bootCoverageOf(new Map([['sha256', ones]]), undefined)).toBe('none')
    expect(bootCoverageOf(new Map(), undefined)).toBe('none')
  })

  it('does not take a startup locality for a measurement', () => {
    expect(bootCoverageOf(valuesOf([startupLocality(3)], 3), undefined)).toBe('none')
  })

  it('is partial at most without a log: software may have extended what firmware left alone', () => {
    expect(bootCoverageOf(valuesOf(goodBoot()), undefined)).toBe('partial')
  })
})

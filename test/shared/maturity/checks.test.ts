import { describe, expect, test } from 'vitest'
import {
  stateOfAssumption,
  stateOfLimitation,
  type CheckState,
  type Evidence,
} from '../../../shared/maturity/checks.ts'
import type { Assumption, Limitation } from '../../../shared/maturity/profile.ts'
import { profileOf } from '../../support/profile.ts'

const nothing: Evidence = { signal: () => 'unknown', document: () => 'unknown', sectionFact: () => null }
const [limitation] = profileOf().limitations as [Limitation]
const [assumption] = profileOf().assumptions as [Assumption]

describe('a limitation', () => {
  test.each<[CheckState, string]>([
    ['holds', 'covered'],
    ['broken', 'uncovered'],
    ['unknown', 'unknown'],
  ])('whose compensation %s is %s', (document, state) => {
    expect(stateOfLimitation(limitation, { ...nothing, document: () => document })).toBe(state)
  })

  test('that nothing makes up for says so', () => {
    expect(stateOfLimitation({ ...limitation, compensation: null }, nothing)).toBe('uncompensated')
  })

  test('asks for the signal with the objective of its own', () => {
    const slo = { target: 7 }
    const asked: unknown[] = []
    const check = { kind: 'signal', signal: 'patch.release-age', slo } as const
    const signal: Evidence['signal'] = (...call) => {
      asked.push(call)
      return 'holds'
    }
    const state = stateOfLimitation({ ...limitation, compensation: { text: 'x', check } }, { ...nothing, signal })
    expect([state, asked]).toEqual(['covered', [['patch.release-age', slo]]])
  })
})

describe('an assumption', () => {
  test.each<[number | null, string]>([
    [100, 'holds'],
    [99, 'broken'],
    [null, 'unknown'],
  ])('that is so on %s percent of the devices %s', (share, state) => {
    expect(stateOfAssumption(assumption, { ...nothing, sectionFact: () => share })).toBe(state)
  })

  test('without a check is watched by nobody', () => {
    expect(stateOfAssumption({ ...assumption, check: undefined }, nothing)).toBe('unmonitored')
  })
})

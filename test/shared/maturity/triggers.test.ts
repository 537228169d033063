import { describe, expect, test } from 'vitest'
import { findings, type FindingCode } from '../../../shared/codes/findings.ts'
import { causeOf, INTAKE_CAUSES, OWN_CAUSES } from '../../../shared/maturity/causes.ts'
import { endOfPeriod } from '../../../shared/maturity/period.ts'
import { TRIGGER_IDS, triggerOf } from '../../../shared/maturity/triggers.ts'

const at = (text: string): number => Date.parse(`${text}T09:30:00Z`) / 1000

describe('triggers', () => {
  test('are the nineteen of the practice model, in order', () => {
    expect(TRIGGER_IDS).toEqual(Array.from({ length: 19 }, (_, index) => `T${index + 1}`))
  })

  test('each have a cause: a finding, or one of their own', () => {
    const causes = [...OWN_CAUSES, ...(Object.keys(findings) as FindingCode[])]
    const named = new Set(causes.map((cause) => causeOf(cause).trigger))
    expect([...named].sort()).toEqual([...TRIGGER_IDS].sort())
  })

  test('that people may enter have a cause for it, of the same trigger, and no others have', () => {
    for (const id of TRIGGER_IDS) {
      const cause = INTAKE_CAUSES[id]
      expect(cause !== undefined, id).toBe(triggerOf(id).intake)
      if (cause !== undefined) expect(causeOf(cause).trigger).toBe(id)
    }
  })
})

test.each([
  ['a Monday', '2026-11-23', 2, '2026-11-25'],
  ['a Thursday', '2026-11-26', 2, '2026-11-30'],
  ['a Saturday', '2026-11-28', 1, '2026-11-30'],
  ['a Friday', '2026-11-27', 5, '2026-12-04'],
])('working days from %s leave out Saturday and Sunday', (_, from, workingDays, until) => {
  expect(endOfPeriod(at(from), { workingDays })).toBe(at(until))
})

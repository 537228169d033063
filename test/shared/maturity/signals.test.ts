import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RECORDED_EVENT_KINDS } from '../../../shared/maturity/events/kinds.ts'
import { targetText } from '../../../shared/maturity/conformity/reasons.ts'
import { PRACTICE_IDS } from '../../../shared/maturity/practices.ts'
import {
  DOCUMENT_ONLY_PRACTICES,
  isSignalId,
  SIGNAL_IDS,
  SIGNALS,
  signalsOf,
} from '../../../shared/maturity/signals.ts'
import { directionOf, LEVELS } from '../../../shared/maturity/signals/definition.ts'

const all = SIGNAL_IDS.map((id) => ({ id, ...SIGNALS[id] }))

describe('the list of signals', () => {
  it.each(all)('$id has a name of two words in kebab-case', ({ id, title }) => {
    expect(id).toMatch(/^[a-z]+\.[a-z]+(-[a-z]+)*$/)
    expect(id.length).toBeLessThanOrEqual(34)
    expect(title.length).toBeLessThanOrEqual(90)
  })

  it.each(all)('$id asks of a higher level no less than of a lower one', ({ practices, unit }) => {
    for (const { levels } of Object.values(practices)) {
      const asked = LEVELS.flatMap((level) => levels[level] ?? [])
      const stricter = [...asked].sort((a, b) => (directionOf({ unit }) === 'at-least' ? a - b : b - a))
      expect(asked).toEqual(stricter)
      expect(asked.length).toBeGreaterThan(0)
    }
  })

  it.each(all)('$id supports no level without a bound, and none far above what it asks', ({ practices }) => {
    const effects = Object.entries(practices)
    expect(effects.length).toBeGreaterThan(0)
    for (const [practice, { levels, supports }] of effects) {
      expect(PRACTICE_IDS).toContain(practice)
      if (supports > 0) expect(supports).toBeGreaterThanOrEqual(Math.max(...Object.keys(levels).map(Number)))
    }
  })

  it.each(all)('$id has an objective within its unit', ({ unit, objective: { target, percentile, windowDays } }) => {
    expect(target).toBeGreaterThanOrEqual(0)
    if (unit === 'share') expect(target).toBeLessThanOrEqual(1)
    if (percentile !== undefined) expect(unit === 'days' || unit === 'hours').toBe(true)
    expect([28, 90]).toContain(windowDays)
  })

  it('names what only documents can tell of, rather than measuring it badly', () => {
    expect(DOCUMENT_ONLY_PRACTICES).toEqual([
      'third-party-dependencies-management',
      'protection-model-and-policy-for-data',
    ])
    for (const practice of PRACTICE_IDS) {
      expect(signalsOf(practice).length === 0).toBe(DOCUMENT_ONLY_PRACTICES.includes(practice))
    }
  })

  it('is in the documentation as it is here, as are the kinds of events', () => {
    const page = readFileSync(new URL('../../../docs/signals.md', import.meta.url), 'utf8')
    const rows = page.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
    for (const { id, title, source, objective, ...definition } of all) {
      const row = rows.find(([, name]) => name === `\`${id}\``)
      expect(row?.[2], id).toBe(title)
      expect(row?.[3], id).toContain(source)
      expect(row?.[4], id).toBe(`${targetText(definition, objective)}, ${objective.windowDays} d`)
    }
    for (const kind of RECORDED_EVENT_KINDS) expect(page).toContain(`| \`${kind}\``)
  })

  it('knows no signal by the name of what every object has', () => {
    expect(isSignalId('constructor')).toBe(false)
    expect(isSignalId('patch.critical-time')).toBe(true)
  })
})

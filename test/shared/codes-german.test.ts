import { describe, expect, it } from 'vitest'
import { findings } from '../../shared/codes/findings.ts'
import { germanFindings } from '../../shared/codes/german-findings.ts'
import { germanOutcomes } from '../../shared/codes/german-outcomes.ts'
import { outcomes } from '../../shared/codes/outcomes.ts'

interface Titled {
  readonly title: string
}

describe.each([
  ['finding', findings as Readonly<Record<string, Titled>>, germanFindings as Readonly<Record<string, string>>],
  ['outcome', outcomes as Readonly<Record<string, Titled>>, germanOutcomes as Readonly<Record<string, string>>],
])('every %s', (_, english, german) => {
  it('has a title in English and in German', () => {
    expect(Object.keys(german).sort()).toEqual(Object.keys(english).sort())
    for (const [code, title] of Object.entries(german)) {
      expect([code, title.trim().length > 5, title === english[code]?.title]).toEqual([code, true, false])
    }
  })

  it('has a title of its own in German', () => {
    const titles = Object.values(german)
    const twice = titles.filter((title, index) => titles.indexOf(title) !== index)
    const englishTwice = Object.values(english).map(({ title }) => title)
    // Two codes may say the same where they do in English.
    expect(twice.length).toBeLessThanOrEqual(englishTwice.length - new Set(englishTwice).size)
  })
})

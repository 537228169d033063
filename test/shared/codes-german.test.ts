import { describe, expect, it } from 'vitest'
import { errors } from '../../shared/codes/errors.ts'
import { findings } from '../../shared/codes/findings.ts'
import { germanErrors } from '../../shared/codes/german-errors.ts'
import { germanFindingRemedies } from '../../shared/codes/german-finding-remedies.ts'
import { germanFindings } from '../../shared/codes/german-findings.ts'
import { germanOutcomes } from '../../shared/codes/german-outcomes.ts'
import { outcomes } from '../../shared/codes/outcomes.ts'
import { germanPractices } from '../../shared/maturity/german-practices.ts'
import { PRACTICES } from '../../shared/maturity/practices.ts'

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

const inText = (text: string, pattern: RegExp): readonly string[] => [...text.matchAll(pattern)].map(([word]) => word)

describe('what to do about a finding', () => {
  it('is said in German for each, and nothing else is', () => {
    const english = new Set(Object.values(findings).map(({ remedy }) => remedy))
    expect(Object.keys(germanFindingRemedies).sort()).toEqual([...english].sort())
  })

  it('names the same commands, files and settings', () => {
    const named = /keepseal[\w-]*(?: [a-z-]+){0,2}(?= [A-Z]|$)|\/etc\/[\w./]+|--[\w-]+/g
    for (const [english, german] of Object.entries(germanFindingRemedies)) {
      expect(inText(german, named), german).toEqual(expect.arrayContaining([...inText(english, named)]))
    }
  })
})

describe('an error that somebody can meet on a page', () => {
  it('has a German title and remedy, other than the English ones, and names the same commands', () => {
    const command = /keepseal[\w-]* [a-z]+ [a-z]+/g
    for (const [code, { title, remedy }] of Object.entries(germanErrors)) {
      const english = errors[code as keyof typeof errors]
      expect([code, title.length > 5, title !== english.title, remedy !== english.remedy]).toEqual([
        code,
        true,
        true,
        true,
      ])
      expect(inText(remedy, command), code).toEqual(inText(english.remedy, command))
    }
  })

  it('shares its code with no reason why evidence is not good', () => {
    const others = [...Object.keys(outcomes), ...Object.keys(findings), ...Object.keys(PRACTICES)]
    expect(Object.keys(germanErrors).filter((code) => others.includes(code))).toEqual([])
  })
})

describe('every practice', () => {
  it('has a German name of its own', () => {
    expect(Object.keys(germanPractices)).toEqual(Object.keys(PRACTICES))
    expect(new Set(Object.values(germanPractices)).size).toBe(Object.keys(PRACTICES).length)
  })
})

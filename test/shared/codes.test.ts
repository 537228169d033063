import { describe, expect, it } from 'vitest'
import { errors } from '../../shared/codes/errors.ts'
import { findings } from '../../shared/codes/findings.ts'
import { outcomes } from '../../shared/codes/outcomes.ts'
import type { CodeEntry } from '../../shared/codes/registry.ts'
import { codesPage } from '../support/codes-page.ts'
import { expectDocument } from '../support/documents.ts'

const TABLES: readonly [name: string, table: Readonly<Record<string, CodeEntry>>][] = [
  ['outcomes', outcomes],
  ['findings', findings],
  ['errors', errors],
]

describe.each(TABLES)('the codes of %s', (_, table) => {
  it('have the form area.reason', () => {
    for (const code of Object.keys(table)) expect(code).toMatch(/^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z][a-z0-9]*)*$/)
  })

  it('fit into a receipt', () => {
    for (const code of Object.keys(table)) expect(code.length).toBeLessThanOrEqual(64)
  })

  it('say what is wrong in half a sentence, and what to do in a whole one', () => {
    for (const [code, { title, remedy }] of Object.entries(table)) {
      expect(title, code).toMatch(/^(?! ).+[^.!? ]$/)
      expect(remedy.trim(), code).not.toBe('')
    }
  })

  it('stand with their areas together', () => {
    const areas = Object.keys(table).map((code) => code.split('.')[0])
    const runs = areas.filter((area, i) => area !== areas[i - 1])
    expect(runs).toEqual([...new Set(areas)])
  })
})

it('have one meaning, so that no code is both an outcome and a finding', () => {
  for (const code of Object.keys(findings)) expect(outcomes).not.toHaveProperty([code])
})

it('are all on the page of codes', () => {
  expectDocument('codes.md', codesPage())
})

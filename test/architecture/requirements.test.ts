import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { TRIGGERS } from '../../shared/maturity/triggers.ts'

/** docs/requirements.md says which test holds each requirement and trigger: those tests have to exist. */

interface Row {
  readonly id: string
  readonly duty: string
  /** `path: title` of each test; empty where the row says that nothing holds it. */
  readonly tests: readonly { readonly path: string; readonly title: string }[]
  readonly last: string
}

const root = new URL('../../', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

function rows(): readonly Row[] {
  return read('docs/requirements.md')
    .split('\n')
    .flatMap((line) => {
      const [id = '', duty = '', last = ''] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
      if (!/^[RT]\d+$/.test(id)) return []
      const tests = [...last.matchAll(/`([^`]+\.test\.ts)`: ([^;]+)/g)].map(([, path = '', title = '']) => ({
        path,
        title: title.trim(),
      }))
      return [{ id, duty, tests, last }]
    })
}

const numbered = (letter: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`)

describe('the table of requirements', () => {
  it('has every requirement and every trigger, once and in order', () => {
    expect(rows().map(({ id }) => id)).toEqual([...numbered('R', 36), ...Object.keys(TRIGGERS)])
    expect(Object.keys(TRIGGERS)).toEqual(numbered('T', 19))
  })

  it.each(rows())('names tests of $id that exist, or says that it is not held', ({ tests, last, duty }) => {
    expect(duty).not.toBe('')
    if (last.startsWith('Not held:')) return
    expect(tests.length).toBeGreaterThan(0)
    for (const { path, title } of tests) expect(read(`test/${path}`), path).toContain(title)
  })
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository } from './sources.ts'

const read = (...path: readonly string[]): string => readFileSync(join(repository, ...path), 'utf8')

describe('the pages', () => {
  it('are served by the address that leads to each: whoever reloads one gets it again', () => {
    const served = [...read('collector', 'api', 'web', 'routes.ts').matchAll(/^ {2}'(\/[\w*/]*)',$/gm)].map(
      ([, path = '']) => path,
    )
    const shown = [...read('collector', 'web', 'main.tsx').matchAll(/\['?\s*'(\/[\w:/]*)',/g)].map(
      ([, path = '']) => path,
    )
    expect(shown.length).toBeGreaterThan(10)
    const isServed = (path: string): boolean =>
      served.some((each) => each === path || (each.endsWith('/*') && path.startsWith(each.slice(0, -1))))
    expect(shown.filter((path) => !isServed(path))).toEqual([])
  })
})

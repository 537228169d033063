import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository } from './sources.ts'

const folder = join(repository, 'docs', 'pages')
const MAX_BYTES = 3 * 1024 * 1024

describe('the pictures of the pages', () => {
  it('are those that the documentation shows, no more and no less', () => {
    const text = readFileSync(join(repository, 'docs', 'dashboard.md'), 'utf8')
    const shown = new Set([...text.matchAll(/\]\(pages\/([\w.-]+)\)/g)].map(([, file]) => file ?? ''))
    // Of each page the one that is narrow is told of in one theme.
    const there = readdirSync(folder).filter((file) => !file.endsWith('-dark-375.webp'))
    expect([...shown].sort()).toEqual(there.sort())
  })

  it(`take at most ${MAX_BYTES / 1024 / 1024} MiB`, () => {
    const sizes = readdirSync(folder).map((file) => statSync(join(folder, file)).size)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(MAX_BYTES)
  })
})

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe } from 'vitest'

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** Real data that is not part of the project. Tests that need it are skipped, by name, where it is absent. */
export const fixtures = process.env['KEEPSEAL_FIXTURES'] ?? join(repository, '..', 'shared', 'fixtures')

export const fixturePath = (...parts: string[]): string => join(fixtures, ...parts)

export const readFixture = (...parts: string[]): Buffer => readFileSync(fixturePath(...parts))

export const readJsonFixture = (...parts: string[]): unknown => JSON.parse(readFixture(...parts).toString('utf8'))

/** `describe` for a block that reads the fixture folder `folder`. */
export function fixturesDescribe(folder: string, title: string, body: () => void): void {
  if (existsSync(fixturePath(folder))) describe(title, body)
  else describe.skip(`${title} (skipped: ${folder} is not in KEEPSEAL_FIXTURES)`, body)
}

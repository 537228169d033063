import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadCatalogue, writeCatalogue } from '../../../collector/maturity/catalogue-file.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { codeOf } from '../../support/keepseal-error.ts'
import { useApi } from '../api/support.ts'

let directory = ''
beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'keepseal-catalogue-'))))
afterAll(() => rmSync(directory, { recursive: true }))

describe('the catalogue of the configuration', () => {
  test('is the one of the product where none is named', () => {
    expect(loadCatalogue('')).toBe(defaultCatalogue)
  })

  test('is read from its file', () => {
    const file = join(directory, 'a.yaml')
    const amended = { ...defaultCatalogue, version: '1.0-example' }
    writeFileSync(file, writeCatalogue(amended))
    expect(loadCatalogue(file)).toEqual(amended)
  })

  test.each([
    ['is wrong', 'schema: 1\n', 'catalogue.invalid'],
    ['is no YAML', 'a: [', 'catalogue.invalid'],
    ['is too large', '#'.repeat(2_000_000), 'catalogue.invalid'],
    ['is not there', undefined, 'config.unreadable'],
  ])('keeps the collector from starting where it %s', (_, content, code) => {
    const file = join(directory, 'b.yaml')
    rmSync(file, { force: true })
    if (content !== undefined) writeFileSync(file, content)
    expect(codeOf(() => loadCatalogue(file))).toBe(code)
  })
})

describe('the API', () => {
  const amended = { ...defaultCatalogue, version: '1.0-example' }
  const api = useApi({ catalogue: amended })

  test('shows the catalogue that is used', async () => {
    const { body } = await api().call('auditor', 'GET', '/api/v1/practice-catalogue')
    expect(body).toMatchObject({
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      catalogue: { version: '1.0-example' },
    })
  })
})

import { mkdirSync, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { SENSORS } from '../../../agent/sensors/registry.ts'
import { expectDocument } from '../../support/documents.ts'
import { schemaComments } from '../../support/schema-comments.ts'
import { describedFields } from '../../support/schema-fields.ts'
import { sensorPages } from '../../support/sensor-pages.ts'

const DIRECTORY = fileURLToPath(new URL('../../../docs/sensors/', import.meta.url))

test('each sensor has a page, and no page is left over', async () => {
  const pages = await sensorPages()
  mkdirSync(DIRECTORY, { recursive: true })
  for (const [name, text] of pages) expectDocument(`sensors/${name}`, text)
  expect(readdirSync(DIRECTORY).sort()).toEqual([...pages.keys()].sort())
})

test('what a sensor is said to read, need and not see is said', () => {
  for (const { id, title, reads, needs, blindSpots, remedy, budget } of SENSORS) {
    for (const text of [title, reads, needs, blindSpots, remedy]) expect(text.trim(), id).not.toBe('')
    expect(budget.cpuMs, id).toBeGreaterThan(0)
  }
})

test('fields are told with types, bounds, units and the comments of the schema', () => {
  const tpm = describedFields('tpm', schemaComments('tpm'))
  expect(tpm).toContainEqual({
    path: 'revision',
    type: 'observed integer from 0',
    unit: '',
    meaning: 'TPM_PT_REVISION: the revision of the specification times 100.',
  })
  expect(tpm.find(({ path }) => path === 'lockout.intervalSeconds')).toMatchObject({ unit: 'seconds' })
  const sockets = describedFields('sockets', schemaComments('sockets'))
  expect(sockets.find(({ path }) => path === 'listeners[].port')).toMatchObject({
    type: expect.stringMatching(/^integer from 0 to \d+ or `ephemeral`$/) as unknown,
    meaning: expect.stringContaining('of a raw socket') as unknown,
  })
  expect(sockets.find(({ path }) => path === 'listeners[].address')?.type).toMatch(/; may be left out$/)
})

test('a field has the comment of its own object, not of another one with a field of that name', () => {
  const fields = describedFields('agent', schemaComments('agent'))
  const meaningOf = (wanted: string) => fields.find(({ path }) => path === wanted)?.meaning
  expect(meaningOf('version')).toBe("The agent's own version.")
  expect(meaningOf('runtime.version')).toBe('`node --version`')
})

import { readFileSync, writeFileSync } from 'node:fs'
import { expect } from 'vitest'

const DOCS = new URL('../../docs/', import.meta.url)

export const readDocument = (name: string): string => readFileSync(new URL(name, DOCS), 'utf8')

/** Fails unless docs/`name` is exactly `text`. With KEEPSEAL_UPDATE_DOCS=1 it is written instead. */
export function expectDocument(name: string, text: string): void {
  if (process.env['KEEPSEAL_UPDATE_DOCS'] === '1') writeFileSync(new URL(name, DOCS), text)
  expect(readDocument(name), `docs/${name} is not up to date: run the unit tests with KEEPSEAL_UPDATE_DOCS=1`).toBe(
    text,
  )
}

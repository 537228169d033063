import { toJsonSchema } from '@valibot/to-json-schema'
import { readFileSync, statSync } from 'node:fs'
import { Document } from 'yaml'
import { KeepsealError } from '../../shared/errors.ts'
import { defaultCatalogue } from '../../shared/maturity/catalogue/catalogue.ts'
import { Catalogue } from '../../shared/maturity/catalogue/schema.ts'
import { mistakesText, readYaml, type Mistake } from '../text/yaml.ts'

const MAX_CATALOGUE_BYTES = 1024 * 1024

const ABOUT = `# What is said about the practices: amend it, check it with keepseal practice catalogue --check FILE,
# and name it to the collector as catalogue.file. docs/practices.md explains it.
`

/** Reads a catalogue as a person writes it, YAML or JSON: the catalogue, or every mistake with its place. */
export function lintCatalogue(text: string): { readonly value: Catalogue } | { readonly mistakes: readonly Mistake[] } {
  if (text.length <= MAX_CATALOGUE_BYTES) return readYaml(text, Catalogue)
  const message = `a catalogue has at most ${MAX_CATALOGUE_BYTES} characters`
  return { mistakes: [{ line: null, column: null, message }] }
}

/** The catalogue in a file of the configuration; empty: the product's own. Throws KeepsealError `catalogue.invalid`. */
export function loadCatalogue(path: string): Catalogue {
  if (path === '') return defaultCatalogue
  const read = lintCatalogue(textOf(path))
  if ('value' in read) return read.value
  throw new KeepsealError('catalogue.invalid', `${path}: ${mistakesText(read.mistakes)}`)
}

function textOf(path: string): string {
  try {
    if (statSync(path).size > MAX_CATALOGUE_BYTES) {
      throw new KeepsealError('catalogue.invalid', `${path} is larger than ${MAX_CATALOGUE_BYTES} bytes`)
    }
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    throw new KeepsealError('config.unreadable', path, { cause })
  }
}

export const writeCatalogue = (catalogue: Catalogue): string =>
  ABOUT + new Document(JSON.parse(JSON.stringify(catalogue)) as unknown).toString({ lineWidth: 100 })

/** JSON Schema of a catalogue file, for editors. What only the program can check is not in it. */
export const catalogueSchema = (): object =>
  toJsonSchema(Catalogue, { typeMode: 'input', target: 'draft-2020-12', errorMode: 'ignore' })

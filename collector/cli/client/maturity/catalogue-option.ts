import * as v from 'valibot'
import { text } from '../../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { defaultCatalogue } from '../../../../shared/maturity/catalogue/catalogue.ts'
import { Catalogue } from '../../../../shared/maturity/catalogue/schema.ts'
import { PRACTICE_IDS, PRACTICES, type PracticeId } from '../../../../shared/maturity/practices.ts'
import { didYouMean, nearest } from '../../../../shared/text/suggest.ts'
import { lintCatalogue } from '../../../maturity/catalogue-file.ts'
import { mistakesText } from '../../../text/yaml.ts'
import type { ApiClient } from '../api.ts'
import { readText } from '../inspect/files.ts'

const Used = v.object({ catalogue: Catalogue })

/** The catalogue that the collector uses. */
export const catalogueOfCollector = async (client: ApiClient): Promise<Catalogue> =>
  (await client.get('/practice-catalogue', Used)).catalogue

export const catalogueOption = {
  description: 'An amended catalogue in place of ours.',
  value: text(4096),
  placeholder: 'FILE',
} as const

/** The catalogue in a file, or ours without one. Throws `catalogue.invalid` with the places. */
export function catalogueOf(file: string | undefined): Catalogue {
  if (file === undefined) return defaultCatalogue
  const read = lintCatalogue(readText(file))
  if ('value' in read) return read.value
  throw new KeepsealError('catalogue.invalid', `${file}: ${mistakesText(read.mistakes)}`)
}

/** The practice that a person means: by its id, its name, or another name of it. Throws `request.not-found`. */
export function practiceNamed(name: string, { practices }: Catalogue): PracticeId {
  const wanted = name.trim().toLowerCase()
  const namesOf = (id: PracticeId): readonly string[] =>
    [id, PRACTICES[id].name, ...practices[id].aliases].map((each) => each.toLowerCase())
  const found = PRACTICE_IDS.find((id) => namesOf(id).includes(wanted))
  if (found !== undefined) return found
  const suggestion = nearest(wanted, PRACTICE_IDS.flatMap(namesOf))
  const remedy = 'keepseal practice catalogue lists all of them.'
  throw new KeepsealError('request.not-found', `practice ${name}${didYouMean(suggestion)}`, { remedy })
}

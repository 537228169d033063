import * as v from 'valibot'
import { toHex } from '../../bytes/bytes.ts'
import type { HashFunction } from '../../crypto/crypto.ts'
import { encodePlain } from '../plain-cbor.ts'
import { PRACTICE_IDS } from '../practices.ts'
import { documentKinds } from './documents.ts'
import { enablementTexts } from './enablement.ts'
import { governanceTexts } from './governance.ts'
import { hardeningTexts } from './hardening.ts'
import { frameworks, mappingsOf } from './mappings.ts'
import { Catalogue } from './schema.ts'

const texts = { ...governanceTexts, ...enablementTexts, ...hardeningTexts }

/** The catalogue that the product comes with. */
export const defaultCatalogue: Catalogue = v.parse(Catalogue, {
  schema: 1,
  version: '1.0',
  title: 'Practices of the IoT Security Maturity Model, in the words of Keepseal',
  frameworks,
  documents: documentKinds,
  practices: Object.fromEntries(PRACTICE_IDS.map((id) => [id, { ...texts[id], mappings: mappingsOf(id) }])),
})

/** SHA-256 of its deterministic encoding in hexadecimal: which catalogue something was said by. */
export const digestOfCatalogue = (catalogue: Catalogue, hash: HashFunction): string =>
  toHex(hash('sha256', encodePlain(catalogue)))

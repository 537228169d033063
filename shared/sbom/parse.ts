import { KeepsealError } from '../errors.ts'
import { MAX_SBOM_BYTES, type Sbom } from './component.ts'
import { parseCycloneDx } from './cyclonedx.ts'
import { malformed, tooLarge } from './reading.ts'
import { parseSpdx } from './spdx.ts'

/** A bill of materials in JSON. Errors: sbom.malformed, sbom.too-large, sbom.format-unknown. */
export function parseSbom(text: string): Sbom {
  if (text.length > MAX_SBOM_BYTES) throw tooLarge(`${text.length} characters, at most ${MAX_SBOM_BYTES}`)
  const value = jsonOf(text)
  if (typeof value === 'object' && value !== null) {
    if (Object.hasOwn(value, 'bomFormat')) return parseCycloneDx(value)
    if (Object.hasOwn(value, 'spdxVersion')) return parseSpdx(value)
  }
  throw new KeepsealError('sbom.format-unknown')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw malformed('', error instanceof Error ? error.message : 'no JSON')
  }
}

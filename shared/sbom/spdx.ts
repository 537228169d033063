import * as v from 'valibot'
import { componentOf, distinct, type Sbom } from './component.ts'
import { bounded, checkedAs, items, malformed, NAME, timeOf, VERSION } from './reading.ts'

/** SPDX 2.2 and 2.3 as JSON (ISO/IEC 5962): what is read of it. */

const NOTHING = new Set(['NOASSERTION', 'NONE', ''])

const entry = v.looseObject({
  SPDXID: v.pipe(v.string(), v.regex(/^SPDXRef-[A-Za-z0-9.-]{1,500}$/, 'an identifier SPDXRef-…')),
  name: NAME,
  versionInfo: v.optional(v.union([VERSION, v.literal('')])),
  supplier: v.optional(v.pipe(v.string(), v.maxLength(512))),
  externalRefs: v.optional(
    v.pipe(
      v.array(
        v.looseObject({
          referenceType: v.string(),
          referenceLocator: v.pipe(v.string(), v.maxLength(2048)),
        }),
      ),
      v.maxLength(1000, 'at most 1000 entries'),
    ),
    [],
  ),
})
const schema = v.looseObject({
  spdxVersion: v.pipe(v.string(), v.regex(/^SPDX-2\.[23]$/, 'SPDX-2.2 or SPDX-2.3')),
  creationInfo: v.optional(v.looseObject({ created: v.optional(v.string()) })),
  documentDescribes: v.optional(v.array(v.string())),
  relationships: v.optional(
    v.array(v.looseObject({ spdxElementId: v.string(), relationshipType: v.string(), relatedSpdxElement: v.string() })),
    [],
  ),
  packages: items,
})

/** Errors: sbom.malformed, sbom.too-large. */
export function parseSpdx(value: unknown): Sbom {
  const document = checkedAs(schema, value)
  const described = new Set([
    ...(document.documentDescribes ?? []),
    ...document.relationships
      .filter((each) => each.relationshipType === 'DESCRIBES' && each.spdxElementId === 'SPDXRef-DOCUMENT')
      .map((each) => each.relatedSpdxElement),
  ])
  const ids = new Set<string>()
  let subject: Sbom['subject'] = null
  const components = bounded(document.packages).flatMap((each, index) => {
    const at = `packages.${index}`
    const { SPDXID, name, versionInfo = '', supplier = '', externalRefs } = checkedAs(entry, each, at)
    if (ids.has(SPDXID)) throw malformed(`${at}.SPDXID`, 'is there twice')
    ids.add(SPDXID)
    const version = NOTHING.has(versionInfo) ? null : versionInfo
    const purl = externalRefs.find(({ referenceType }) => referenceType === 'purl')?.referenceLocator ?? null
    // What the document is about is no part of itself.
    if (described.has(SPDXID) && subject === null && described.size === 1) {
      subject = { name, version }
      return []
    }
    const from = NOTHING.has(supplier) ? null : supplier.replace(/^(?:Organization|Person): /, '')
    const made = componentOf(purl, { name, version, supplier: from })
    if (made === undefined) throw malformed(`${at}.externalRefs`, 'has a purl that is no package URL')
    return [made]
  })
  return {
    format: 'spdx',
    formatVersion: document.spdxVersion.replace('SPDX-', ''),
    subject,
    createdAt: timeOf(document.creationInfo?.created),
    components: distinct(components),
  }
}

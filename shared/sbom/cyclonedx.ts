import * as v from 'valibot'
import { componentOf, distinct, MAX_COMPONENTS, MAX_DEPTH, type Sbom, type SbomComponent } from './component.ts'
import { checkedAs, items, malformed, NAME, timeOf, tooLarge, VERSION } from './reading.ts'

/** CycloneDX 1.2 to 1.7 as JSON (ECMA-424): what is read of it. */

const component = v.looseObject({
  type: v.string(),
  name: NAME,
  group: v.optional(v.pipe(v.string(), v.maxLength(512))),
  version: v.optional(v.union([VERSION, v.literal('')])),
  purl: v.optional(v.pipe(v.string(), v.maxLength(2048))),
  'bom-ref': v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(2048))),
  supplier: v.optional(v.looseObject({ name: v.optional(v.pipe(v.string(), v.maxLength(512))) })),
  components: items,
})
const schema = v.looseObject({
  bomFormat: v.literal('CycloneDX'),
  specVersion: v.pipe(v.string(), v.regex(/^1\.[2-7]$/, 'CycloneDX 1.2 to 1.7')),
  metadata: v.optional(
    v.looseObject({
      timestamp: v.optional(v.string()),
      component: v.optional(v.looseObject({ name: NAME, version: v.optional(v.union([VERSION, v.literal('')])) })),
    }),
  ),
  components: items,
})

/** Errors: sbom.malformed, sbom.too-large. */
export function parseCycloneDx(value: unknown): Sbom {
  const { specVersion, metadata, components } = checkedAs(schema, value)
  const found: SbomComponent[] = []
  const references = new Set<string>()
  const walk = (list: readonly unknown[], place: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw tooLarge(`components nest deeper than ${MAX_DEPTH}`)
    if (found.length + list.length > MAX_COMPONENTS) throw tooLarge(`more than ${MAX_COMPONENTS} components`)
    for (const [index, each] of list.entries()) {
      const at = `${place}.${index}`
      const {
        name,
        group = '',
        version = '',
        purl,
        supplier,
        components: inner,
        ...one
      } = checkedAs(component, each, at)
      const reference = one['bom-ref']
      if (reference !== undefined && references.has(reference)) throw malformed(`${at}.bom-ref`, 'is there twice')
      if (reference !== undefined) references.add(reference)
      const made = componentOf(purl ?? null, {
        name: group === '' ? name : `${group}/${name}`,
        version: version === '' ? null : version,
        supplier: supplier?.name ?? null,
      })
      if (made === undefined) throw malformed(`${at}.purl`, 'is no package URL')
      found.push(made)
      walk(inner, `${at}.components`, depth + 1)
    }
  }
  walk(components, 'components', 1)
  const about = metadata?.component
  return {
    format: 'cyclonedx',
    formatVersion: specVersion,
    subject: about === undefined ? null : { name: about.name, version: about.version || null },
    createdAt: timeOf(metadata?.timestamp),
    components: distinct(found),
  }
}

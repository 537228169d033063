import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { StatementIndex } from '../../../collector/advisories/index-groups.ts'
import { matchInventory } from '../../../collector/advisories/match.ts'
import { releaseInventory } from '../../../collector/advisories/release-inventory.ts'
import { cvesOf } from '../../../shared/advisories/aliases.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { fixturePath, fixturesDescribe, readJsonFixture } from '../../support/fixtures.ts'

interface Branch {
  readonly category: string
  readonly name: string
  readonly branches?: readonly Branch[]
  readonly product?: { readonly product_id: string }
}
interface Document {
  readonly document: { readonly category: string }
  readonly product_tree: { readonly branches: readonly Branch[] }
  readonly vulnerabilities: readonly {
    readonly cve: string
    readonly product_status: Readonly<Record<string, readonly string[]>>
    readonly threats?: readonly {
      readonly category: string
      readonly details: string
      readonly product_ids: string[]
    }[]
    readonly remediations?: readonly { readonly details: string; readonly product_ids: string[] }[]
  }[]
}

/** Read here by itself, without the parser: vendor, name and a version of each product of the document. */
function productsOf({ product_tree: { branches } }: Document) {
  const found = new Map<string, { vendor: string; model: string; versions: readonly string[] }>()
  const walk = (list: readonly Branch[], vendor: string, model: string): void => {
    for (const { category, name, branches: inner = [], product } of list) {
      const [v, m] = [category === 'vendor' ? name : vendor, category === 'product_name' ? name : model]
      // Of a range its ends, which belong to it, and what is between them.
      const versions =
        category === 'product_version_range'
          ? [...name.matchAll(/[<>]=([0-9.]+)/g)].flatMap(([, end = '']) => [end, ...(end === '2.9' ? ['3.7'] : [])])
          : [name]
      if (product !== undefined) found.set(product.product_id, { vendor: v, model: m, versions })
      walk(inner, v, m)
    }
  }
  walk(branches, '', '')
  return found
}

const STATUSES: Readonly<Record<string, string>> = {
  known_affected: 'affected',
  known_not_affected: 'not-affected',
  under_investigation: 'under-investigation',
  fixed: 'not-affected',
}

fixturesDescribe('advisories/csaf', 'CSAF VEX documents', () => {
  const directory = 'advisories/csaf'
  const documents = readdirSync(fixturePath(directory))
    .map((name) => [name, readJsonFixture(`${directory}/${name}`) as Document] as const)
    .filter(([, { document }]) => document.category === 'csaf_vex')

  test('there are such documents', () => expect(documents.length).toBeGreaterThanOrEqual(4))

  test.each(documents)('%s: each product has the status that is stated, with its explanation', (_, document) => {
    const index = new StatementIndex()
    for (const record of parseAdvisories(document)) {
      for (const statement of record.statements) {
        index.add({ advisory: record.id, feed: 'own', cves: cvesOf(record), statement })
      }
    }
    index.seal()
    const products = productsOf(document)
    let checked = 0
    for (const { cve, product_status: stated, threats = [], remediations = [] } of document.vulnerabilities) {
      for (const [kind, ids] of Object.entries(stated)) {
        for (const id of ids) {
          const { versions = [], ...product } = products.get(id) ?? { vendor: '', model: '' }
          for (const version of versions) {
            const inventory = releaseInventory(product, version, [])
            const all = matchInventory(inventory, index.group, () => 0)
            const found = all.filter(({ advisory }) => document.vulnerabilities.length === 1 || advisory.endsWith(cve))
            const why = threats.find((each) => each.product_ids?.includes(id))?.details
            const remedy = remediations.find((each) => each.product_ids?.includes(id))?.details
            expect(found, `${cve} ${product.model} ${version}`).toMatchObject([
              { status: STATUSES[kind], package: product.model, installed: version },
            ])
            const words = found[0]?.justification ?? null
            expect(words === null ? null : words.replace(/…$/, '')).toBe(
              (why ?? remedy)?.split('\n', 1)[0]?.slice(0, words?.endsWith('…') ? 299 : 300) ?? null,
            )
            checked += 1
          }
        }
      }
    }
    expect(checked).toBeGreaterThan(0)
  })

  test('a version that nothing is said of has no status', () => {
    const index = new StatementIndex()
    for (const [, document] of documents) {
      for (const record of parseAdvisories(document)) {
        for (const statement of record.statements) index.add({ advisory: record.id, feed: 'own', cves: [], statement })
      }
    }
    const inventory = releaseInventory({ vendor: 'Example Company', model: 'ABC' }, '9.9', [])
    expect(matchInventory(inventory, index.group, () => 0)).toEqual([])
  })
})

import { expect, it } from 'vitest'
import { parseAdvisories } from '../../../shared/advisories/format.ts'

/** A range of versions of a package, named by a package URL without a version (CSAF 2.0, section 3.1.2.3). */
const about = (range: string, status: string) => {
  const product = {
    name: 'x',
    product_id: 'P-1',
    product_identification_helper: { purl: 'pkg:npm/x' },
  }
  return {
    document: {
      category: 'csaf_vex',
      csaf_version: '2.0',
      title: 'x has a fault',
      publisher: { category: 'vendor', name: 'Acme', namespace: 'https://acme.example' },
      tracking: {
        id: 'ACME-1',
        status: 'final',
        version: '1',
        initial_release_date: '2026-01-01T00:00:00Z',
        current_release_date: '2026-01-01T00:00:00Z',
        revision_history: [],
      },
    },
    product_tree: { branches: [{ category: 'product_version_range', name: range, product }] },
    vulnerabilities: [{ cve: 'CVE-2026-1', product_status: { [status]: ['P-1'] } }],
  }
}
const saidOf = (range: string, status: string) => parseAdvisories(about(range, status))[0]?.statements[0]

it.each(['known_not_affected', 'fixed', 'known_affected'])('%s in a range says nothing of older versions', (status) => {
  const ranges = [{ introduced: '2.0.0', fixed: null, lastAffected: null }]
  expect(saidOf('vers:npm/>=2.0.0', status)).toMatchObject({ package: 'x', ranges, versions: [] })
})

it('a range that nobody understands is no range of all versions', () => {
  expect(saidOf('newer than 2 > 1', 'known_not_affected')).toMatchObject({ ranges: [], versions: ['newer than 2 > 1'] })
})

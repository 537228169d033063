import { expect, it } from 'vitest'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { parseSbom } from '../../../shared/sbom/parse.ts'

/** A statement that names a component otherwise than a bill of materials does would be passed over in silence. */

const componentOf = (purl: string) => {
  const components = [{ type: 'library', name: 'x', purl }]
  const [component] = parseSbom(JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components })).components
  return component ?? expect.fail()
}
const statementOf = (document: unknown) => parseAdvisories(document)[0]?.statements[0] ?? expect.fail()

it.each([
  'pkg:pypi/Zope_Interface@5.0',
  'pkg:golang/golang.org/x/net@v0.17.0',
  'pkg:maven/org.x/y@1.2',
  'pkg:npm/a@1.0',
])('%s is the same component in a bill of materials and in VEX', (purl) => {
  const { ecosystem, name, version } = componentOf(purl)
  const vex = {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': 'https://acme.example/vex/1',
    author: 'Acme',
    timestamp: '2026-01-01T00:00:00Z',
    version: 1,
    statements: [
      { vulnerability: { name: 'CVE-2026-1' }, products: [{ '@id': purl }], status: 'affected', action_statement: 'x' },
    ],
  }
  expect(statementOf(vex)).toMatchObject({ ecosystem, package: name, versions: [version] })
})

it('a package of PyPI is the same in a bill of materials and in OSV, whichever of its names each has', () => {
  const affected = [{ package: { ecosystem: 'PyPI', name: 'Zope.Interface' }, versions: ['5.0'] }]
  const osv = { id: 'PYSEC-2026-1', modified: '2026-01-01T00:00:00Z', affected }
  expect(statementOf(osv)).toMatchObject({ package: componentOf('pkg:pypi/zope_interface@5.0').name })
})

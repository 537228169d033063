import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeepsealError } from '../../../shared/errors.ts'
import { MAX_COMPONENTS } from '../../../shared/sbom/component.ts'
import { parseSbom } from '../../../shared/sbom/parse.ts'

const cyclonedx = (components: readonly object[], more: object = {}) =>
  JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components, ...more })
const spdx = (packages: readonly object[], more: object = {}) =>
  JSON.stringify({ spdxVersion: 'SPDX-2.3', packages, ...more })
const purlRef = (referenceLocator: string) => ({
  externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator }],
})

test('CycloneDX: components of components, each once, by the names that advisories have', () => {
  const sbom = parseSbom(
    cyclonedx(
      [
        { type: 'library', name: 'lodash', version: '4.17.20', purl: 'pkg:npm/lodash@4.17.20', 'bom-ref': 'a' },
        {
          type: 'application',
          name: 'ui',
          version: '1.0',
          supplier: { name: 'Acme' },
          components: [
            { type: 'library', name: 'core', purl: 'pkg:npm/%40angular/core@12.3.1' },
            { type: 'library', name: 'Zope_Interface', version: '5', purl: 'pkg:pypi/Zope_Interface@5' },
            { type: 'library', name: 'net', purl: 'pkg:golang/golang.org/x/net@v0.17.0' },
            { type: 'library', name: 'lodash', version: '4.17.20', purl: 'pkg:npm/lodash@4.17.20' },
          ],
        },
        { type: 'library', name: 'zlib1g', purl: 'pkg:deb/debian/zlib1g@1:1.2.13-1?arch=amd64' },
      ],
      {
        metadata: {
          timestamp: '2026-01-01T00:00:00Z',
          component: { type: 'firmware', name: 'Gate 7', version: '2.4' },
        },
      },
    ),
  )
  expect(sbom).toMatchObject({
    format: 'cyclonedx',
    formatVersion: '1.6',
    subject: { name: 'Gate 7', version: '2.4' },
    createdAt: Date.parse('2026-01-01T00:00:00Z'),
  })
  expect(sbom.components.map((one) => [one.ecosystem, one.name, one.version, one.isManaged])).toEqual([
    ['Debian', 'zlib1g', '1:1.2.13-1', true],
    ['Go', 'golang.org/x/net', '0.17.0', false],
    ['PyPI', 'zope-interface', '5', false],
    ['generic', 'ui', '1.0', false],
    ['npm', '@angular/core', '12.3.1', false],
    ['npm', 'lodash', '4.17.20', false],
  ])
})

test('SPDX: what it describes is no part of it, and what is not asserted is not known', () => {
  const sbom = parseSbom(
    spdx(
      [
        { SPDXID: 'SPDXRef-Root', name: 'Gate 7', versionInfo: '2.4' },
        { SPDXID: 'SPDXRef-1', name: 'tokio', ...purlRef('pkg:cargo/tokio@1.0.1'), supplier: 'Organization: Tokio' },
        { SPDXID: 'SPDXRef-2', name: 'boot', versionInfo: 'NOASSERTION', supplier: 'NOASSERTION' },
      ],
      { documentDescribes: ['SPDXRef-Root'] },
    ),
  )
  expect(sbom.subject).toEqual({ name: 'Gate 7', version: '2.4' })
  expect(sbom.components).toEqual([
    { name: 'tokio', version: '1.0.1', ecosystem: 'crates.io', isManaged: false, supplier: 'Tokio' },
    { name: 'boot', version: null, ecosystem: 'generic', isManaged: false, supplier: null },
  ])
})

const nested = (depth: number): object =>
  depth === 0 ? { type: 'library', name: 'x' } : { type: 'library', name: 'x', components: [nested(depth - 1)] }

test.each<[string, string, string, string]>([
  ['no JSON', '{', 'sbom.malformed', 'document'],
  ['another document', '{"a":1}', 'sbom.format-unknown', ''],
  [
    'a later CycloneDX',
    JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '2.0' }),
    'sbom.malformed',
    'specVersion',
  ],
  ['SPDX 3', JSON.stringify({ spdxVersion: 'SPDX-3.0' }), 'sbom.malformed', 'spdxVersion'],
  ['a component without a name', cyclonedx([{ type: 'library' }]), 'sbom.malformed', 'components.0.name'],
  ['a name of two lines', cyclonedx([{ type: 'library', name: 'a\nb' }]), 'sbom.malformed', 'components.0.name'],
  [
    'a purl that is none',
    cyclonedx([{ type: 'library', name: 'a', purl: 'npm/a' }]),
    'sbom.malformed',
    'components.0.purl',
  ],
  [
    'one reference twice',
    cyclonedx([1, 2].map(() => ({ type: 'library', name: 'a', 'bom-ref': 'r' }))),
    'sbom.malformed',
    'components.1.bom-ref',
  ],
  ['components without end', cyclonedx([nested(40)]), 'sbom.too-large', 'nest'],
  [
    'too many components',
    cyclonedx(Array.from({ length: MAX_COMPONENTS + 1 }, () => ({ type: 'library', name: 'a' }))),
    'sbom.too-large',
    String(MAX_COMPONENTS),
  ],
  ['an SPDX identifier that is none', spdx([{ SPDXID: 'x', name: 'a' }]), 'sbom.malformed', 'packages.0.SPDXID'],
  [
    'an SPDX identifier twice',
    spdx([1, 2].map(() => ({ SPDXID: 'SPDXRef-1', name: 'a' }))),
    'sbom.malformed',
    'packages.1.SPDXID',
  ],
])('%s is refused with its place', (_, text, code, place) => {
  let caught: unknown
  try {
    parseSbom(text)
  } catch (error) {
    caught = error
  }
  expect(caught).toMatchObject({ code })
  expect((caught as Error).message).toContain(place)
})

test('whatever document comes, it is read or refused with a code of its own', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.record({ bomFormat: fc.constant('CycloneDX'), specVersion: fc.constant('1.5'), components: fc.jsonValue() }),
    fc.record({ spdxVersion: fc.constant('SPDX-2.3'), packages: fc.jsonValue(), relationships: fc.jsonValue() }),
    fc.record({
      bomFormat: fc.constant('CycloneDX'),
      specVersion: fc.constant('1.5'),
      components: fc.array(
        fc.record(
          { type: fc.constant('library'), name: fc.string(), version: fc.jsonValue(), purl: fc.string() },
          { requiredKeys: ['type'] },
        ),
      ),
    }),
  )
  fc.assert(
    fc.property(anything, (value) => {
      try {
        expect(parseSbom(JSON.stringify(value)).components.length).toBeLessThanOrEqual(MAX_COMPONENTS)
      } catch (error) {
        expect(error).toBeInstanceOf(KeepsealError)
        expect((error as KeepsealError).code).toMatch(/^sbom\./)
      }
    }),
  )
})

test('the order in which components are written changes nothing', () => {
  const name = fc.stringMatching(/^[a-z]{1,8}$/)
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.constantFrom('1.0', '2.0')), { maxLength: 20 }), (pairs) => {
      const list = pairs.map(([each, version]) => ({ type: 'library', name: each, version }))
      expect(parseSbom(cyclonedx(list.toReversed()))).toEqual(parseSbom(cyclonedx(list)))
    }),
  )
})

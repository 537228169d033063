import { readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeDocument, digestOfDocument, encodeDocument, ReleaseFile } from '../../../collector/releases/document.ts'
import { joinFile, splitFile } from '../../../collector/releases/file.ts'
import { parseReleaseFile, writeReleaseFile } from '../../../collector/releases/yaml.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import { decodeSection } from '../../../shared/posture/canonical.ts'
import { SECTION_IDS } from '../../../shared/posture/sections.ts'
import { contents } from '../../support/posture.ts'
import { KeepsealError } from '../../../shared/errors.ts'

const page = readFileSync(new URL('../../../docs/releases.md', import.meta.url), 'utf8')
const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? ''

const reasonOf = (text: string): string => {
  try {
    parseReleaseFile(text)
  } catch (error) {
    if (error instanceof KeepsealError && error.code === 'release.invalid') return error.message
    throw error
  }
  return 'read'
}
const changed = (from: string, to: string): string => {
  expect(example).toContain(from)
  return example.replace(from, to)
}

const anyFile: fc.Arbitrary<ReleaseFile> = fc
  .record(Object.fromEntries(SECTION_IDS.map((id) => [id, contents[id] as fc.Arbitrary<unknown>])), {
    requiredKeys: [],
  })
  .map((sections) => ({
    version: 1,
    product: { vendor: 'Acme', model: 'Gate 7' },
    name: '1.0',
    sections: Object.fromEntries(
      Object.entries(sections).map(([id, content]) => [id, { captured: { status: 'measured', content } }]),
    ) as ReleaseFile['sections'],
  }))

describe('a release file', () => {
  it('is what the documentation shows', () => {
    const file = parseReleaseFile(example)
    expect(Object.keys(file.sections).sort()).toEqual(['boot', 'packages', 'sockets', 'update-channel'])
    expect(file.boot?.pcrs).toHaveLength(1)
  })

  it('written and read again is the same release', () => {
    const file = parseReleaseFile(example)
    const digest = digestOfDocument(splitFile(file).document)
    expect(digestOfDocument(splitFile(parseReleaseFile(writeReleaseFile(file))).document)).toEqual(digest)
  })

  it.each([
    ['protocol: tcp, port: 443', 'protocol: tpc, port: 443', 'tpc', 'sections.sockets.listeners.allow.0.protocol'],
    ['ports: 5000-5010', 'ports: 5010-5000', '5010-', 'sections.sockets.listeners.allow.1.ports'],
    [
      '  ignoreAdditional: f',
      '  ignoreOthers: f',
      'ignoreOthers',
      'sections.packages.packages.ignoreOthers is not known here',
    ],
    ['name: 2.4.1\nsections', 'name: 2.4\nsections', '2.4\nsections', 'name'],
    ['  update-channel:', '  update-chanel:', 'update-chanel', 'sections.update-chanel is not known here'],
    [
      '  boot:\n    facts:',
      '  boot:\n    packages: {}\n    facts:',
      'packages: {}',
      'sections.boot.packages is not known here',
    ],
    [', oneOf: [integrity, confidentiality] }', ' }', '{ subject: lockdown', 'sections.boot.facts.1'],
    ['version: 1', 'version: 1\nversion: 1', 'version: 1\nproduct', ''],
  ])('with %j written as %j is refused with its place', (from, to, marker, what) => {
    const text = changed(from, to)
    const before = text.slice(0, text.indexOf(marker)).split('\n')
    expect(reasonOf(text)).toContain(`line ${before.length}, column ${(before.at(-1) ?? '').length + 1}: ${what}`)
  })

  it('that says nothing of a section that it names is refused', () => {
    const empty = 'version: 1\nproduct: {vendor: Acme, model: Gate 7}\nname: "1"\nsections:\n  sockets: {}\n'
    expect(reasonOf(empty)).toContain('line 5, column 3: sections.sockets: says nothing')
  })

  it('that is no release, or a bomb of aliases, is refused', () => {
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [${'*a, '.repeat(9)}*a]\nc: &c [${'*b, '.repeat(9)}*b]\nd: [${'*c, '.repeat(9)}*c]\n`
    for (const text of ['', '[', 'x: !!js/function 1', '- 1', bomb, '\u0000']) {
      expect(reasonOf(text)).toContain('the release file is not as documented')
    }
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab:-[]{}&*!|>\n "\'#1') }), (text) => {
        expect(reasonOf(text)).not.toBe('read')
      }),
    )
  })
})

describe('a document', () => {
  it('is one sequence of bytes for one release, in whatever order its sets and keys were written', () => {
    const file = parseReleaseFile(example)
    const other = parseReleaseFile(
      changed("forbidden: [telnetd, 'nmap*']", "forbidden: ['nmap*', telnetd]").replace(
        '{ protocol: udp, ports: 5000-5010, scope: address }',
        '{ scope: address, ports: 5000-5010, protocol: udp }',
      ),
    )
    expect(encodeDocument(splitFile(other).document)).toEqual(encodeDocument(splitFile(file).document))
  })

  it('has another digest when a rule for statements comes at another place', () => {
    const moved = changed("      - { subject: secure-boot, value: 'true' }\n", '').replace(
      "      - { subject: '**', any: true }\n",
      "      - { subject: '**', any: true }\n      - { subject: secure-boot, value: 'true' }\n",
    )
    const digests = [example, moved].map((text) => digestOfDocument(splitFile(parseReleaseFile(text)).document))
    expect(digests[0]).not.toEqual(digests[1])
  })

  it('with the content that it names is the file again, through the store and through YAML', () => {
    fc.assert(
      fc.property(anyFile, (file) => {
        const { document, contents: held } = splitFile(file)
        const bytes = encodeDocument(document)
        const stored = decodeDocument(bytes)
        expect(encodeDocument(stored)).toEqual(bytes)
        const readings = new Map<string, SectionReading>()
        for (const [id, section] of Object.entries(stored.sections)) {
          const digest = section?.captured?.digest ?? ''
          readings.set(digest, decodeSection(id as never, held.get(digest) ?? new Uint8Array()))
        }
        const joined = joinFile(stored, readings, null)
        expect(encodeDocument(splitFile(joined).document)).toEqual(bytes)
        expect(encodeDocument(splitFile(parseReleaseFile(writeReleaseFile(joined))).document)).toEqual(bytes)
      }),
      { numRuns: 40 },
    )
  })
})

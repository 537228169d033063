import * as fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { equal } from '../../../shared/bytes/bytes.ts'
import { encodeSection } from '../../../shared/posture/canonical.ts'
import { diffSection } from '../../../shared/posture/diff.ts'
import { SECTION_IDS, SECTIONS, type SectionId } from '../../../shared/posture/sections.ts'
import type { PackagesContent } from '../../../shared/posture/sections/packages.ts'
import type { SocketsContent } from '../../../shared/posture/sections/sockets.ts'
import { OS_FIELDS } from '../../../shared/posture/sections/system.ts'
import { contents, measured, sha256 } from '../../support/posture.ts'

/** The optional fields of every section. The test below fails if one is missing here, or was never tried alone. */
const OPTIONAL_FIELDS: Readonly<Record<SectionId, readonly string[]>> = {
  boot: [],
  sockets: ['address', 'executables'],
  packages: ['architecture', 'held', 'reinstallRequired', 'source', 'sourceVersion', 'state'],
  system: Object.keys(OS_FIELDS).sort(),
  'update-channel': [],
}

/** Every value that comes from `value` by leaving out one field of one object, however deep. */
function* withoutOneField(value: unknown): Generator<{ without: unknown; field: string }> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries(value)) {
    if (!Array.isArray(value)) {
      const { [key]: _left, ...without } = value as Record<string, unknown>
      yield { without, field: key }
    }
    for (const { without: changed, field } of withoutOneField(item)) {
      const without = Array.isArray(value)
        ? value.map((one, index) => (String(index) === key ? changed : (one as unknown)))
        : { ...value, [key]: changed }
      yield { without, field }
    }
  }
}

describe.each(SECTION_IDS)('section %s', (id) => {
  const content = contents[id] as fc.Arbitrary<never>

  test('a difference in the digest is a difference in the list of changes, and the other way round', () => {
    fc.assert(
      fc.property(content, content, (a, b) => {
        const same = equal(encodeSection(id, measured(a), sha256).digest, encodeSection(id, measured(b), sha256).digest)
        expect(diffSection(id, measured(a), measured(b)).length === 0).toBe(same)
      }),
      { numRuns: 300 },
    )
  })

  test('a change of one field alone is seen', () => {
    fc.assert(
      fc.property(content, content, fc.nat(), (a: object, b: object, pick) => {
        const keys = Object.keys(a)
        const key = keys[pick % keys.length] ?? ''
        const mixed = { ...a, [key]: b[key as keyof typeof b] } as never
        fc.pre(v.is(SECTIONS[id].schema as v.GenericSchema, mixed))
        const [before, after] = [measured(a as never), measured(mixed)] as const
        const same = equal(encodeSection(id, before, sha256).digest, encodeSection(id, after, sha256).digest)
        expect(diffSection(id, before, after).length === 0).toBe(same)
      }),
      { numRuns: 500 },
    )
  })

  test('every optional field that appears or goes is seen, whichever it is', () => {
    const tried = new Set<string>()
    for (const one of fc.sample(content, { numRuns: 150, seed: 1 })) {
      for (const { without, field } of withoutOneField(one)) {
        if (!v.is(SECTIONS[id].schema as v.GenericSchema, without)) continue
        const [before, after] = [measured(one), measured(without as never)] as const
        const same = equal(encodeSection(id, before, sha256).digest, encodeSection(id, after, sha256).digest)
        expect(diffSection(id, before, after).length === 0, field).toBe(same)
        if (!same) tried.add(field)
      }
    }
    expect([...tried].sort()).toEqual(OPTIONAL_FIELDS[id])
  })

  test('reversed, what was added is removed', () => {
    fc.assert(
      fc.property(content, content, (a, b) => {
        const there = diffSection(id, measured(a), measured(b))
        const back = diffSection(id, measured(b), measured(a))
        const mirror = { added: 'removed', removed: 'added', changed: 'changed' } as const
        expect(back.map(({ subject, kind }) => `${mirror[kind]} ${subject}`).sort()).toEqual(
          there.map(({ subject, kind }) => `${kind} ${subject}`).sort(),
        )
      }),
    )
  })
})

const noSockets: SocketsContent = {
  listeners: [],
  tables: ['tcp'],
  owners: 'visible',
  truncated: false,
  total: 0,
  malformed: 0,
}

test('a new listener is named by protocol, address and port, with its owner', () => {
  const after: SocketsContent = {
    ...noSockets,
    total: 1,
    listeners: [
      {
        protocol: 'tcp',
        family: 'ipv4',
        scope: 'any',
        address: '0.0.0.0',
        port: 4444,
        owner: 'known',
        executables: ['/usr/bin/nc'],
      },
    ],
  }
  expect(diffSection('sockets', measured<'sockets'>(noSockets), measured<'sockets'>(after))).toContainEqual({
    subject: 'tcp/0.0.0.0:4444',
    kind: 'added',
    after: 'any, "/usr/bin/nc"',
  })
})

test('an updated package is one change with both versions', () => {
  const at = (version: string): PackagesContent => ({
    manager: 'dpkg',
    packages: [{ name: 'openssl', architecture: 'arm64', version }],
    total: 1,
    malformed: 0,
    incomplete: false,
  })
  expect(diffSection('packages', measured<'packages'>(at('3.0.1')), measured<'packages'>(at('3.0.2')))).toEqual([
    { subject: 'openssl:arm64', kind: 'changed', before: '3.0.1', after: '3.0.2' },
  ])
})

test('a section that could not be looked at has not lost its content', () => {
  const after = { status: 'no-permission', reason: 'file-not-readable' } as const
  expect(diffSection('sockets', measured<'sockets'>(noSockets), after)).toEqual([
    { subject: 'status', kind: 'changed', before: 'measured', after: 'no-permission: file-not-readable' },
  ])
})

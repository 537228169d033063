import * as fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { equal } from '../../../shared/bytes/bytes.ts'
import { encodeSection } from '../../../shared/posture/canonical.ts'
import { diffSection } from '../../../shared/posture/diff.ts'
import { SECTION_IDS, SECTIONS } from '../../../shared/posture/sections.ts'
import type { PackagesContent } from '../../../shared/posture/sections/packages.ts'
import type { SocketsContent } from '../../../shared/posture/sections/sockets.ts'
import { contents, measured, sha256 } from '../../support/posture.ts'

/** Values that a field has anywhere in the samples, by its name: what else it could say. */
function valuesByField(samples: readonly unknown[]): ReadonlyMap<string, readonly unknown[]> {
  const pool = new Map<string, Map<string, unknown>>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, item] of Object.entries(value)) {
      if (!Array.isArray(value))
        pool.set(key, (pool.get(key) ?? new Map<string, unknown>()).set(JSON.stringify(item), item))
      visit(item)
    }
  }
  samples.forEach(visit)
  return new Map([...pool].map(([key, values]) => [key, [...values.values()].slice(0, 6)]))
}

/** Every value that differs from `value` in one field of one object, however deep: left out, or with another value. */
function* withOneFieldChanged(
  value: unknown,
  pool: ReadonlyMap<string, readonly unknown[]>,
): Generator<{ changed: unknown; field: string }> {
  if (typeof value !== 'object' || value === null) return
  for (const [key, item] of Object.entries(value)) {
    if (Array.isArray(value)) {
      for (const { changed, field } of withOneFieldChanged(item, pool)) {
        yield { changed: value.map((one, index) => (String(index) === key ? changed : (one as unknown))), field }
      }
      continue
    }
    const { [key]: _left, ...without } = value as Record<string, unknown>
    yield { changed: without, field: key }
    for (const other of pool.get(key) ?? []) yield { changed: { ...value, [key]: other }, field: key }
    for (const { changed, field } of withOneFieldChanged(item, pool))
      yield { changed: { ...value, [key]: changed }, field }
  }
}

/** Fields with one possible value, or whose value follows from another field. */
const FIXED_FIELDS: ReadonlySet<string> = new Set(['sockets.truncated'])

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

  test('every field that changes alone is seen, however deep it lies', () => {
    const samples = fc.sample(content, { numRuns: 25, seed: 1 })
    const pool = valuesByField(samples)
    const tried = new Set<string>()
    for (const one of samples) {
      const before = measured(one)
      const { digest } = encodeSection(id, before, sha256)
      for (const { changed, field } of withOneFieldChanged(one, pool)) {
        if (!v.is(SECTIONS[id].schema as v.GenericSchema, changed)) continue
        const after = measured(changed as never)
        // The same digest: the value is the old one, or the same list in another order.
        const same = equal(digest, encodeSection(id, after, sha256).digest)
        expect(diffSection(id, before, after).length === 0, `${field} of ${JSON.stringify(one)}`).toBe(same)
        if (same) continue
        tried.add(field)
      }
    }
    expect([...tried].sort()).toEqual([...pool.keys()].filter((field) => !FIXED_FIELDS.has(`${id}.${field}`)).sort())
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
  namespaces: 'visible',
  bindings: 'visible',
  vsock: 'visible',
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
        programs: [{ executable: '/usr/bin/nc', unit: 'nc.service', origin: 'none' }],
      },
    ],
  }
  expect(diffSection('sockets', measured<'sockets'>(noSockets), measured<'sockets'>(after))).toContainEqual({
    subject: 'tcp/0.0.0.0:4444',
    kind: 'added',
    after: 'any, "/usr/bin/nc" (unit "nc.service", no package)',
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

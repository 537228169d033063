import { rmSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../agent/sensors/host.ts'
import { measureAll, type Measurement } from '../../../agent/sensors/registry.ts'
import { decodeCbor, encodeCbor } from '../../../shared/cbor/codec.ts'
import { CborField } from '../../../shared/cbor/fields.ts'
import { MAX_STATE_ENTRIES, readState, stateToCbor, type StateScalar } from '../../../shared/evidence/state.ts'
import { decodeSection, encodeSection, MAX_SECTION_BYTES } from '../../../shared/posture/canonical.ts'
import { SECTION_IDS, type SectionId } from '../../../shared/posture/sections.ts'
import type { SocketsContent } from '../../../shared/posture/sections/sockets.ts'
import { fillDirectories, plantLoops, SOCKETS, writeHostileTree } from '../../support/hostile-tree.ts'
import { sha256 } from '../../support/posture.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { vanishingHost } from '../../support/watched-host.ts'

/** On a machine that does much else; by itself it takes a few seconds. */
const BOUND_CPU_MS = 30_000

const root = useScratchDirectories('hostile')()
beforeAll(() => writeHostileTree(root), 60_000)
afterAll(() => rmSync(root, { recursive: true, force: true }), 60_000)

const hostOf = (): Host => createHost({ root, byteOrder: 'LE' })

type Measurements = ReadonlyMap<SectionId, Measurement>

/** What holds of every section, whatever the system is like. */
function expectSound(measurements: Measurements): void {
  expect([...measurements.keys()].sort()).toEqual([...SECTION_IDS].sort())
  const state = new Map<string, StateScalar>()
  let cpuMs = 0
  for (const [id, { reading, cpuMs: own }] of measurements) {
    cpuMs += own
    expect(reading, id).not.toMatchObject({ code: 'sensor-fault' })
    const { bytes } = encodeSection(id, reading as never, sha256)
    expect(bytes.length, id).toBeLessThanOrEqual(MAX_SECTION_BYTES)
    // The schema holds what no name may bring in: controls, directions, what is no UTF-8.
    expect(decodeSection(id, bytes).status, id).toBe(reading.status)
    if (reading.status === 'measured') for (const entry of Object.entries(reading.state ?? {})) state.set(...entry)
  }
  expect(state.size).toBeLessThanOrEqual(MAX_STATE_ENTRIES)
  expect(readState(new CborField(decodeCbor(encodeCbor(stateToCbor(state))), 'claims.malformed', 'state'))).toEqual(
    state,
  )
  expect(cpuMs).toBeLessThan(BOUND_CPU_MS)
}

const statusOf = (measurements: Measurements, id: SectionId) => measurements.get(id)?.reading

function socketsOf(measurements: Measurements): SocketsContent {
  const reading = statusOf(measurements, 'sockets')
  if (reading?.status !== 'measured') throw new Error(`sockets: ${reading?.status}`)
  return reading.content as SocketsContent
}

describe('a system that is made to be measured wrongly', () => {
  test('has a status for each section, and says what was too much', async () => {
    const measurements = await measureAll(hostOf())
    expectSound(measurements)
    expect(statusOf(measurements, 'packages')).toMatchObject({ status: 'failed', code: 'input-too-large' })
    const { truncated, total, listeners, malformed } = socketsOf(measurements)
    expect({ truncated, malformed }).toEqual({ truncated: true, malformed: 1 })
    expect(total).toBeGreaterThan(listeners.length)
    expect(total).toBeLessThanOrEqual(SOCKETS)
    expect(JSON.stringify(statusOf(measurements, 'update-channel'))).toContain('"truncated":true')
  })

  test('whose processes end while they are looked at has no section that failed for that', async () => {
    const measurements = await measureAll(vanishingHost(hostOf(), /^\/proc\/\d+(?:\/|$)/))
    expectSound(measurements)
    expect(socketsOf(measurements).total).toBeGreaterThan(0)
  })

  test('whose files are all gone when they are looked at says that they are absent', async () => {
    const measurements = await measureAll(vanishingHost(hostOf(), /./))
    expectSound(measurements)
    for (const [id, { reading }] of measurements) {
      if (reading.status === 'measured') expect(JSON.stringify(reading.content), id).toMatch(/absent|no-permission/)
      else expect(reading.status, id).toBe('not-supported')
    }
  })

  test('with loops of links in every directory that is listed is measured all the same', async () => {
    expect(await plantLoops(root)).toBeGreaterThan(10)
    const measurements = await measureAll(hostOf())
    expectSound(measurements)
    expect(socketsOf(measurements).owners).toBe('visible')
  })

  test('with a hundred thousand entries in every directory that is listed says that these were too many', async () => {
    expect(await fillDirectories(root)).toBeGreaterThan(10)
    const measurements = await measureAll(hostOf())
    expectSound(measurements)
    expect(socketsOf(measurements).owners).toBe('bounded')
    expect(JSON.stringify(statusOf(measurements, 'update-channel'))).toMatch(/too-large|"truncated":true|unreadable/)
    expect(JSON.stringify(statusOf(measurements, 'patch-level'))).toContain('too-large')
  }, 120_000)
})

import type { Release } from '../../../collector/model/release.ts'
import type { CompiledRelease, ExpectedSection } from '../../../collector/releases/compiled.ts'
import type { Candidate, Measured } from '../../../collector/releases/judge.ts'
import type { SectionRules } from '../../../collector/releases/rule-schema.ts'
import type { RankedRelease, Standing } from '../../../collector/releases/release-set.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import { encodeSection } from '../../../shared/posture/canonical.ts'
import type { SectionReading } from '../../../shared/posture/reading.ts'
import type { SectionId } from '../../../shared/posture/sections.ts'
import type { Readings } from '../../support/software-device.ts'

export const NOW = Date.UTC(2026, 5, 1)

export const release = (over: Partial<Release> = {}): Release => ({
  id: 'rel_1',
  productId: 'prd_1',
  name: '1',
  digest: sha256(new TextEncoder().encode(over.name ?? '1')),
  state: 'draft',
  authors: [{ tokenId: 'api_ada', name: 'Ada' }],
  createdAt: NOW,
  approved: null,
  countersigned: null,
  order: null,
  activatedAt: null,
  supersededAt: null,
  acceptedUntil: null,
  revokedAt: null,
  isMinimum: false,
  ...over,
})

const digestOf = (id: SectionId, reading: SectionReading): Uint8Array =>
  new Uint8Array(encodeSection(id, reading as never, hash).digest)

export const expected = (id: SectionId, reading: SectionReading | null, rules: SectionRules = {}): ExpectedSection => ({
  captured: reading === null ? null : { digest: digestOf(id, reading), reading },
  rules,
})

export const reported = (id: SectionId, reading: SectionReading) => ({ digest: digestOf(id, reading), reading })

const entriesOf = (readings: Readings) => Object.entries(readings) as [SectionId, SectionReading][]

/** A release of exactly these sections. */
export function candidate(order: number, readings: Readings, standing: Standing = 'accepted'): Candidate {
  const sections = new Map(entriesOf(readings).map(([id, reading]) => [id, expected(id, reading)]))
  const compiled: CompiledRelease = { sections, boot: null }
  const ranked = release({ id: `rel_${order}`, name: String(order), order, activatedAt: NOW }) as RankedRelease
  return { release: ranked, compiled, standing }
}

export function measured(readings: Readings): Measured {
  const held = new Map(entriesOf(readings).map(([id, reading]) => [toHex(digestOf(id, reading)), reading]))
  return {
    posture: new Map(entriesOf(readings).map(([id, reading]) => [id, digestOf(id, reading)])),
    section: (_, digest) => {
      const reading = held.get(toHex(digest))
      return reading === undefined ? 'missing' : { digest, reading }
    },
    boot: 'none',
  }
}

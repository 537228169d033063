import { describe, expect, it } from 'vitest'
import { reportDocuments } from '../../../collector/report/documents.ts'
import { Ledger } from '../../../collector/report/ledger.ts'
import type { ReportedCase, ReportedPractice, ReportedProduct } from '../../../collector/report/model.ts'
import { gapsOf } from '../../../collector/report/gap.ts'
import { roadmapOf } from '../../../collector/report/roadmap.ts'
import type { Making } from '../../../collector/report/sources.ts'
import { standardsOf } from '../../../collector/report/standards.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import type { Case } from '../../../shared/decisions/cases/case.ts'
import type { PracticeStatus } from '../../../shared/maturity/conformity/status.ts'
import { PRACTICE_IDS, PRACTICES, type PracticeId } from '../../../shared/maturity/practices.ts'
import { DAY, DecidingPeople, exampleDocument } from '../../support/decision-log.ts'

type Asked = readonly [target: number, supported: number, conformity: PracticeStatus]

/** A product with all 18 practices, of which a profile asks for these. */
function product(asked: Partial<Record<PracticeId, Asked>>, name = 'Acme/Gate 7'): ReportedProduct {
  const practices = PRACTICE_IDS.map((practice): ReportedPractice => {
    const [target, supported, conformity] = asked[practice] ?? [null, 0, 'unknown']
    const scope = target === null ? null : 'system'
    const nothing = { since: null, coverage: null, confirmed: null, reasons: [], history: [] }
    return { practice, ...PRACTICES[practice], target, scope, supported, conformity, ...nothing }
  })
  const empty = { evaluatedAt: null, fleet: null, covered: 0, notCovered: {}, objectives: [], findings: [] }
  return { id: 'prd_1', product: name, conformity: 'unknown', practices, ...empty }
}

describe('a roadmap', () => {
  const NOW = Date.UTC(2026, 5, 1)
  const open = {
    id: 'cas_1',
    product: 'Acme/Gate 7',
    certificate: 'crt_1',
    trigger: 'T3',
    cause: 'practice.drift',
    title: '',
    state: 'remediation',
    openedAt: '2026-05-01T00:00:00.000Z',
    endedAt: null,
    openedInPeriod: true,
    endedInPeriod: false,
  } satisfies ReportedCase
  const gaps = gapsOf([product({ 'patch-management': [3, 1, 'drift'], 'access-control': [2, 1, 'unknown'] })], [])
  const planned = (state: Case['state'], due: number) => {
    const plan = { actions: [{ what: 'ship 1.1', owner: 'Olga', due: due / 1000 }] }
    const scope = {
      practices: ['patch-management'],
      criteria: [{ practice: 'patch-management', criterion: 'in 30 d' }],
    }
    return new Map([['cas_1', { state, plan, scope } as unknown as Case]])
  }
  const itemsOf = (state: Case['state'], due: number) =>
    roadmapOf({ gaps, cases: [open], decided: planned(state, due), now: NOW })

  it('has what was signed with owner and date, and derives nothing about the same practice', () => {
    const { items, progress } = itemsOf('remediation', NOW + 1000)
    expect(items.map(({ source, practices, state }) => [source, practices[0], state])).toEqual([
      ['decided', 'patch-management', 'open'],
      ['derived', 'access-control', 'open'],
    ])
    expect(items[0]).toMatchObject({ owner: 'Olga', case: 'cas_1', evidence: ['patch-management: in 30 d'] })
    expect(progress).toEqual({ items: 2, done: 0, overdue: 0, withoutOwner: 1 })
  })

  it('says what is overdue', () => {
    expect(itemsOf('remediation', NOW - 1000).progress.overdue).toBe(1)
  })

  it('derives a gap again that is still there after its case was closed', () => {
    const { items } = itemsOf('closed', NOW - 1000)
    expect(items.map(({ source, state }) => [source, state])).toEqual([
      ['decided', 'done'],
      ['derived', 'open'],
      ['derived', 'open'],
    ])
  })
})

describe('a comparison with standards', () => {
  const viewOf = (products: readonly ReportedProduct[], requirement: string) =>
    standardsOf(products, defaultCatalogue)
      .find(({ framework }) => framework === 'iec-62443-4-1')
      ?.requirements.find((each) => each.requirement === requirement)?.view

  const good: Asked = [3, 3, 'conforming']

  it('takes the worst of the practices of a requirement, and the worst of several products', () => {
    const all = (status: Asked) => product({ 'patch-management': status })
    expect(viewOf([all(good)], 'SUM-1')).toBe('supported')
    expect(viewOf([all([3, 2, 'unknown'])], 'SUM-1')).toBe('unknown')
    expect(viewOf([all(good), all([3, 3, 'drift'])], 'SUM-1')).toBe('gap')
    // SUM-3 is mapped to another practice as well, which the profile does not ask for.
    expect(viewOf([all(good)], 'SUM-3')).toBe('partly')
    expect(viewOf([product({})], 'SUM-1')).toBe('not-in-profile')
    expect(viewOf([], 'SUM-1')).toBe('unknown')
  })

  it('counts each requirement once, and says that the pairings are our own', () => {
    for (const { counts, requirements, pairings, note } of standardsOf([product({})], defaultCatalogue)) {
      expect(Object.values(counts).reduce((sum, each) => sum + each, 0)).toBe(requirements.length)
      expect(new Set(requirements.map(({ requirement }) => requirement)).size).toBe(requirements.length)
      expect([pairings, note]).toEqual(['own', expect.stringContaining('no official table')])
    }
  })
})

describe('documents of a report', () => {
  it('are those about its products, with their end, their standing and the digest of the file', async () => {
    const people = await DecidingPeople.begin()
    const document = exampleDocument(people)
    await people.decide(people.vendor, 'document.submit', 'doc_1', document)
    const { register } = people.log
    const ledger = new Ledger()
    const at = (seconds: number) => ({ register, ledger, now: seconds * 1000 }) as unknown as Making
    const [found] = reportDocuments(at(people.now), document.products)
    expect(found).toMatchObject({ id: 'doc_1', standing: 'submitted', counts: false, sha256: document.file.sha256 })
    expect(ledger.items.map(({ kind, sha256 }) => [kind, sha256])).toEqual([['document', document.file.sha256]])
    const [late] = reportDocuments(at(document.validUntil + DAY), document.products)
    expect(late?.standing).toBe('expired')
    expect(reportDocuments(at(people.now), ['Rival/Box'])).toEqual([])
  })
})

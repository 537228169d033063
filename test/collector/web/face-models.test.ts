import { describe, expect, it } from 'vitest'
import { stageOf } from '../../../collector/web/model/certificate-stage.ts'
import { touchedCertificates, touchedPractices } from '../../../collector/web/model/impact.ts'
import { rollOutBars } from '../../../collector/web/model/roll-out.ts'
import { timelineOf } from '../../../collector/web/model/timeline.ts'
import type { Certificate, Practices } from '../../../collector/web/core/types-more.ts'
import { CERTIFICATE_STATES } from '../../../shared/decisions/certificate.ts'

describe('the stage of a certificate', () => {
  it('is known for each state, and one that has expired is at its end', () => {
    for (const state of CERTIFICATE_STATES) expect(stageOf({ state, expired: false }), state).toBeDefined()
    expect(stageOf({ state: 'valid', expired: true })).toBe('ended')
    expect(stageOf({ state: 'draft', expired: true })).toBe('draft')
  })
})

describe('the bars of a roll-out', () => {
  const box = { width: 280, height: 100 }
  it('are one a day, days without an arrival among them, and the last is the highest', () => {
    const days = [
      { day: '2026-05-01', arrived: 2, total: 2 },
      { day: '2026-05-04', arrived: 6, total: 8 },
    ]
    const bars = rollOutBars({ deviceCount: 8, days }, box)
    expect(bars.map(({ day, total }) => `${day} ${total}`)).toEqual([
      '2026-05-01 2',
      '2026-05-02 2',
      '2026-05-03 2',
      '2026-05-04 8',
    ])
    expect(bars.map(({ height }) => height)).toEqual([25, 25, 25, 100])
    expect(rollOutBars({ deviceCount: 0, days: [] }, box)).toEqual([])
  })

  it('are the newest 90 of a long one, with what came before in them', () => {
    const days = [
      { day: '2025-01-01', arrived: 5, total: 5 },
      { day: '2026-05-01', arrived: 5, total: 10 },
    ]
    const bars = rollOutBars({ deviceCount: 10, days }, box)
    expect(bars).toHaveLength(90)
    expect(bars[0]).toMatchObject({ total: 5, arrived: 0 })
    expect(bars.at(-1)).toMatchObject({ total: 10, arrived: 5 })
  })
})

describe('the timeline', () => {
  it('has boots and changes in one order, newest first', () => {
    const change = (at: string) => ({ at, axis: 'verdict', from: null, to: 'affirming', cause: null })
    const boot = (firstReceivedAt: string) => ({ bootId: 'ab', firstReceivedAt, agentStarts: 1 })
    const entries = timelineOf(
      [change('2026-05-03T00:00:00Z'), change('2026-05-01T00:00:00.5Z')],
      [boot('2026-05-02T00:00:00Z'), boot('2026-05-01T00:00:00Z')],
    )
    expect(entries.map(({ kind }) => kind)).toEqual(['change', 'boot', 'change', 'boot'])
  })
})

describe('what a case touches', () => {
  const practice = (id: string, conformity: string, counts = true) => ({ practice: id, name: id, counts, conformity })
  const practices = {
    items: [
      practice('a', 'conforming'),
      practice('b', 'drift'),
      practice('c', 'drift', false),
      practice('d', 'conforming'),
    ],
  } as unknown as Practices

  it('is what is below its target, what the analysis names and what is assessed anew', () => {
    const decided = {
      impact: { summary: '', changes: [], practices: ['b', 'x'], affectedEvidence: [], proposedClass: 'minor' },
      scope: { practices: ['d'] },
    }
    expect(touchedPractices({ cause: 'boot.pcr-changed', subject: '', decided }, practices)).toEqual([
      { practice: 'b', name: 'b', conformity: 'drift', why: ['failing', 'named'] },
      { practice: 'x', name: 'x', conformity: null, why: ['named'] },
      { practice: 'd', name: 'd', conformity: 'conforming', why: ['scoped'] },
    ])
    expect(touchedPractices({ cause: 'practice.drift', subject: 'a', decided: null }, practices)[1]).toMatchObject({
      practice: 'a',
    })
    expect(touchedPractices({ cause: 'x', subject: '', decided: null }, undefined)).toEqual([])
  })

  it('is the certificate of the case and what else is in force for the product', () => {
    const of = (id: string, state: string, product: string) =>
      ({ id, state, products: [{ product }] }) as unknown as Certificate
    const all = [
      of('1', 'valid', 'A/b'),
      of('2', 'withdrawn', 'A/b'),
      of('3', 'valid', 'A/c'),
      of('4', 'withdrawn', 'A/b'),
    ]
    expect(touchedCertificates(all, 'A/b', '4').map(({ id }) => id)).toEqual(['4', '1'])
  })
})

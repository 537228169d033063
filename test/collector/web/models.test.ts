import { assert, integer, nat, property } from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Boot, Device } from '../../../collector/web/core/types.ts'
import type { Case } from '../../../collector/web/core/types-more.ts'
import { de } from '../../../collector/web/i18n/de.ts'
import { en } from '../../../collector/web/i18n/en.ts'
import { bootChain } from '../../../collector/web/model/boot-chain.ts'
import { casesIn, dueTone } from '../../../collector/web/model/case-board.ts'
import { budgetOf, cellOf, chartOf, objectiveIn } from '../../../collector/web/model/conformity.ts'
import { isFiltered, readFleetQuery } from '../../../collector/web/model/fleet-query.ts'
import { listenerRows } from '../../../collector/web/model/listeners.ts'
import { linesOf, pendingUpdates } from '../../../collector/web/model/sections.ts'
import { axisTone, standingOf } from '../../../collector/web/model/standing.ts'
import { pagesOf, shownRows } from '../../../collector/web/model/window.ts'
import type { Listener } from '../../../shared/posture/sections/sockets.ts'

const good: Pick<Device, 'enrolment' | 'latch' | 'verdict' | 'liveness'> = {
  enrolment: 'active',
  latch: 'none',
  verdict: 'affirming',
  liveness: 'fresh',
}

describe('where a device stands', () => {
  it.each([
    [{}, 'good'],
    [{ liveness: 'stale' }, 'stale'],
    [{ verdict: 'warning' }, 'drifted'],
    [{ verdict: 'not-appraised' }, 'not-appraised'],
    [{ liveness: 'never-seen', verdict: 'not-appraised' }, 'never-seen'],
    [{ liveness: 'silent' }, 'silent'],
    [{ liveness: 'silent', latch: 'failed' }, 'failed'],
    [{ latch: 'recovered-unacknowledged' }, 'failed'],
    [{ verdict: 'contraindicated' }, 'failed'],
    [{ enrolment: 'pending' }, 'pending'],
  ] as const)('%j is %s', (over, standing) => {
    expect(standingOf({ ...good, ...over })).toBe(standing)
  })

  it('is never good where an axis says something that nobody knows', () => {
    expect(axisTone('something new')).toBe('quiet')
  })
})

describe('the rows of a long list', () => {
  it('are those near the screen, however long the list', () => {
    const view = { total: 100_000, rowHeight: 44, scrolled: 44 * 50_000, height: 880 }
    expect(shownRows(view)).toEqual({ first: 49_992, end: 50_028 })
    expect(pagesOf({ first: 49_992, end: 50_028 }, 100)).toEqual([499, 500])
  })

  it('are within the list, and as many as fit', () => {
    assert(
      property(nat(200_000), nat(10_000_000), integer({ min: 100, max: 3000 }), (total, scrolled, height) => {
        const { first, end } = shownRows({ total, rowHeight: 44, scrolled, height })
        expect(first).toBeGreaterThanOrEqual(0)
        expect(end).toBeLessThanOrEqual(total)
        expect(end - first).toBeLessThanOrEqual(height / 44 + 18)
      }),
    )
  })
})

describe('what an address asks for', () => {
  it('is left out where it is nothing that can be asked for', () => {
    const asked = readFleetQuery(new URLSearchParams('standing=better&product=prd_%3Cb%3E&coverage=x'))
    expect(asked).toEqual({ standing: undefined, productId: undefined, coverage: undefined, q: '' })
    expect(isFiltered(asked)).toBe(false)
    expect(readFleetQuery(new URLSearchParams('standing=failed&q=SIM')).standing).toBe('failed')
  })
})

const boot = (over: Partial<Boot>): Boot => ({
  receivedAt: '',
  log: 'proven',
  logProblem: null,
  secureBoot: null,
  pcrs: [0, 4, 7, 8, 9, 11].map((pcr) => ({ bank: 'sha256', pcr, value: '', status: 'replayed', events: 1 })),
  events: [{ pcr: 4, part: 'kernel', name: 'kernel image', digest: '', dataProven: true, description: '' }],
  differences: [],
  ...over,
})
const statesOf = (of: Boot) => Object.fromEntries(bootChain(of).map(({ stage, state }) => [stage, state]))

describe('the chain of a boot', () => {
  it('is as approved where something was measured and nothing differs', () => {
    expect(statesOf(boot({}))).toEqual({
      firmware: 'matches',
      'secure-boot': 'matches',
      'boot-loader': 'matches',
      kernel: 'matches',
      image: 'unknown',
    })
  })

  it('differs in the link that a difference is of', () => {
    const difference = { subject: 'kernel image', before: 'a', after: 'b' }
    expect(statesOf(boot({ differences: [{ code: 'boot.kernel-changed', ...difference }] }))).toMatchObject({
      kernel: 'differs',
      firmware: 'matches',
    })
    const pcr = { code: 'boot.pcr-changed', subject: 'pcr/sha256/4', before: 'a', after: 'b' }
    expect(statesOf(boot({ differences: [pcr] }))['boot-loader']).toBe('differs')
    expect(statesOf(boot({ differences: [{ ...pcr, code: 'boot.new-code', subject: 'x' }] }))['image']).toBe('differs')
  })

  it('is never as approved where nothing was approved, or nothing measured', () => {
    expect(statesOf(boot({ differences: null }))['firmware']).toBe('unapproved')
    const untouched = boot({}).pcrs.map((pcr) => ({ ...pcr, status: 'untouched' }))
    expect(new Set(Object.values(statesOf(boot({ pcrs: untouched, events: [] }))))).toEqual(new Set(['unknown']))
  })
})

describe('listeners', () => {
  const listener = (port: number): Listener => ({
    protocol: 'tcp',
    family: 'ipv4',
    scope: 'any',
    address: '0.0.0.0',
    port,
    owner: 'none',
  })

  it('that nobody has approved come first, and what is gone is told', () => {
    const findings = [
      { code: 'sockets.listener-added', subject: 'tcp/0.0.0.0:4444' },
      { code: 'sockets.listener-removed', subject: 'tcp/0.0.0.0:80' },
    ]
    const rows = listenerRows([listener(22), listener(4444)], findings, true)
    expect(rows.map(({ subject, state }) => `${subject} ${state}`)).toEqual([
      'tcp/0.0.0.0:4444 not-approved',
      'tcp/0.0.0.0:80 gone',
      'tcp/0.0.0.0:22 approved',
    ])
  })

  it('are not as approved where there is nothing to compare with', () => {
    expect(listenerRows([listener(22)], [], false)[0]?.state).toBe('unknown')
  })
})

describe('sections', () => {
  it('are lines of name and value, of any content', () => {
    expect(linesOf({ a: { b: [1, 2] }, c: [{ d: true }] })).toEqual([
      { name: 'a.b', value: '1, 2' },
      { name: 'c.0.d', value: 'true' },
    ])
    expect(linesOf(Array.from({ length: 5_000 }, (_, n) => ({ n }))).length).toBe(400)
  })

  it('say nothing of updates where they were not seen', () => {
    const section = { id: 'patch-level', digest: '', status: 'measured', reason: null }
    expect(pendingUpdates({ ...section, content: { updates: { missing: 'absent' } } })).toBeUndefined()
    const value = { total: 0, security: 0, pending: [] }
    expect(pendingUpdates({ ...section, content: { updates: { value } } })).toEqual(value)
  })
})

describe('practices', () => {
  it('have a cell for each level: what is wanted, and what is there', () => {
    expect([1, 2, 3, 4].map((level) => cellOf({ target: 3, supported: 2 }, level))).toEqual([
      'supported',
      'supported',
      'missing',
      'empty',
    ])
    expect(cellOf({ target: 1, supported: 2 }, 2)).toBe('beyond')
    expect(cellOf({ target: null, supported: 2 }, 1)).toBe('beyond')
  })

  it('count a day that nobody knows of neither as met nor as missed', () => {
    const objective = objectiveIn('p90 <= 14 d')
    expect(objective).toEqual({ isAtLeast: false, value: 14 })
    const samples = [10, 20, null].map((value, day) => ({ day: String(day), value, known: 1, denominator: 1 }))
    expect(budgetOf(samples, objective ?? { isAtLeast: true, value: 0 })).toEqual({ met: 1, missed: 1, unknown: 1 })
    expect(chartOf(samples, objective, { width: 100, height: 50 }).paths).toHaveLength(1)
    expect(objectiveIn('>= 95 %')).toEqual({ isAtLeast: true, value: 95 })
  })
})

describe('the board of cases', () => {
  const entry = (id: string, over: Partial<Case>): Case => ({
    id,
    productId: '',
    certificateId: '',
    cause: '',
    subject: '',
    title: '',
    trigger: '',
    severity: 'high',
    state: 'triggered',
    openedAt: '',
    due: null,
    overdue: false,
    ...over,
  })

  it('has what is overdue on top, then what is due next', () => {
    const cases = [
      entry('later', { due: '2026-02-02T00:00:00Z' }),
      entry('never', {}),
      entry('sooner', { due: '2026-02-01T00:00:00Z' }),
      entry('late', { due: '2026-03-01T00:00:00Z', overdue: true }),
      entry('over', { state: 'closed' }),
    ]
    expect(casesIn('triage', cases).map(({ id }) => id)).toEqual(['late', 'sooner', 'later', 'never'])
    expect(casesIn('over', cases).map(({ id }) => id)).toEqual(['over'])
    expect(dueTone({ due: '2026-02-01T00:00:00Z', overdue: false }, Date.UTC(2026, 0, 31))).toBe('warn')
  })
})

describe('the catalogue of texts', () => {
  it('has the same values to fill in, in each language', () => {
    const holesOf = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name).sort()
    const differing = (Object.keys(en) as (keyof typeof en)[]).filter(
      (key) => String(holesOf(en[key])) !== String(holesOf(de[key])),
    )
    expect(differing).toEqual([])
    expect(Object.keys(de).sort()).toEqual(Object.keys(en).sort())
  })
})

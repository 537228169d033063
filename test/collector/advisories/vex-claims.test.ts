import { describe, expect, it } from 'vitest'
import { claimsOf } from '../../../collector/advisories/vex-claims.ts'
import type { ProductVulnerability } from '../../../collector/advisories/view.ts'
import type { ProductStatement } from '../../../collector/model/product-statement.ts'
import { productStatement } from '../../support/product-statement.ts'
import { NOW, product } from '../store/samples.ts'

const gate = product({ vendor: 'Acme', model: 'Gate' })
const said = (over: Partial<ProductStatement>) => productStatement(gate.id, 'DSA-1', over)
const NOT_AFFECTED = { verdict: 'not-affected', justification: 'component_not_present' } as const
const closed = { configuration: { id: 'cfg_1', name: 'closed' } }
const open = { configuration: { id: 'cfg_2', name: 'open' } }
const site = (name: string) => ({ environment: { groupId: null, name, labels: { site: name } } })
const release = (name: string) => ({ release: { id: `rel_${name}`, name } })

const item = (over: Partial<ProductVulnerability>): ProductVulnerability => ({
  advisory: 'DSA-1',
  summary: '',
  severity: null,
  score: null,
  exploited: false,
  probability: null,
  published: null,
  status: 'affected',
  fixedIn: null,
  listener: null,
  excludedUntil: null,
  packages: ['openssl'],
  devices: 1,
  limited: 0,
  ruling: null,
  unruled: 'affected',
  disputedBy: [],
  ...over,
})
const ruledBy = (ruling: ProductStatement, over: Partial<ProductVulnerability> = {}) =>
  item({ status: 'not-affected', ruling, ...over })

const claims = (items: readonly ProductVulnerability[], ...statements: readonly ProductStatement[]) =>
  claimsOf(gate, items, statements)
    .map(({ product: id, status, packages }) => [id.split('/').at(-1), status, ...[...packages].sort()].join(' '))
    .sort()

describe('what is published of a product', () => {
  it('that devices in an environment are affected lowers what is said of a configuration that they may be in', () => {
    const good = said({ ...NOT_AFFECTED, ...closed })
    const items = [ruledBy(good)]
    expect(claims(items, good)).toEqual(['Gate affected openssl', 'Gate?configuration=closed not_affected openssl'])
    expect(claims(items, good, said({ verdict: 'affected', ...site('lab') }))).toEqual([
      'Gate affected openssl',
      'Gate?configuration=closed affected openssl',
      'Gate?environment=lab affected openssl',
    ])
    expect(claims(items, good, said({ verdict: 'affected', ...open }))).toEqual([
      'Gate affected openssl',
      'Gate?configuration=closed affected openssl',
      'Gate?configuration=open affected openssl',
    ])
  })

  it('leaves alone what no device can be in as well: another release, another value of a label', () => {
    const [lab, old] = [said({ ...NOT_AFFECTED, ...site('lab') }), said({ ...NOT_AFFECTED, ...release('1') })]
    const plant = said({ verdict: 'affected', ...site('plant'), ...release('2') })
    expect(claims([ruledBy(lab), ruledBy(old)], lab, old, plant)).toEqual([
      'Gate affected openssl',
      'Gate?environment=lab not_affected openssl',
      'Gate@1 not_affected openssl',
      'Gate@2?environment=plant affected openssl',
    ])
  })

  it('is of the package alone that is named', () => {
    const whole = said(NOT_AFFECTED)
    const items = [ruledBy(whole, { packages: ['curl', 'openssl'] })]
    const veto = said({ verdict: 'affected', package: 'curl', ...site('lab') })
    expect(claims(items, whole, veto)).toEqual([
      'Gate affected curl',
      'Gate not_affected openssl',
      'Gate?environment=lab affected curl',
    ])
    const other = said({ verdict: 'affected', package: 'zlib', ...site('lab') })
    expect(claims(items, whole, other)).toEqual([
      'Gate not_affected curl openssl',
      'Gate?environment=lab affected zlib',
    ])
  })

  it('that devices are affected is told also of what no device reports, and once where they do', () => {
    const veto = said({ verdict: 'affected' })
    expect(claims([], veto)).toEqual(['Gate affected'])
    expect(claims([item({})], veto)).toEqual(['Gate affected openssl'])
    expect(claims([item({ status: 'unknown' })], veto)).toEqual(['Gate affected openssl'])
    expect(claims([item({ advisory: 'DSA-2', status: 'unknown' })], veto)).toEqual([
      'Gate affected',
      'Gate under_investigation openssl',
    ])
  })

  it('whoever accepts that devices are affected says that they are, and what to do', () => {
    const until = new Date(NOW + 86_400_000).toISOString()
    const accepted = item({ ruling: said({}), excludedUntil: NOW + 86_400_000, fixedIn: '2' })
    expect(claimsOf(gate, [accepted], [said({})])).toMatchObject([
      {
        status: 'affected',
        text: { action_statement: 'update openssl to 2', status_notes: `accepted by the vendor until ${until}` },
      },
    ])
    expect(claims([{ ...accepted, status: 'unknown' }])).toEqual(['Gate under_investigation openssl'])
  })
})

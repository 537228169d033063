import { expect, test } from 'vitest'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { decisionsWithin } from '../../../collector/decisions/decisions-within.ts'
import { profileDocument, type Certifying } from '../../support/certified-profile.ts'
import { exampleNonconformity, type Signatory } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { PracticeFleet } from '../../support/practice-fleet.ts'
import { goodPosture } from '../../support/postures.ts'
import { describeStore } from '../store/support.ts'

const guest = {
  name: 'guest',
  superuser: false,
  shell: '/bin/sh',
  password: { value: 'empty' },
  keys: { missing: 'absent' },
} as const

describeStore('the nonconformity of a practice', (store) => {
  /** Access control drifts, patch management holds. */
  async function drifting(certifying: Certifying = {}) {
    const fleet = await PracticeFleet.certified(store(), certifying)
    const runs = fleet.runs(await fleet.release('1.0', 1))
    const accounts = { value: { list: [guest], more: 0, malformed: 0, shadow: 'read' as const } }
    const open = await fleet.posture({ access: { ...goodPosture().access, accounts } })
    await fleet.add(2, { postureDigest: await fleet.posture(), ...runs })
    await fleet.add(1, { postureDigest: open, ...runs })
    await fleet.evaluate()
    const { people, product } = fleet
    const append = async (kind: string, detail: object, by: Signatory = people.certifier, subject = product.id) => {
      people.now = fleet.now / 1000
      const entry = await people.sign(by, `nonconformity.${kind}`, subject, detail)
      const taken = await fleet.decisions.append(entry, people.now)
      people.log.append(entry)
      people.entries.push(entry)
      return taken
    }
    const about = { product: `${product.vendor}/${product.model}`, since: Math.floor(fleet.now / 1000) }
    const confirm = (over: object = {}, by?: Signatory, subject?: string) =>
      append('confirm', exampleNonconformity({ ...about, ...over }), by, subject)
    const withdraw = (by?: Signatory) => append('withdraw', { practice: 'access-control', reason: 'mended' }, by)
    const transitions = async () =>
      (await store().practices.transitions(product.id, { limit: 50 }, 'access-control')).items.map(({ to }) => to)
    return { fleet, confirm, withdraw, transitions, refused: codeOf }
  }
  const codeOf = async (promise: Promise<unknown>): Promise<string> => (await refusalOf(promise)).code

  test('is what the certifier signs, at once and until he takes it back', async () => {
    const { fleet, confirm, withdraw, transitions } = await drifting()
    await confirm()
    const { status, confirmed, explanation } = await fleet.state('access-control')
    expect([status, explanation.reasons[0]?.code]).toEqual(['nonconforming', 'confirmed'])
    expect(confirmed).toEqual({
      by: fleet.people.certifier.id,
      byName: 'Ada',
      at: fleet.now,
      reason: 'seen on site',
    })
    expect(new Set(await fleet.days(12, 'access-control'))).toEqual(new Set(['nonconforming']))
    await withdraw(fleet.people.second)
    expect(await fleet.state('access-control')).toMatchObject({ status: 'drift', confirmed: null, since: fleet.now })
    expect(await transitions()).toEqual(['drift', 'nonconforming', 'drift'])
    const events = await store().notifications.undispatched(50)
    const told = events.filter(({ kind, subject }) => kind === 'practice.changed' && subject === 'access-control')
    expect(told.map(({ severity }) => severity)).toEqual(['high', 'critical', 'high'])
  })

  test('is of what the collector has found in drift, as it has found it', async () => {
    const { fleet, confirm, transitions, refused } = await drifting()
    const practice = 'patch-management'
    expect(await refused(confirm({ practice }))).toBe('nonconformity.not-in-drift')
    expect(await refused(confirm({ practice: 'risk-attitude' }))).toBe('nonconformity.not-in-drift')
    expect(await refused(confirm({}, undefined, 'prd_unknown'))).toBe('nonconformity.not-in-drift')
    expect(await refused(confirm({ since: 1 }))).toBe('nonconformity.facts-mismatch')
    expect(await refused(confirm({ product: 'Acme/Other' }))).toBe('nonconformity.facts-mismatch')
    expect(await refused(confirm({}, fleet.people.vendor))).toBe('decision.role')
    expect(await fleet.state('access-control')).toMatchObject({ status: 'drift', confirmed: null })
    expect(await transitions()).toEqual(['drift'])
    await confirm()
    expect(await refused(confirm())).toBe('nonconformity.confirmed-already')
  })

  test('shows each of its guards before anybody signs', async () => {
    const { fleet } = await drifting()
    const detail = exampleNonconformity({ practice: 'patch-management', product: 'Acme/Other' })
    const { keyId } = fleet.people.certifier.signer
    const decision = { kind: 'nonconformity.confirm', subject: fleet.product.id, detail, at: fleet.now / 1000, keyId }
    const wrong = (await fleet.decisions.rehearse(decision)).filter(({ wrong: said }) => said !== null)
    expect(wrong.map(({ code }) => code)).toEqual(['nonconformity.not-in-drift', 'nonconformity.facts-mismatch'])
  })

  test('is nothing to whoever is bound to another vendor, and cannot be signed by him', async () => {
    const { fleet, confirm } = await drifting()
    const of = (vendor: string) => {
      const scope = { vendor, products: null }
      return decisionsWithin(fleet.decisions, scope, store().within(scope))
    }
    const { product, people } = fleet
    const about = { product: `${product.vendor}/${product.model}`, since: fleet.now / 1000 }
    const detail = exampleNonconformity(about)
    const entry = await people.sign(people.certifier, 'nonconformity.confirm', product.id, detail)
    expect(await codeOf(of('Rival').append(entry, fleet.now / 1000))).toBe('request.not-found')
    await confirm()
    const seen = async (vendor: string) => [
      (await of(vendor).register()).nonconformities.size,
      (await of(vendor).entriesOf(new Set([product.id]))).length,
    ]
    expect([await seen(product.vendor), await seen('Rival')]).toEqual([
      [1, 1],
      [0, 0],
    ])
  })

  test('is what the log says, whatever the database had kept beside it', async () => {
    const { fleet, confirm } = await drifting()
    const before = await fleet.state('access-control')
    const unsigned = { by: 'api_x', byName: 'Eve', at: fleet.now, reason: 'not signed' }
    const forged = { ...before, confirmed: unsigned, status: 'nonconforming' } as const
    await store().practices.saveState(fleet.product.id, 'access-control', forged)
    expect(await fleet.days(1, 'access-control')).toEqual(['drift'])
    await confirm({ since: Math.floor(fleet.now / 1000) })
    // Restored from before the decision: the log has it, the state does not.
    await store().practices.saveState(fleet.product.id, 'access-control', before)
    expect(await fleet.days(1, 'access-control')).toEqual(['nonconforming'])
    const { nonconformities } = await new DecisionBook(store()).register()
    expect([...nonconformities.values()]).toMatchObject([{ productId: fleet.product.id, withdrawn: null }])
  })

  const AGREED = { agreement: { nonconformingAfterDays: 14 } }
  const PRACTICE = 'access-control'

  test('is agreed for a drift that lasts for longer than so many days, and ends with it', async () => {
    const { fleet } = await drifting(AGREED)
    expect(new Set(await fleet.days(14, PRACTICE))).toEqual(new Set(['drift']))
    expect(await fleet.days(1, PRACTICE)).toEqual(['nonconforming'])
    const { explanation, confirmed } = await fleet.state(PRACTICE)
    expect([explanation.reasons[0]?.code, explanation.reasons[0]?.since, confirmed]).toEqual([
      'drift-too-long',
      '2026-05-01',
      null,
    ])
    const device = fleet.devices.at(-1) ?? expect.fail()
    const { postureDigest: open, release } = await store().devices.stateOf(device.id)
    const mend = (postureDigest: Uint8Array | null) => fleet.set(device, { postureDigest, release })
    await mend(await fleet.posture())
    expect((await fleet.days(8, PRACTICE)).at(-1)).toBe('conforming')
    // The next drift has all of its days again.
    await mend(open)
    const again = await fleet.days(16, PRACTICE)
    expect(again.indexOf('drift')).toBeLessThan(4)
    expect(again.slice(again.indexOf('drift'), again.indexOf('drift') + 15)).toEqual(Array(14).fill('drift'))
  })

  test('is agreed for practices that count alone', async () => {
    const access = { target: { level: 2, scope: 'industry' }, priority: 'may' } as const
    const profile = profileDocument({ practices: { [PRACTICE]: access } })
    const { fleet } = await drifting({ ...AGREED, profile })
    expect(new Set(await fleet.days(20, PRACTICE))).toEqual(new Set(['drift']))
  })

  test('stays by what was agreed when the certifier takes his word back', async () => {
    const { fleet, confirm, withdraw } = await drifting(AGREED)
    await confirm()
    await fleet.days(15, PRACTICE)
    expect((await fleet.state(PRACTICE)).explanation.reasons.map(({ code }) => code).slice(0, 2)).toEqual([
      'confirmed',
      'drift-too-long',
    ])
    await withdraw()
    expect(await fleet.state(PRACTICE)).toMatchObject({ status: 'nonconforming', confirmed: null })
  })
})

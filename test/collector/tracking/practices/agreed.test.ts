import { expect, it } from 'vitest'
import { conformityOf } from '../../../../collector/tracking/practices/conformity-of.ts'
import { profileDocument, decideIn, type ProfileInput } from '../../../support/certified-profile.ts'
import { DAY, PracticeFleet } from '../../../support/practice-fleet.ts'
import { withoutPassword } from '../../../support/postures.ts'
import { describeStore } from '../../store/support.ts'
import type { Store } from '../../../../collector/store/index.ts'

const PATCH = 'patch-management'
const target = (level: number) => ({ level, scope: 'system' }) as const

/** A fleet with everything as it should be. */
async function goodFleet(store: Store, certifying: Parameters<typeof PracticeFleet.certified>[1] = {}) {
  const fleet = await PracticeFleet.certified(store, certifying)
  const release = await fleet.release('1.0', 1)
  await fleet.add(10, { postureDigest: await fleet.posture(), ...fleet.runs(release) })
  return fleet
}
const withProfile = (over: ProfileInput) => ({ profile: profileDocument(over) })
const codes = async (fleet: PracticeFleet, practice: typeof PATCH | 'access-control') =>
  (await fleet.state(practice)).explanation.reasons.map(({ code, document, condition }) =>
    [code, document ?? condition].join(' '),
  )
async function certificateConformity(fleet: PracticeFleet) {
  const register = await fleet.decisions.register()
  const certificate = register.certificates.get('crt_1')
  if (certificate === undefined) throw new Error('no certificate')
  return conformityOf(fleet.store, register, certificate, fleet.now)
}

describeStore('what is agreed about a product', (createStore) => {
  it('asks for accepted documents, and lets one lapse after its grace', async () => {
    const fleet = await goodFleet(createStore(), { documents: ['patch-policy'] })
    await fleet.evaluate()
    expect((await fleet.state(PATCH)).status).toBe('unknown')
    expect(await codes(fleet, PATCH)).toContain('document-missing emergency-patch-procedure')
    const { people, store, product } = fleet
    const detail = {
      kind: 'emergency-patch-procedure',
      practices: [PATCH],
      criterion: 'c',
      statement: 's',
      file: { name: 'a.pdf', sha256: '00'.repeat(32) },
      capacity: 'head',
      products: [`${product.vendor}/${product.model}`],
      issued: people.now,
      validUntil: people.now + (20 * DAY) / 1000,
      supersedes: null,
    }
    await decideIn(store, people, people.vendor, 'document.submit', 'doc_late', detail)
    await fleet.days(1, PATCH)
    // Submitted is not accepted.
    expect(await codes(fleet, PATCH)).toContain('document-missing emergency-patch-procedure')
    await decideIn(store, people, people.second, 'document.accept', 'doc_late', { reason: 'read' })
    expect((await fleet.days(10, PATCH)).at(-1)).toBe('conforming')
    // In grace from day 20, expired from day 34, lapsed from day 48.
    expect((await fleet.days(14, PATCH)).at(-1)).toBe('at-risk')
    expect((await fleet.days(12, PATCH)).at(-1)).toBe('unknown')
    expect((await fleet.days(16, PATCH)).at(-1)).toBe('drift')
  })

  it('asks for documents that the profile alone names, and takes its objectives', async () => {
    const practices: ProfileInput['practices'] = {
      [PATCH]: { target: target(3), priority: 'must', documents: ['change-procedure'] },
      'access-control': {
        target: target(2),
        priority: 'must',
        slo: { 'access.no-empty-password': { targetPermille: 500 } },
      },
    }
    const fleet = await PracticeFleet.certified(createStore(), withProfile({ practices }))
    const open = await fleet.posture({ access: withoutPassword() })
    await fleet.add(8, { postureDigest: await fleet.posture() })
    await fleet.add(2, { postureDigest: open })
    await fleet.evaluate()
    expect(await codes(fleet, PATCH)).toContain('document-missing change-procedure')
    const reasons = (await fleet.state('access-control')).explanation.reasons
    expect(reasons.filter(({ signal }) => signal === 'access.no-empty-password')).toEqual([])
  })

  it('holds no level by a limitation whose compensation fails or is not known, and is at risk by an assumption', async () => {
    const limitation = (id: string, check: object | null) => ({
      id,
      title: id,
      reason: 'r',
      practices: [PATCH],
      compensation: check === null ? null : { text: 'the firewall', check },
      public: true,
    })
    const fact = (equals: boolean) => ({ kind: 'section-fact', section: 'access', fact: ['nothing'], equals })
    const limitations = [
      limitation('by-signal', { kind: 'signal', signal: 'access.no-empty-password' }),
      limitation('by-document', { kind: 'document', document: 'patch-policy' }),
      limitation('by-fact', fact(true)),
      limitation('bare', null),
    ] as ProfileInput['limitations']
    const assumptions = [
      {
        id: 'no-guest',
        text: 't',
        practices: ['access-control'],
        check: { kind: 'signal', signal: 'access.no-empty-password' },
      },
      { id: 'cabinet', text: 't' },
    ] as ProfileInput['assumptions']
    const fleet = await goodFleet(createStore(), withProfile({ limitations, assumptions }))
    await fleet.evaluate()
    const states = async () =>
      (await fleet.store.practices.evaluation(fleet.product.id))?.conditions.map(({ id, state }) => `${id} ${state}`)
    expect((await states())?.sort()).toEqual([
      'bare uncompensated',
      'by-document covered',
      'by-fact unknown',
      'by-signal covered',
      'cabinet unmonitored',
      'no-guest holds',
    ])
    expect(await codes(fleet, PATCH)).toEqual(['limitation-unknown by-fact'])
    expect((await fleet.state(PATCH)).status).toBe('unknown')
    const open = await fleet.posture({ access: withoutPassword() })
    for (const device of fleet.devices) await fleet.set(device, { postureDigest: open })
    await fleet.days(1, PATCH)
    expect(await states()).toContain('by-signal uncovered')
    expect(await states()).toContain('no-guest broken')
    expect(await codes(fleet, PATCH)).toContain('limitation-uncovered by-signal')
    expect(await codes(fleet, 'access-control')).toContain('assumption-broken no-guest')
  })

  it('leaves nothing supported by a profile that is not here', async () => {
    const fleet = await goodFleet(createStore(), { isHere: false })
    await fleet.evaluate()
    expect((await fleet.state(PATCH)).status).toBe('unknown')
    expect(await codes(fleet, PATCH)).toContain('profile-missing pro_gateway 1')
  })

  it('counts for the certificate by its priority, and is unknown when nobody has evaluated it lately', async () => {
    const practices = {
      [PATCH]: { target: target(3), priority: 'must' },
      'access-control': { target: target(2), priority: 'may' },
    } as const
    const fleet = await PracticeFleet.certified(createStore(), withProfile({ practices }))
    const release = await fleet.release('1.0', 1)
    const open = await fleet.posture({ access: withoutPassword() })
    await fleet.add(10, { postureDigest: open, ...fleet.runs(release) })
    expect(await certificateConformity(fleet)).toMatchObject({ overall: 'unknown' })
    await fleet.evaluate()
    const found = await certificateConformity(fleet)
    expect(found).toMatchObject({ overall: 'conforming', counting: [PATCH], products: [{ overall: 'conforming' }] })
    expect(found.practices.get('access-control')).toBe('drift')
    fleet.now += 3 * DAY
    expect(await certificateConformity(fleet)).toMatchObject({ overall: 'unknown' })
  })
})

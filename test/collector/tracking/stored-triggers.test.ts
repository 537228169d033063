import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import type { CaseWatchOptions } from '../../../collector/tracking/cases/watch.ts'
import { CaseWatch } from '../../../collector/tracking/cases/watch.ts'
import type { Store } from '../../../collector/store/index.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import type { CaseState } from '../../../shared/decisions/cases/case.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import type { SectionContents } from '../../../shared/posture/sections.ts'
import { decideIn, profileDocument, type ProfileInput } from '../../support/certified-profile.ts'
import {
  acceptDocument,
  approveProfile,
  certified,
  DecidingPeople,
  issueCertificate,
} from '../../support/decision-log.ts'
import { goodPosture, withoutPassword } from '../../support/postures.ts'
import { DAY, PracticeFleet } from '../../support/practice-fleet.ts'
import { bytes, NOW, storedDevice, storedProduct } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

/** Facts that are stored, looked at by the watch: each test fails when what it stores is not handed to its trigger. */

async function watchOf(fleet: PracticeFleet, over: Partial<CaseWatchOptions> = {}) {
  const watch = new CaseWatch({
    store: fleet.store,
    decisions: fleet.decisions,
    clock: () => fleet.now,
    random: randomBytes,
    logger: pino({ level: 'silent' }),
    isLeader: async () => true,
    silentAfterMs: fleet.silentAfterMs,
    catalogue: defaultCatalogue,
    ...over,
  })
  /** Cases by trigger after another look, newest last. */
  const look = async (...causes: readonly string[]) => {
    await watch.look()
    const all = (await fleet.store.cases.list({ limit: 100 })).items.toReversed()
    return all.filter(({ cause }) => causes.includes(cause))
  }
  return look
}

async function fleetOf(store: Store, profile: ProfileInput = {}, posture: Partial<SectionContents> = {}) {
  const fleet = await PracticeFleet.certified(store, { profile: profileDocument(profile) })
  const release = await fleet.release('1.0', 1)
  const devices = await fleet.add(10, { postureDigest: await fleet.posture(posture), ...fleet.runs(release) })
  return { fleet, release, devices }
}

const passDays = (fleet: PracticeFleet, count: number): void => {
  fleet.now += count * DAY
  fleet.people.now += (count * DAY) / 1000
}

const setAll = async (fleet: PracticeFleet, posture: Partial<SectionContents>) => {
  const postureDigest = await fleet.posture(posture)
  for (const device of fleet.devices) await fleet.set(device, { postureDigest })
}

const close = (store: Store, id: string, state: CaseState = 'closed') => store.cases.setState(id, state)

const bySignal = { kind: 'signal', signal: 'access.no-empty-password' } as const
const CONDITIONS: ProfileInput = {
  limitations: [
    {
      id: 'no-locks',
      title: 'accounts are not locked',
      reason: 'r',
      practices: ['access-control'],
      compensation: { text: 'passwords are set', check: bySignal },
      public: true,
    },
  ],
  assumptions: [{ id: 'no-guest', text: 'nobody enters without a password', check: bySignal }],
}

describeStore('what is stored', (store) => {
  test('T5: opens a case of a release in force that nobody has searched, or too long ago', async () => {
    const { fleet, release } = await fleetOf(store())
    const look = await watchOf(fleet)
    expect(await look('analysis.missing', 'analysis.old')).toEqual([])
    passDays(fleet, 30)
    expect(await look('analysis.missing')).toMatchObject([{ trigger: 'T5', releaseId: release.id }])
    // Of another release, and of one that is called like none.
    await fleet.record('vulnerabilities-analysed', { release: '0.9' })
    expect(await look('analysis.missing', 'analysis.old')).toHaveLength(1)
    await fleet.record('vulnerabilities-analysed', { release: '1.0' })
    passDays(fleet, 365)
    expect(await look('analysis.old')).toMatchObject([{ releaseId: release.id }])
  })

  test('T6: opens a case of the last key of a keyring that updates are trusted by, once for each key', async () => {
    const { fleet } = await fleetOf(store())
    const look = await watchOf(fleet)
    expect(await look('update-key.expires-soon')).toEqual([])
    const expires = (days: number) => Math.floor(fleet.now / 1000) + days * 86_400
    const keys = [
      { fingerprint: 'A'.repeat(40), expires: expires(-400) },
      { fingerprint: 'B'.repeat(40), expires: expires(61) },
    ]
    const other = { path: '/unused.gpg', trustedForAll: false, status: 'read', keys: [{ ...keys[0] }] }
    const [channel] = goodPosture()['update-channel'].channels
    const keyrings = [{ path: '/keys.gpg', trustedForAll: true, status: 'read', keys }, other]
    await setAll(fleet, { 'update-channel': { channels: [{ ...channel, keyrings }] } as never })
    expect(await look('update-key.expires-soon')).toEqual([])
    passDays(fleet, 1)
    const [first] = await look('update-key.expires-soon')
    expect(first).toMatchObject({ trigger: 'T6', facts: { details: { key: 'B'.repeat(40) } } })
    await close(store(), first?.id ?? '')
    expect(await look('update-key.expires-soon')).toHaveLength(1)
  })

  test('T8: opens a case of a document that ended before its time, and none while another one stands for it', async () => {
    const { fleet } = await fleetOf(store())
    const look = await watchOf(fleet)
    expect(await look('document.expired')).toEqual([])
    const { people } = fleet
    const ending = { trigger: 'owner-left', reason: 'the head of development has left' }
    await acceptDocument(people, 'doc_second', { products: [`${fleet.product.vendor}/${fleet.product.model}`] })
    for (const entry of people.entries.slice(-2))
      await store().decisions.append(people.entries.indexOf(entry), entry, 0)
    await decideIn(store(), people, people.vendor, 'document.expire-early', 'doc_patch-policy', ending)
    expect(await look('document.expired')).toEqual([])
    await decideIn(store(), people, people.vendor, 'document.expire-early', 'doc_second', ending)
    const found = await look('document.expired')
    expect(found.map(({ subject }) => subject.split(' ')[0]).sort()).toEqual(['doc_patch-policy', 'doc_second'])
    expect(found[0]).toMatchObject({ trigger: 'T8', facts: { details: { document: found[0]?.subject.split(' ')[0] } } })
    for (const { id } of found) await close(store(), id, 'dismissed')
    expect(await look('document.expired')).toHaveLength(2)
  })

  test('T8: opens a case when a document expires, a review of the profile or an exercise is overdue', async () => {
    const practices = {
      'patch-management': { target: { level: 3, scope: 'system' }, priority: 'must' },
      'event-detection-and-response-plan': { target: { level: 3, scope: 'system' }, priority: 'must' },
    } as const
    const { fleet } = await fleetOf(store(), { practices })
    const look = await watchOf(fleet)
    passDays(fleet, 179)
    expect(await look('review.overdue')).toEqual([])
    await fleet.record('drill-held')
    passDays(fleet, 1)
    expect(await look('review.overdue')).toMatchObject([{ facts: { details: { document: 'review of pro_gateway' } } }])
    passDays(fleet, 179)
    expect(await look('review.overdue', 'document.expired')).toHaveLength(2)
    passDays(fleet, 6)
    const subjects = (await look('review.overdue', 'document.expired')).map(({ subject }) => subject.split(' ')[0])
    expect(subjects.sort()).toEqual(['doc_emergency-patch-procedure', 'doc_patch-policy', 'drill', 'review'])
  })

  test('T8: opens a case of a document whose signer was revoked and that still counts', async () => {
    const { fleet } = await fleetOf(store())
    const look = await watchOf(fleet)
    expect(await look('document.signer-revoked')).toEqual([])
    const { people } = fleet
    await decideIn(store(), people, people.certifier, 'person.revoke', people.vendor.id, { reason: 'has left' })
    const found = await look('document.signer-revoked')
    expect(found.map(({ subject }) => subject).sort()).toEqual(['doc_emergency-patch-procedure', 'doc_patch-policy'])
    expect(await look('document.signer-revoked')).toHaveLength(2)
  })

  test('T9: opens a case of an incident that was recorded, and none of one before the certificate', async () => {
    const { fleet } = await fleetOf(store())
    const look = await watchOf(fleet)
    await fleet.record('incident-detected', { incident: 'INC-17', severity: 'high' })
    fleet.now -= 10 * DAY
    await fleet.record('incident-detected', { incident: 'INC-1', severity: 'critical' })
    fleet.now += 10 * DAY
    const [found, ...others] = await look('incident.reported')
    expect(found).toMatchObject({ trigger: 'T9', subject: 'INC-17', severity: 'high' })
    expect(others).toEqual([])
    await close(store(), found?.id ?? '')
    expect(await look('incident.reported')).toHaveLength(1)
  })

  test('T10 and T11: open a case of a measure that fails and of an assumption that breaks, again when it comes anew', async () => {
    const { fleet } = await fleetOf(store(), CONDITIONS)
    const look = await watchOf(fleet)
    const both = ['compensation.failing', 'assumption.broken'] as const
    await fleet.evaluate()
    expect(await look(...both)).toEqual([])
    const evaluated = async (posture: Partial<SectionContents>) => {
      passDays(fleet, 1)
      await setAll(fleet, posture)
      await fleet.evaluate()
      return look(...both)
    }
    const found = await evaluated({ access: withoutPassword() })
    expect(found.map(({ trigger, subject }) => [trigger, subject]).sort()).toEqual([
      ['T10', 'no-locks'],
      ['T11', 'no-guest'],
    ])
    expect(await look(...both)).toHaveLength(2)
    for (const { id } of found) await close(store(), id)
    // The same fact: people have decided about it.
    expect(await evaluated({ access: withoutPassword() })).toHaveLength(2)
    // Nobody has seen it mended: an evaluation that is too old, and a fleet that does not tell.
    passDays(fleet, 5)
    expect(await look(...both)).toHaveLength(2)
    const untold = { ...goodPosture().access, accounts: { missing: 'no-permission' } } as const
    expect(await evaluated({ access: untold })).toHaveLength(2)
    expect(await evaluated({ access: withoutPassword() })).toHaveLength(2)
    // It was mended, and breaks once more.
    expect(await evaluated({})).toHaveLength(2)
    expect(await evaluated({ access: withoutPassword() })).toHaveLength(4)
  })

  test('T12: opens a case of hardware, a release and a model that the line of a certificate does not list', async () => {
    const people = await DecidingPeople.begin(NOW / 1000)
    await approveProfile(people, 1, 3)
    const member = certified('Acme/Gate 7', true, { hardwareRevisions: ['B'], firmwareLines: ['1.*'] })
    await issueCertificate(people, 'crt_1', { products: [member, certified('Acme/Mini')] })
    for (const [index, entry] of people.entries.entries()) await store().decisions.append(index, entry, NOW)
    const fleet = PracticeFleet.of(store(), await storedProduct(store(), { vendor: 'Acme', model: 'Gate 7' }))
    const look = await watchOf(fleet)
    const [good, fork] = [await fleet.release('1.0', 1), await fleet.release('2.0-fork', 2)]
    await fleet.add(5, fleet.runs(good))
    expect(await look('line.diverged', 'line.unlisted')).toEqual([])
    await fleet.add(2, fleet.runs(fork))
    await fleet.add(3, fleet.runs(good), { hardwareRevision: 'D' })
    const nine = await storedProduct(store(), { vendor: 'Acme', model: 'Gate 9' })
    const unit = await storedDevice(store(), 'nine', nine.id)
    await store().devices.saveState(unit.id, initialDeviceState)
    const found = await look('line.diverged', 'line.unlisted')
    const told = found.map(({ productId, releaseId, cause, subject, facts }) => {
      const product = productId === nine.id ? 'Gate 9' : 'Gate 7'
      return [product, cause, subject, releaseId, facts['details']]
    })
    expect(told.sort()).toEqual([
      ['Gate 7', 'line.diverged', 'code base', fork.id, { release: '2.0-fork', units: 2 }],
      ['Gate 7', 'line.unlisted', 'D', null, { revision: 'D', units: 3 }],
      ['Gate 9', 'line.unlisted', 'model', null, { units: 1 }],
    ])
  })

  test('T15: opens a case of units that were revoked and go on reporting a day later', async () => {
    const { fleet } = await fleetOf(store())
    const look = await watchOf(fleet)
    const gone = await storedDevice(store(), 'gone', fleet.product.id, { enrolment: 'revoked', revokedAt: fleet.now })
    const refused = (ms: number, code = 'identity.revoked') =>
      store().refusals.insert({
        ueid: gone.ueid,
        topic: 't',
        code,
        hash: bytes('h'),
        receivedAt: fleet.now + ms,
        bytes: new Uint8Array(1),
      })
    await refused(60_000)
    await refused(3 * DAY, 'cbor.truncated')
    expect(await look('identity.revoked-key')).toEqual([])
    await refused(2 * DAY)
    passDays(fleet, 2)
    expect(await look('identity.revoked-key')).toMatchObject([
      { trigger: 'T15', facts: { details: { count: 1, units: [gone.ueid] } } },
    ])
  })

  test('T17: opens a case for a new version of the catalogue or of a standard since the certificate was issued', async () => {
    const { fleet } = await fleetOf(store())
    const look = await watchOf(fleet)
    expect(await look('catalogue.changed')).toEqual([])
    passDays(fleet, 10)
    const frameworks = { ...defaultCatalogue.frameworks, 'new-law': { title: 'a law', version: '2027' } }
    const newer = await watchOf(fleet, { catalogue: { ...defaultCatalogue, version: '2.0', frameworks } })
    const found = await newer('catalogue.changed')
    expect(found.map(({ subject }) => subject).sort()).toEqual(['catalogue 2.0', 'new-law 2027'])
    for (const { id } of found) await close(store(), id)
    expect(await newer('catalogue.changed')).toHaveLength(2)
  })

  test('T14: counts against the units that the vendor declares, and against the enrolled ones where he declares fewer', async () => {
    const { fleet } = await fleetOf(store())
    const look = await watchOf(fleet)
    const declare = (declared: number) =>
      store().practices.setUnits(fleet.product.id, { declared, retireAfterDays: 365, setAt: fleet.now, setBy: 'api_v' })
    await declare(5)
    expect(await look('coverage.low')).toEqual([])
    const question = { productId: fleet.product.id, code: null, since: 0, releaseOrder: null }
    expect(await store().fleetProof.ask(question)).toEqual({ declared: 10, basis: 'enrolled', enrolled: 10, shown: 10 })
    await declare(20)
    expect(await look('coverage.low')).toMatchObject([
      { trigger: 'T14', facts: { details: { declared: 20, basis: 'declared', reporting: 10 } } },
    ])
    expect(await store().fleetProof.ask(question)).toEqual({ declared: 20, basis: 'declared', enrolled: 10, shown: 10 })
  })

  test('opens no second case of what still stands after the first was closed, and one when it came anew', async () => {
    const { fleet, devices } = await fleetOf(store())
    const look = await watchOf(fleet, { silentAfterMs: DAY })
    const report = async (count: number) => {
      for (const [index, device] of devices.entries())
        await fleet.set(device, { lastFreshAt: index < count ? fleet.now : fleet.now - 3 * DAY })
    }
    await report(9)
    const [first] = await look('coverage.low')
    await close(store(), first?.id ?? '')
    expect(await look('coverage.low')).toHaveLength(1)
    await report(10)
    expect(await look('coverage.low')).toHaveLength(1)
    await report(9)
    expect(await look('coverage.low')).toHaveLength(2)
  })
})

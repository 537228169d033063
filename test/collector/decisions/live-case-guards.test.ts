import { expect, test } from 'vitest'
import { randomBytes } from 'node:crypto'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { decisionsWithin } from '../../../collector/decisions/decisions-within.ts'
import { identityOf } from '../../../collector/decisions/live-case-guards.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import type { Store } from '../../../collector/store/index.ts'
import { openCases } from '../../../collector/tracking/cases/open.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
import { certify, DAY, signatory, type DecidingPeople, type Signatory } from '../../support/decision-log.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { finding, storedDevice, storedProduct } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

/** A certified product with units, one finding on the first of them, and the case that it opened. */
async function opened(store: Store, units = 4) {
  const product = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
  const people = await certify(store, 'Acme/Gate 7')
  const book = new DecisionBook(store)
  const devices = []
  for (let index = 0; index < units; index++) devices.push(await storedDevice(store, `unit ${index}`, product.id))
  const [device] = devices
  if (device === undefined) throw new Error('no unit')
  const found = finding(device.id, { code: 'boot.pcr-changed', subject: 'pcr/sha256/4' })
  await store.findings.insert(found)
  const now = people.now * 1000
  await openCases(store, device, found, now, { decisions: book, random: randomBytes })
  const [record] = (await store.cases.list({ limit: 1 })).items
  if (record === undefined) throw new Error('no case')
  const append = async (by: Signatory, step: string, detail: unknown) => {
    // Appended to this book alone: the log of the people follows what it took.
    const entry = await people.sign(by, `case.${step}`, record.id, detail)
    await book.append(entry, people.now)
    people.log.append(entry)
  }
  const triage = { case: { ...identityOf(record) }, severity: record.severity, outcome: 'accepted', reason: 'r' }
  return { product, people, book, devices, found, record, append, triage }
}

const report = (store: Store, deviceId: number, at: number, over = {}) =>
  store.devices.saveState(deviceId, { ...initialDeviceState, verdict: 'affirming', lastFreshAt: at * 1000, ...over })

const practices = ['patch-management']

const IMPACT = {
  summary: 's',
  from: null,
  to: null,
  changes: [],
  practices,
  affectedEvidence: [],
  proposedClass: 'minor',
}

async function untilFixed(
  { append, triage, people }: Awaited<ReturnType<typeof opened>>,
  release: string | null = null,
) {
  const { vendor, certifier } = people
  await append(vendor, 'triage', triage)
  await append(vendor, 'impact', IMPACT)
  const scope = { practices, criteria: [], class: 'minor', severity: 'high', recommendations: [], reason: 'r' }
  await append(certifier, 'scope', scope)
  const until = people.now + DAY
  await append(vendor, 'plan', { actions: [{ what: 'w', owner: 'o', due: until }], until })
  await append(vendor, 'fixed', { fixedAt: people.now, what: 'w', release })
}

const verification = (people: DecidingPeople, shown: number, declared: number, since = people.now) => ({
  results: practices.map((practice) => ({ practice, result: 'r' })),
  fleet: { since, shown, declared },
  documents: [],
})

describeStore('a collector', (store) => {
  test('opens a case with facts whose digest a decision has to name', async () => {
    const { people, record, append, triage } = await opened(store())
    expect(record).toMatchObject({ trigger: 'T1', severity: 'high', state: 'triggered', certificateId: 'crt_1' })
    const changed = { ...triage, case: { ...triage.case, facts: '00'.repeat(32) } }
    expect((await refusalOf(append(people.vendor, 'triage', changed))).code).toBe('case.facts-mismatch')
    const milder = { ...triage, severity: 'low' }
    expect((await refusalOf(append(people.vendor, 'triage', milder))).code).toBe('case.facts-mismatch')
    await append(people.vendor, 'triage', triage)
    expect((await store().cases.byId(record.id))?.case.state).toBe('triaged')
  })

  test('takes no step of a case by somebody who is bound to another vendor, though the step names no product', async () => {
    const { people, book, record, append, triage } = await opened(store())
    await append(people.vendor, 'triage', triage)
    const impact = { ...IMPACT, summary: 'by somebody else' }
    const entry = await people.sign(people.vendor, 'case.impact', record.id, impact)
    const within = (vendor: string) => {
      const scope = { vendor, products: null }
      return decisionsWithin(book, scope, store().within(scope))
    }
    expect((await refusalOf(within('Rival').append(entry, people.now))).code).toBe('request.not-found')
    expect((await store().cases.byId(record.id))?.case.state).toBe('triaged')
    await within('Acme').append(entry, people.now)
    expect((await store().cases.byId(record.id))?.case.state).toBe('impact-analysis')
  })

  test('takes no decision about a case that it has not opened', async () => {
    const { people, book, triage } = await opened(store())
    const entry = await people.sign(people.vendor, 'case.triage', 'cas_invented', triage)
    expect((await refusalOf(book.append(entry, people.now))).code).toBe('case.unknown')
    expect((await book.register()).cases.size).toBe(0)
    expect((await book.next()).index).toBe(people.entries.length)
  })

  test('counts for a fix the units that show it by evidence of after it, and takes no claim of more', async () => {
    const work = await opened(store())
    const { people, devices, found, append, record } = work
    people.days(1)
    await untilFixed(work)
    const before = people.now - 1
    people.days(1)
    const [one, two, three, four] = devices.map(({ id }) => id) as [number, number, number, number]
    await report(store(), one, people.now)
    await report(store(), two, people.now)
    await report(store(), three, before)
    await report(store(), four, people.now, { verdict: 'not-appraised' })
    // The finding of the first is not resolved, the third has shown nothing since, the fourth was not appraised.
    const fixedAt = work.people.log.register.cases.get(record.id)?.fix?.fixedAt
    const claim = (shown: number, declared = 4) =>
      append(people.second, 'verify', verification(people, shown, declared, fixedAt))
    expect((await refusalOf(claim(4))).code).toBe('case.share-overstated')
    expect((await refusalOf(claim(1, 1))).code).toBe('case.share-overstated')
    expect((await refusalOf(claim(1))).code).toBe('case.share-too-small')
    await store().findings.setState(found.id, 'resolved', people.now * 1000)
    await report(store(), three, people.now)
    await report(store(), four, people.now)
    await claim(4)
    expect((await store().cases.byId(record.id))?.case.state).toBe('assessor-decision')

    // Before it is closed one unit falls back.
    await store().findings.insert(finding(three, { code: found.code }))
    const close = () => append(people.certifier, 'decide', { outcome: 'closed', reason: 'r' })
    expect((await refusalOf(close())).code).toBe('case.share-too-small')
    const [again] = await store().findings.openOf(three)
    await store().findings.setState(again?.id ?? '', 'resolved', people.now * 1000)
    await close()
    expect((await store().cases.byId(record.id))?.case.state).toBe('closed')
  })

  test('takes no fix by a release that is not in force', async () => {
    const work = await opened(store())
    expect((await refusalOf(untilFixed(work, 'rel_none'))).code).toBe('case.release-unknown')
  })

  test('shows before anybody signs which guards would hold, its own among them', async () => {
    const { people, book, record, triage } = await opened(store())
    const keyId = people.vendor.signer.keyId
    const intended = { kind: 'case.triage', subject: record.id, at: people.now, keyId }
    const shown = await book.rehearse({ ...intended, detail: { ...triage, severity: 'low' } })
    expect(shown.filter(({ wrong }) => wrong !== null).map(({ code }) => code)).toEqual(['case.facts-mismatch'])
    expect((await book.rehearse({ ...intended, detail: triage })).every(({ wrong }) => wrong === null)).toBe(true)
    expect((await store().decisions.from(people.entries.length, 1)).length).toBe(0)
  })

  test('lets one of two who decide about a case at once be first, and tells the other', async () => {
    const { people, record, triage } = await opened(store())
    const other = signatory('per_other', 'vendor')
    const books = [new DecisionBook(store()), new DecisionBook(store())] as const
    await books[0].append(
      await people.sign(people.certifier, 'person.add', other.id, newPerson('Olga', 'vendor', other.key)),
      people.now,
    )
    people.log.append((await store().decisions.from(people.entries.length, 1))[0] ?? new Uint8Array())
    const entries = await Promise.all([
      people.sign(people.vendor, 'case.triage', record.id, triage),
      people.sign(other, 'case.triage', record.id, { ...triage, outcome: 'dismissed' }),
    ])
    const outcomes = await Promise.allSettled(entries.map((entry, index) => books[index]?.append(entry, people.now)))
    const refused = outcomes.find(({ status }) => status === 'rejected')
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(['log.moved-on', 'log.broken-link']).toContain(
      (refused as PromiseRejectedResult | undefined)?.reason.code as string,
    )
    const state = (await books[0].register()).cases.get(record.id)?.state
    expect((await store().cases.byId(record.id))?.case.state).toBe(state)
  })
})

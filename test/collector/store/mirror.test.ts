import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { ecdsaKey, ed25519Key, hash, rsaKey } from '../../../shared/crypto/node.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { signMirrorPage, type MirrorPage } from '../../../shared/mirror/page.ts'
import { MirrorReader } from '../../../shared/mirror/reader.ts'
import { reportOf } from '../../../shared/mirror/report.ts'
import { mirrorPage } from '../../../collector/tracking/mirror.ts'
import type { Store } from '../../../collector/store/index.ts'
import { IngestingCollector, START, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { QuotingTpm } from '../../support/quoting-tpm.ts'
import { SoftwareDevice } from '../../support/software-device.ts'
import { loadCddl, wireFormatText } from '../../support/cddl.ts'
import { describeStore } from './support.ts'

describeStore('the mirror', (createStore) => {
  const keys = useCollectorKeys()
  const collectorKey = () => ({
    key: ed25519Key(keys().publicKey.x),
    thumbprint: coseKeyThumbprint(keys().publicKey, hash),
  })
  const newReader = () => new MirrorReader([collectorKey()], { hash, ed25519Key, ecdsaKey, rsaKey })
  const sign = (page: MirrorPage) => signMirrorPage(page, keys().signer)

  const pageFor = (store: Store, reader: MirrorReader, operator = '') =>
    mirrorPage(store, {
      after: reader.until,
      previous: reader.head,
      collectorId: keys().collectorId,
      operator,
      now: START,
    })

  /** Two devices, of which one proves itself by a TPM; one message in four is kept. */
  async function fleet(store: Store) {
    const collector = new IngestingCollector(store, keys(), { history: { keepOneIn: 4 } })
    await collector.product()
    await collector.epoch()
    const tpm = new QuotingTpm()
    const quoting = await collector.device({ tpm }, { identity: 'tpm-tofu' })
    const plain = await collector.device({ tpm: null })
    for (const device of [quoting, plain]) await collector.approved(device)
    for (let n = 0; n < 9; n++) {
      await collector.report(quoting)
      await collector.report(plain)
    }
    await store.practices.setUnits(collector.productId, { declared: 2, retireAfterDays: 30, setAt: START, setBy: 'v' })
    return { collector, quoting, plain }
  }

  const codeOf = (action: () => unknown): string => {
    try {
      action()
    } catch (error) {
      if (error instanceof KeepsealError) return error.code
      throw error
    }
    return 'nothing thrown'
  }

  it('hands over devices, kept evidence with its runs, and units, all of which hold', async () => {
    const store = createStore()
    await fleet(store)
    const reader = newReader()
    const bytes = await sign(await pageFor(store, reader))
    expect(loadCddl(wireFormatText()).check('mirror-page', bytes)).toBeUndefined()
    reader.add(bytes)
    const report = reportOf(reader)
    expect(report).toMatchObject({ problems: [], gaps: [], pages: 1 })
    expect(report.products).toMatchObject([{ declaredUnits: 2, devices: 2, devicesWithEvidence: 2, quotesFailed: 0 }])
    const [product] = report.products
    expect(product?.evidenceCounted).toBeGreaterThan(18)
    expect(product?.quotesGood).toBeGreaterThan(0)
    // Everything is here: the next page is empty, and follows.
    const next = await pageFor(store, reader)
    expect(next.evidence).toEqual([])
    reader.assertFollows(next)
  })

  it('tells a run that has ended at its whole length, also that of an agent which was restarted', async () => {
    const store = createStore()
    const { collector, plain } = await fleet(store)
    const reader = newReader()
    reader.add(await sign(await pageFor(store, reader)))
    const before = reportOf(reader).products[0]?.evidenceCounted ?? 0
    await collector.report(plain)
    plain.restart()
    await collector.report(plain)
    reader.add(await sign(await pageFor(store, reader)))
    expect(reportOf(reader)).toMatchObject({ problems: [], gaps: [] })
    expect(reportOf(reader).products[0]?.evidenceCounted).toBeGreaterThanOrEqual(before + 2)
  })

  it('keeps the earlier keys of a device that was enrolled again', async () => {
    const store = createStore()
    const { collector, plain } = await fleet(store)
    const other = await collector.device({ tpm: null })
    const row = await store.devices.byUeid(plain.ueid)
    if (row === undefined) throw new Error('no device')
    await store.devices.updateKeys(row.id, { ...row, deviceKey: other.publicKey.map((x) => x ^ 1) })
    const reader = newReader()
    reader.add(await sign(await pageFor(store, reader)))
    expect(reader.problems.filter(({ detail }) => detail.includes('never had the key'))).toEqual([])
    expect(reader.devices.get(plain.ueid)?.kept).toBeGreaterThan(0)
  })

  it('names each way in which a page that the collector signs can lie', async () => {
    const store = createStore()
    await fleet(store)
    const honest = await pageFor(store, newReader())
    const [first, ...others] = honest.evidence
    if (first === undefined) throw new Error('no evidence')
    const altered = Uint8Array.from(first.bytes)
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1
    const outcomeOf = async (page: MirrorPage) => {
      const reader = newReader()
      const bytes = await sign(page)
      const thrown = codeOf(() => reader.add(bytes))
      if (thrown !== 'nothing thrown') return [thrown]
      const { problems, gaps } = reportOf(reader)
      return [...new Set([...problems, ...gaps].map(({ code }) => code))]
    }
    expect(await outcomeOf(honest)).toEqual([])
    expect(await outcomeOf({ ...honest, evidence: [{ ...first, bytes: altered }, ...others] })).toEqual([
      'mirror.evidence-invalid',
      'mirror.gap',
    ])
    // Messages that are counted and not kept are nothing that is missing.
    const begins = honest.evidence.filter(({ bytes }) => {
      const { claims, ueid } = decodeEvidence(bytes)
      return honest.runs.some((run) => toHex(run.ueid) === ueid && run.first === claims.sequence)
    })
    expect(begins.length).toBeLessThan(honest.evidence.length)
    expect(await outcomeOf({ ...honest, evidence: begins })).toEqual([])
    // Evidence, a run or a device left out.
    expect(await outcomeOf({ ...honest, evidence: others })).toEqual(['mirror.gap'])
    expect(await outcomeOf({ ...honest, runs: honest.runs.slice(1) })).toContain('mirror.run-invalid')
    expect(await outcomeOf({ ...honest, enrolments: honest.enrolments.slice(1) })).toEqual(
      expect.arrayContaining(['mirror.evidence-invalid', 'mirror.gap']),
    )
    // Fewer messages counted than the device has signed.
    const short = honest.runs.map((run) => ({ ...run, last: run.first }))
    expect(await outcomeOf({ ...honest, runs: short })).toContain('mirror.run-invalid')
    // A TPM that was exchanged for another one.
    const stranger = new SoftwareDevice({ tpm: new QuotingTpm() }).enrolled('prd_1').tpm
    const enrolments = honest.enrolments.map((each) => ({
      ...each,
      akPublic: each.akPublic && (stranger?.akPublic ?? null),
    }))
    const good = honest.evidence.map((each) => ({ ...each, verdict: 'affirming' }))
    expect(await outcomeOf({ ...honest, enrolments, evidence: good })).toEqual(['mirror.verdict-unsupported'])
    expect(
      await outcomeOf({
        ...honest,
        decisions: [Uint8Array.of(0)],
        until: { ...honest.until, decisions: 1 },
        end: { ...honest.end, decisions: 1 },
      }),
    ).toEqual(['mirror.log-invalid'])
    expect(await outcomeOf({ ...honest, until: honest.after })).toEqual(['mirror.chain-broken'])
  })

  it('refuses a page that was changed by as little as one bit, and one that does not follow', async () => {
    const store = createStore()
    const { collector, plain } = await fleet(store)
    const reader = newReader()
    const first = await sign(await pageFor(store, reader))
    reader.add(first)
    expect(codeOf(() => reader.add(first))).toBe('mirror.chain-broken')
    await collector.epoch(plain)
    plain.restart()
    await collector.report(plain)
    const second = await pageFor(store, reader)
    expect(codeOf(() => newReader().assertFollows(second))).toBe('mirror.chain-broken')
    fc.assert(
      fc.property(fc.nat(first.length - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const damaged = Uint8Array.from(first)
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
        expect(codeOf(() => newReader().add(damaged))).toBe('mirror.page-invalid')
      }),
      { numRuns: 60 },
    )
  })

  it('refuses a collector that has become another one behind what it handed over', async () => {
    const store = createStore()
    const { collector } = await fleet(store)
    const reader = newReader()
    reader.add(await sign(await pageFor(store, reader)))
    const now = await pageFor(store, reader)
    for (const part of ['enrolments', 'declarations', 'evidence'] as const) {
      const exchanged = { ...now, anchors: { ...now.anchors, [part]: new Uint8Array(32) } }
      expect([part, codeOf(() => reader.assertFollows(exchanged))]).toEqual([part, 'mirror.past-rewritten'])
      const shorter = { ...now, end: { ...now.end, [part]: now.after[part] - 1 } }
      if (now.after[part] > 1) expect(codeOf(() => reader.assertFollows(shorter))).toBe('mirror.past-rewritten')
    }
    // What was kept for its time and then removed is no contradiction.
    const far = collector.now + 1e12
    const times = { evidence: far, history: 0, refusals: 0, findings: 0, pcrValues: 0 }
    await store.sweep(times, 1000)
    reader.assertFollows(await pageFor(store, reader))
  })
})

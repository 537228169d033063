import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { afterListRequest, afterReceipt, afterRequest, type Told } from '../../../agent/attest/acknowledgements.ts'
import { carryList, type CarriedList } from '../../../agent/attest/carry-list.ts'
import { NO_PROGRESS, type Acknowledged } from '../../../agent/state/progress.ts'
import type { ImaState } from '../../../collector/model/ima-state.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { appraisalOf, ARRIVAL, deviationsOf } from '../../support/appraising.ts'
import { binaryList, pcr10Of, type ImaSpec } from '../../support/ima-builder.ts'
import { aggregateOf } from '../../support/measuring-device.ts'
import { SoftwareDevice } from '../../support/software-device.ts'

/** What happens with one report. */
interface Happening {
  /** Files measured before it, and between its quote and the reading of the list. */
  readonly before: number
  readonly after: number
  readonly fate: 'received' | 'receipt-lost' | 'late' | 'late-and-receipt-lost' | 'lost'
  /** Afterwards the agent or the collector is set back to what it knew at an earlier time. */
  readonly restored: 'none' | 'agent' | 'collector'
}

const happening: fc.Arbitrary<Happening> = fc.record({
  before: fc.nat({ max: 3 }),
  after: fc.nat({ max: 2 }),
  fate: fc.constantFrom('received', 'received', 'receipt-lost', 'late', 'late-and-receipt-lost', 'lost'),
  restored: fc.constantFrom('none', 'none', 'none', 'none', 'agent', 'collector'),
})

const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

/** A gateway and its collector as far as the list is concerned. */
class Pair {
  readonly device = new SoftwareDevice()
  readonly specs: ImaSpec[] = []
  ima: ImaState | null = null
  acknowledged: Acknowledged = NO_PROGRESS.acknowledged
  told: readonly Told[] = []

  constructor() {
    if (this.device.tpm === null) throw new Error('no TPM')
    for (const pcr of [8, 9]) this.device.tpm.setPcr('sha256', pcr, sha256(Uint8Array.of(pcr)))
    this.measure(aggregateOf(this.device.tpm))
  }

  measure(...specs: readonly ImaSpec[]): void {
    this.specs.push(...specs)
    this.device.tpm?.setPcr('sha256', 10, new Uint8Array(pcr10Of(this.specs)))
  }

  files(count: number): void {
    for (let n = 0; n < count; n++) this.measure({ path: `/usr/bin/${this.specs.length}` })
  }

  async report({ before, after, fate }: Omit<Happening, 'restored'>): Promise<void> {
    const { device } = this
    this.files(before)
    const reported = new Map([...(device.tpm?.pcrs ?? [])].map(([bank, values]) => [bank, new Map(values)] as const))
    let carried: CarriedList | null = null
    const made = await device.report(
      { reported },
      {
        measurementList: async (pcrs) => {
          this.files(after)
          const read = async () => new Uint8Array(binaryList(this.specs))
          const request = { pcrs, boot: device.bootId, known: this.acknowledged.list, read, log: SILENT }
          carried = await carryList({ ...request, contents: { put: async () => true } })
          return carried?.suffix ?? null
        },
      },
    )
    const list = (carried as CarriedList | null)?.told ?? null
    const { sequence, postureDigest, pcrDigest } = made
    this.told = [...this.told, { session: device.session, sequence, postureDigest, pcrDigest, contents: [], list }]
    if (fate === 'lost') return
    const appraisal = appraisalOf(device, made.bytes, {
      state: { ima: this.ima },
      receivedAt: fate.startsWith('late') ? ARRIVAL + 1e7 : ARRIVAL,
    })
    expect(deviationsOf(appraisal)).toEqual([])
    if (appraisal.newest && appraisal.ima.state !== undefined) this.ima = appraisal.ima.state
    if (fate.endsWith('lost')) return
    const receipt = { session: device.session, contiguousTo: -1, extra: [sequence] }
    const { acknowledged, waiting } = afterReceipt(this.acknowledged, this.told, [receipt])
    const request = { ...appraisal.missing }
    this.acknowledged = afterRequest(acknowledged, request)
    this.told = afterListRequest(waiting, request)
  }

  expectTrueBase(): void {
    const { entries = 0, pcr10 } = this.ima?.base ?? {}
    if (pcr10 !== undefined) expect(toHex(pcr10)).toBe(pcr10Of(this.specs.slice(0, entries)).toString('hex'))
  }
}

it('whatever is lost, late or restored: what is verified is always true, and in the end it is all of the list', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { maxLength: 12 }), async (happenings) => {
      const pair = new Pair()
      let past: Pick<Pair, 'ima' | 'acknowledged'> = { ima: null, acknowledged: pair.acknowledged }
      for (const each of happenings) {
        const entries = pair.ima?.base?.entries ?? 0
        await pair.report(each)
        pair.expectTrueBase()
        expect(pair.ima?.base?.entries ?? 0).toBeGreaterThanOrEqual(entries)
        const now = { ima: pair.ima, acknowledged: pair.acknowledged }
        if (each.restored === 'agent') {
          pair.acknowledged = past.acknowledged
          pair.told = []
          pair.device.restart()
        }
        if (each.restored === 'collector') pair.ima = past.ima
        if (each.before === 0) past = now
      }
      const good = { before: 1, after: 0, fate: 'received' } as const
      for (let n = 0; n < 2; n++) await pair.report(good)
      expect(pair.ima?.base).toEqual({
        bank: 'sha256',
        paddingMode: 'per-bank',
        entries: pair.specs.length,
        pcr10: new Uint8Array(pcr10Of(pair.specs)),
      })
      expect(pair.ima?.summary).toMatchObject({ aggregate: 'matches', refused: null, missing: null })
    }),
    { numRuns: 40 },
  )
})

it('a list that was cut into suffixes anywhere is verified as the whole of it is', () => {
  const all = Array.from({ length: 11 }, (_, n): ImaSpec => ({ path: `/${n}`, violation: n === 7 }))
  return fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 11 }), { maxLength: 11 }), async (cuts) => {
      const pair = new Pair()
      let from = 0
      for (const cut of [...cuts.sort((a, b) => a - b), 11]) {
        pair.measure(...all.slice(from, cut))
        from = cut
        const bytes = await evidenceOf(pair)
        const known = { state: { ima: pair.ima }, contents: pair.device.contents }
        pair.ima = appraisalOf(pair.device, bytes, known).ima.state ?? pair.ima
      }
      expect(pair.ima).toMatchObject({ base: { entries: 12, pcr10: new Uint8Array(pcr10Of(pair.specs)) } })
      expect(pair.ima?.summary).toMatchObject({ problems: 1, unjudged: 12, aggregate: 'matches' })
    }),
    { numRuns: 30 },
  )
})

async function evidenceOf({ device, specs, ima }: Pair): Promise<Uint8Array> {
  const first = ima?.base?.entries ?? 0
  const rest = specs.slice(first)
  const entries = new Uint8Array(binaryList(rest))
  const list = rest.length === 0 ? null : { first, entries }
  return (await device.report({}, { measurementList: async () => list })).bytes
}

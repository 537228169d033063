import { toHex } from '../bytes/bytes.ts'
import type { MirrorProblem, MirrorReader } from './reader.ts'

/** What a mirror holds of one product. */
export interface MirroredProduct {
  readonly vendor: string
  readonly model: string
  /** null: nobody has declared any. */
  readonly declaredUnits: number | null
  readonly devices: number
  readonly devicesWithEvidence: number
  readonly evidenceKept: number
  readonly evidenceCounted: number
  readonly quotesGood: number
  readonly quotesFailed: number
}

export interface MirrorGap {
  readonly code: 'mirror.gap'
  /** A device or a product. */
  readonly subject: string
  readonly detail: string
}

export interface MirrorReport {
  readonly collectorId: string | null
  readonly operator: string
  readonly pages: number
  readonly head: string | null
  /** Seconds since 1970. */
  readonly at: number | null
  readonly decisions: { readonly entries: number; readonly head: string | null }
  readonly products: readonly MirroredProduct[]
  readonly problems: readonly MirrorProblem[]
  readonly problemCount: number
  readonly gaps: readonly MirrorGap[]
  readonly gapCount: number
}

const MAX_GAPS = 200

export function reportOf(reader: MirrorReader): MirrorReport {
  const { head } = reader.decisions
  const products = productsOf(reader)
  const gaps: MirrorGap[] = []
  let gapCount = 0
  for (const gap of gapsOf(reader, products)) {
    gapCount += 1
    if (gaps.length < MAX_GAPS) gaps.push(gap)
  }
  return {
    collectorId: reader.collectorId === null ? null : toHex(reader.collectorId),
    operator: reader.operator,
    pages: reader.pages,
    head: reader.head === null ? null : toHex(reader.head),
    at: reader.at,
    decisions: { entries: head === null ? 0 : head.index + 1, head: head === null ? null : toHex(head.hash) },
    products,
    problems: reader.problems,
    problemCount: reader.problemCount,
    gaps,
    gapCount,
  }
}

function productsOf({ devices, declared }: MirrorReader): readonly MirroredProduct[] {
  const products = new Map<string, { -readonly [K in keyof MirroredProduct]: MirroredProduct[K] }>()
  const productOf = (vendor: string, model: string) => {
    const key = JSON.stringify([vendor, model])
    const none = { devices: 0, devicesWithEvidence: 0, evidenceKept: 0, evidenceCounted: 0 }
    const made = { vendor, model, declaredUnits: null, ...none, quotesGood: 0, quotesFailed: 0 }
    const product = products.get(key) ?? made
    products.set(key, product)
    return product
  }
  for (const { vendor, model, units } of declared.values()) productOf(vendor, model).declaredUnits = units
  for (const { vendor, model, runs, kept, quotesGood, quotesFailed } of devices.values()) {
    const product = productOf(vendor, model)
    product.devices += 1
    product.devicesWithEvidence += kept > 0 ? 1 : 0
    product.evidenceKept += kept
    product.evidenceCounted += runs.counted
    product.quotesGood += quotesGood
    product.quotesFailed += quotesFailed
  }
  return [...products.values()]
}

function* gapsOf({ devices }: MirrorReader, products: readonly MirroredProduct[]): Generator<MirrorGap> {
  for (const { vendor, model, declaredUnits, devicesWithEvidence: heard } of products) {
    if (declaredUnits === null || declaredUnits <= heard) continue
    const detail = `${declaredUnits} units are declared, and ${heard} have sent evidence`
    yield { code: 'mirror.gap', subject: `${vendor} ${model}`, detail }
  }
  for (const { ueid, runs } of devices.values()) {
    for (const { session, detail } of runs.gaps()) {
      yield { code: 'mirror.gap', subject: `device ${ueid}`, detail: `${detail} (session ${session})` }
    }
  }
}

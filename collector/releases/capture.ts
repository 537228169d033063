import { toHex } from '../../shared/bytes/bytes.ts'
import { KeepsealError } from '../../shared/errors.ts'
import { IMA_PCR } from '../../shared/eventlog/constants.ts'
import { factsOf } from '../../shared/posture/diff.ts'
import type { SectionId } from '../../shared/posture/sections.ts'
import type { Product } from '../model/product.ts'
import { isProvenReport, proposeFrom, type ReportedBoot } from '../tracking/boot-baseline.ts'
import type { FileSection, ReleaseFile } from './document.ts'
import { quotesAlike, type GoldenDevice } from './golden.ts'
import type { FactRule } from './rule-schema.ts'

export interface Captured {
  readonly file: ReleaseFile
  /** What is let vary because the devices differ in it, in words: for a person to look at. */
  readonly tolerances: readonly string[]
}

/**
 * A release that all of these devices conform to: what they have in common, exactly, and what they differ in as far as
 * it can be said. Error: request.conflict with everything that cannot.
 */
export function captureRelease(
  product: Pick<Product, 'vendor' | 'model'>,
  name: string,
  devices: readonly GoldenDevice[],
): Captured {
  const [first] = devices
  if (first === undefined) throw new KeepsealError('request.invalid', 'no device to capture')
  const conflicts: string[] = []
  const tolerances: string[] = []
  const sections: { -readonly [S in SectionId]?: FileSection } = {}
  for (const id of new Set(devices.flatMap((device) => [...device.sections.keys()]))) {
    const section = captureSection(id, devices, conflicts, tolerances)
    if (section !== undefined) sections[id] = section
  }
  const boot = captureBoot(devices, conflicts, tolerances)
  if (conflicts.length > 0) {
    const more = conflicts.length > 8 ? `; and ${conflicts.length - 8} more` : ''
    throw new KeepsealError('request.conflict', `they differ: ${conflicts.slice(0, 8).join('; ')}${more}`, {
      remedy: 'Bring them into one state; or capture one of them, export it, and write rules for what may differ.',
    })
  }
  const { vendor, model } = product
  const file: ReleaseFile = {
    version: 1,
    product: { vendor, model },
    name,
    sections,
    ...(boot === null ? {} : { boot }),
  }
  return { file, tolerances }
}

function captureSection(
  id: SectionId,
  devices: readonly GoldenDevice[],
  conflicts: string[],
  tolerances: string[],
): FileSection | undefined {
  const readings = devices.map((device) => device.sections.get(id))
  const [first] = readings
  if (first === undefined || readings.some((each) => each === undefined)) {
    conflicts.push(`only some report the section ${id}`)
    return undefined
  }
  const different = readings.filter((each) => each !== undefined && each.digest !== first.digest)
  if (different.length === 0) return { captured: first.reading }
  const facts = readings.map((each) =>
    each?.reading.status === 'measured' ? factsOf(id, each.reading.content as never) : undefined,
  )
  if (facts.some((each) => each === undefined)) {
    conflicts.push(`the section ${id} is measured on some of them only`)
    return undefined
  }
  const rules: FactRule[] = []
  for (const subject of new Set(facts.flatMap((each) => [...(each?.keys() ?? [])]))) {
    const values = new Set(facts.map((each) => each?.get(subject)?.value))
    if (values.size === 1) continue
    const stated = [...values].filter((value) => value !== undefined)
    // A rule names a statement that is there, and its subject is read as a pattern.
    if (stated.length < values.size || /[*?]/.test(subject)) {
      conflicts.push(`${id}: ${subject}`)
      continue
    }
    rules.push({ subject, oneOf: stated.sort() })
    tolerances.push(`${id}: ${subject} may have one of the ${stated.length} values seen`)
  }
  return { captured: first.reading, facts: rules }
}

function captureBoot(
  devices: readonly GoldenDevice[],
  conflicts: string[],
  tolerances: string[],
): NonNullable<ReleaseFile['boot']> | null {
  const boots = devices.map(({ boot }) => boot).filter((boot) => boot !== null)
  const [first, ...others] = boots
  if (first === undefined) return null
  if (boots.length < devices.length) conflicts.push('only some of them have a TPM')
  if (others.some((other) => !quotesAlike(first, other))) conflicts.push('they quote different PCRs or banks')
  const tpmFirmware = [...new Set(boots.map((boot) => boot.tpmFirmwareVersion.toString(16).padStart(16, '0')))]
  const common = { namedEvents: [], tpmFirmware, notJudged: [] }
  if (!isProvenReport(first) || !others.every(isProvenReport)) return { ...common, pcrs: valuesOf(boots) }
  const proposal = proposeFrom(first, others)
  if (proposal === undefined) {
    conflicts.push('a boot log has too many events')
    return null
  }
  conflicts.push(...proposal.conflicts)
  tolerances.push(
    ...proposal.tolerances.map(({ pcr, name, kind, values }) => `PCR ${pcr}: ${name} ${KINDS[kind](values)}`),
  )
  const events = JSON.parse(JSON.stringify({ version: 1, ...proposal.reference })) as NonNullable<
    ReleaseFile['boot']
  >['events']
  // What the others have instead is let pass by the events that lead to it.
  return { ...common, pcrs: valuesOf([first]), ...(events === undefined ? {} : { events }) }
}

const KINDS = {
  'any-value': (values: number) => `may have any value: ${values} were seen`,
  'one-of': (values: number) => `may have one of the ${values} values seen`,
  optional: () => 'may be missing',
  'any-order': () => 'is free',
} as const

/** PCR 10 grows with each file that the kernel measures; where it measures none, it has to stay so. */
function valuesOf(boots: readonly ReportedBoot[]): NonNullable<ReleaseFile['boot']>['pcrs'] {
  const seen = new Map<string, { bank: 'sha256' | 'sha384'; pcr: number; values: Set<string> }>()
  for (const { pcrs } of boots) {
    for (const [bank, values] of pcrs) {
      if (bank !== 'sha256' && bank !== 'sha384') continue
      for (const [pcr, value] of values) {
        if (pcr === IMA_PCR && value.some((byte) => byte !== 0)) continue
        const entry = seen.get(`${bank} ${pcr}`) ?? { bank, pcr, values: new Set() }
        seen.set(`${bank} ${pcr}`, entry)
        entry.values.add(toHex(value))
      }
    }
  }
  return [...seen.values()].map(({ bank, pcr, values }) => ({ bank, pcr, values: [...values] }))
}

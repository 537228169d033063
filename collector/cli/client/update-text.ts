import * as v from 'valibot'
import { printable } from '../../../shared/text/printable.ts'
import { probabilityText } from './exposure-text.ts'
import { counted, paragraph } from './text.ts'

/** What an update of one source would settle. */
export const Update = v.looseObject({
  ecosystem: v.string(),
  source: v.string(),
  version: v.string(),
  packages: v.array(v.string()),
  advisories: v.array(v.string()),
  exploited: v.number(),
  severity: v.nullable(v.string()),
  probability: v.nullable(v.number()),
  ports: v.array(v.string()),
  oldest: v.nullable(v.string()),
  devices: v.number(),
})
type Update = v.InferOutput<typeof Update>

export const advisories = (count: number): string => (count === 1 ? '1 advisory' : `${count} advisories`)

/** What to ship next, each with why it stands where it stands. */
export function updateLines(updates: readonly Update[], devices: number): readonly string[] {
  if (updates.length === 0) return ['Nothing to ship: no update would settle anything.']
  return updates.flatMap((one, index) => [
    ...(index === 0 ? [] : ['']),
    printable(`${index + 1}. ${one.source} ${one.version} (${one.ecosystem})`),
    ...paragraph(
      '   ',
      printable(`settles ${advisories(one.advisories.length)} on ${one.devices} of ${counted(devices, 'device')}`),
    ),
    ...paragraph('   ', printable(`why: ${reasonsOf(one).join('; ')}`)),
    ...paragraph('   ', printable(`packages: ${some(one.packages)}`)),
    ...paragraph('   ', printable(`advisories: ${some(one.advisories)}`)),
  ])
}

function reasonsOf({ exploited, severity, probability, ports, oldest }: Update): readonly string[] {
  return [
    ...(exploited === 0 ? [] : [`${exploited} used in attacks`]),
    `the worst is ${severity ?? 'unrated'}`,
    ...(ports.length === 0 ? [] : [`it listens on ${ports.join(', ')}`]),
    ...(probability === null ? [] : [probabilityText(probability)]),
    ...(oldest === null ? [] : [`the oldest is of ${oldest.slice(0, 10)}`]),
  ]
}

const SHOWN = 10
const some = (names: readonly string[]): string =>
  names.length <= SHOWN ? names.join(' ') : `${names.slice(0, SHOWN).join(' ')} and ${names.length - SHOWN} more`

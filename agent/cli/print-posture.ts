import { toHex } from '../../shared/bytes/bytes.ts'
import type { Output } from '../../shared/cli/output.ts'
import type { SectionDefinition } from '../../shared/posture/section-definition.ts'
import { SECTIONS, type SectionId } from '../../shared/posture/sections.ts'
import { printable } from '../../shared/text/printable.ts'
import type { MeasuredPosture } from '../attest/posture.ts'
import type { Reading } from '../sensors/sensor.ts'

/** What would be sent, as plain values: for --json, and for whoever compares it with other tools. */
export function postureAsJson({
  measurements,
  sections,
  postureDigest,
  state,
  bootId,
  uptimeSeconds,
}: MeasuredPosture) {
  return {
    postureDigest: toHex(postureDigest),
    bootId: toHex(bootId),
    uptimeSeconds,
    state: Object.fromEntries(state),
    sections: Object.fromEntries(
      [...measurements].map(([id, { reading, cpuMs, byHelper }]) => {
        const encoded = sections.get(id)
        const size = encoded?.bytes.length ?? 0
        const digest = toHex(encoded?.digest ?? new Uint8Array())
        const by = byHelper ? 'helper' : 'agent'
        return [id, { digest, size, cpuMs: Math.round(cpuMs), by, ...sent(id, reading) }]
      }),
    ),
  }
}

function sent(id: SectionId, reading: Reading) {
  switch (reading.status) {
    case 'measured':
      return { status: reading.status, content: definitionOf(id).canonical(reading.content) }
    case 'failed':
      return { status: reading.status, code: reading.code, detail: reading.detail }
    default:
      return { status: reading.status, reason: reading.reason }
  }
}

export function printPosture(output: Output, posture: MeasuredPosture): string {
  const rows = [...posture.measurements].map(([id, { reading, cpuMs, byHelper }]) => {
    const encoded = posture.sections.get(id)
    const what = reading.status === 'measured' ? summary(id, reading) : `${reading.status}`
    return [
      id,
      printable(what),
      `${encoded?.bytes.length ?? 0}`,
      `${Math.round(cpuMs)}`,
      byHelper ? 'helper' : 'agent',
      toHex(encoded?.digest ?? new Uint8Array()).slice(0, 12),
    ]
  })
  const columns = [
    { title: 'SECTION' },
    { title: 'FOUND' },
    { title: 'BYTES', align: 'right' as const },
    { title: 'CPU MS', align: 'right' as const },
    { title: 'BY' },
    { title: 'DIGEST' },
  ]
  const state = [...posture.state].map(([key, value]) => `  ${key} = ${printable(String(value))}`)
  return [
    output.table(columns, rows),
    state.length === 0 ? '' : `state:\n${state.join('\n')}`,
    `posture ${toHex(posture.postureDigest)}`,
    'With --json every item is shown.',
  ]
    .filter((part) => part !== '')
    .join('\n')
}

function summary(id: SectionId, reading: Extract<Reading, { status: 'measured' }>): string {
  const section = definitionOf(id)
  return `${section.facts(section.canonical(reading.content)).length} items`
}

/** A reading belongs to its section's definition, which the type of a union of all sections cannot say. */
const definitionOf = (id: SectionId) => SECTIONS[id] as unknown as SectionDefinition<unknown>

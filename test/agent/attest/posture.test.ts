import { beforeEach, describe, expect, test } from 'vitest'
import { measurePosture } from '../../../agent/attest/posture.ts'
import type { HelperReading, SectionsAnswer } from '../../../agent/measure/answer.ts'
import { absent, refused, REFUSALS, type Asked } from '../../../agent/measure/client/asked.ts'
import type { Helper } from '../../../agent/measure/client/helper.ts'
import type { Host } from '../../../agent/sensors/host.ts'
import { SENSORS } from '../../../agent/sensors/registry.ts'
import type { Sensor } from '../../../agent/sensors/sensor.ts'
import { decodeSection } from '../../../shared/posture/canonical.ts'
import { answerOf, identifiedHost } from '../measure/support.ts'

let host: Host
beforeEach(() => {
  host = identifiedHost()
})
const { privileged: _, ...base } = SENSORS.find(({ section }) => section === 'system') as Sensor
const own: Sensor = { ...base, measure: () => ({ status: 'failed', code: 'input-malformed', detail: 'own' }) }
const privileged: Sensor = { ...own, privileged: true }

const theirs: HelperReading = {
  section: 'system',
  reading: { status: 'no-permission', reason: 'file-not-readable' },
  state: new Map(),
  cpuMs: 9,
  detail: 'theirs',
}
const saying = (asked: Asked<SectionsAnswer>): Pick<Helper, 'sections'> => ({ sections: async () => asked })
const answering = (...readings: HelperReading[]) => saying({ status: 'answered', answer: answerOf(host, { readings }) })

async function measured(helper: Pick<Helper, 'sections'>, sensor: Sensor) {
  const { measurements, sections, state } = await measurePosture(host, helper, [sensor])
  return { one: measurements.get('system'), section: sections.get('system'), state: Object.fromEntries(state) }
}

describe('a section that the helper sees more of', () => {
  test('is what the helper says, and is claimed as that', async () => {
    const { one, section, state } = await measured(answering(theirs), privileged)
    expect(one).toMatchObject({ byHelper: true, cpuMs: 9, reading: { status: 'no-permission', detail: 'theirs' } })
    expect(decodeSection('system', section?.bytes ?? new Uint8Array())).toEqual(theirs.reading)
    expect(state).toEqual({ 'agent.helper': 'used', 'agent.helper-cpu-ms': 5 })
  })

  test('brings its state with it', async () => {
    const missing = { missing: 'absent' } as const
    const content = { os: missing, kernel: { release: missing, machine: missing, build: missing } }
    const reading: HelperReading = {
      ...theirs,
      reading: { status: 'measured', content },
      state: new Map([['system.x', 3]]),
    }
    const { one, state } = await measured(answering(reading), privileged)
    expect(one?.reading).toMatchObject({ status: 'measured', content })
    expect(state).toMatchObject({ 'system.x': 3 })
  })

  test('is what the agent sees, where the helper says nothing about it', async () => {
    const { one, state } = await measured(answering(), privileged)
    expect(one).toMatchObject({ byHelper: false, reading: { detail: 'own' } })
    expect(state).toMatchObject({ 'agent.helper': 'used' })
  })

  test('is what the agent sees, where there is no helper, and that is said', async () => {
    const { one, state } = await measured(saying(absent('none')), privileged)
    expect(one).toMatchObject({ byHelper: false, reading: { detail: 'own' } })
    expect(state).toEqual({ 'agent.helper': 'absent' })
  })

  test.each(REFUSALS)('is what the agent sees, where the answer is refused as %s, and that is said', async (reason) => {
    const { one, state } = await measured(saying(refused(reason, '')), privileged)
    expect(one).toMatchObject({ byHelper: false, reading: { detail: 'own' } })
    expect(state).toEqual({ 'agent.helper': 'refused' })
  })
})

test('a section that the agent sees as well is what the agent sees, whatever the helper says', async () => {
  const { one } = await measured(answering(theirs), own)
  expect(one).toMatchObject({ byHelper: false, reading: { detail: 'own' } })
})

test('a section that no collector would take has failed, and all others are told', async () => {
  const missing = { missing: 'absent' } as const
  const build = { value: 'x'.repeat(5 * 1024 * 1024) }
  const content = { os: missing, kernel: { release: missing, machine: missing, build } }
  const large: Sensor = { ...base, measure: () => ({ status: 'measured', content }) }
  const deceptive: Sensor = {
    ...base,
    section: 'boot',
    measure: () => ({ status: 'measured', content: { surprise: 1 } as never }),
  }
  const { sections, measurements } = await measurePosture(host, saying(absent('none')), [
    large,
    deceptive,
    { ...own, section: 'tpm' },
  ])
  expect([...sections].map(([id, { bytes }]) => decodeSection(id, bytes))).toEqual([
    { status: 'failed', code: 'input-too-large' },
    { status: 'failed', code: 'sensor-fault' },
    { status: 'failed', code: 'input-malformed' },
  ])
  expect(measurements.get('system')?.reading).toMatchObject({ status: 'failed', code: 'input-too-large' })
})

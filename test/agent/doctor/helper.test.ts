import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { CHECKS } from '../../../agent/doctor/checks.ts'
import { hiddenFields } from '../../../agent/doctor/hidden-fields.ts'
import { checkSensors } from '../../../agent/doctor/sensors.ts'
import { encodeSectionsAnswer } from '../../../agent/measure/answer.ts'
import type { Host } from '../../../agent/sensors/host.ts'
import { SENSORS } from '../../../agent/sensors/registry.ts'
import type { Sensor } from '../../../agent/sensors/sensor.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { answerOf, identifiedHost, saying, standIn } from '../measure/support.ts'

const scratch = useScratchDirectories('doctor-helper')
let host: Host
beforeEach(() => {
  host = identifiedHost()
})
const contextOf = (socket: string) => ({
  config: loadAgentConfig({ set: [`measure.socket=${socket}`] }, {}).values,
  host,
})
const check = (socket: string) => CHECKS.find(({ id }) => id === 'helper')?.run(contextOf(socket))

describe('the check of the helper', () => {
  test('is good where it answers', async () => {
    const socket = await standIn(scratch(), saying(encodeSectionsAnswer(answerOf(host))))
    expect(await check(socket)).toMatchObject({ status: 'good' })
  })

  test('says how to start it where it is not there', async () => {
    const start = expect.stringContaining('systemctl enable --now keepseal-measure.socket')
    for (const socket of ['', join(scratch(), 'none')]) {
      expect(await check(socket)).toMatchObject({ status: 'warning', remedy: start })
    }
  })

  test('fails where its answer is refused, and says what to do', async () => {
    const socket = await standIn(scratch(), saying(Uint8Array.of(0xff)))
    expect(await check(socket)).toMatchObject({ status: 'failed', remedy: expect.stringContaining('one version') })
    chmodSync(socket, 0o666)
    expect(await check(socket)).toMatchObject({ status: 'failed', remedy: expect.stringContaining('root own') })
  })
})

describe('the check of the sensors', () => {
  const { privileged: _, ...base } = SENSORS.find(({ section }) => section === 'system') as Sensor
  const found = { value: 'x' }
  const content = { os: found, kernel: { release: { missing: 'no-permission' }, machine: found, build: found } }
  const hidden = { ...base, measure: () => ({ status: 'measured', content }) } as unknown as Sensor

  test('says for a single field that the helper would see it', async () => {
    const { status, detail, remedy } = await checkSensors(contextOf(''), [{ ...hidden, privileged: true }])
    expect(status).toBe('warning')
    expect(detail).toContain('system: no permission for kernel.release')
    expect(remedy).toContain('keepseal-measure.socket')
  })

  test('says what the sensor needs where no helper sees more', async () => {
    const { remedy } = await checkSensors(contextOf(''), [hidden])
    expect(remedy).toBe(`system: ${base.remedy}`)
  })

  test('says the same of a whole section', async () => {
    const measure = () => ({ status: 'no-permission', reason: 'file-not-readable', detail: '/x' }) as const
    const { detail, remedy } = await checkSensors(contextOf(''), [{ ...base, measure, privileged: true }])
    expect(detail).toBe('system: no permission for /x')
    expect(remedy).toContain('keepseal-measure.socket')
  })

  test('says what the sensor needs where the helper could not see it either', async () => {
    const reading = { status: 'no-permission', reason: 'file-not-readable' } as const
    const theirs = { section: 'system', reading, state: new Map(), cpuMs: 1, detail: '/y' } as const
    const socket = await standIn(scratch(), saying(encodeSectionsAnswer(answerOf(host, { readings: [theirs] }))))
    const { detail, remedy } = await checkSensors(contextOf(socket), [{ ...hidden, privileged: true }])
    expect(detail).toBe('system: no permission for /y')
    expect(remedy).toBe(`system: ${base.remedy}`)
  })

  test('is good where nothing is hidden', async () => {
    const measure = () => ({ status: 'not-supported', reason: 'no-tpm' }) as const
    expect(await checkSensors(contextOf(''), [{ ...base, measure }])).toMatchObject({ status: 'warning' })
    const whole = { ...content, kernel: { ...content.kernel, release: found } }
    const seen = { ...base, measure: () => ({ status: 'measured', content: whole }) } as unknown as Sensor
    expect(await checkSensors(contextOf(''), [seen])).toMatchObject({ status: 'good' })
  })
})

test('hidden fields are named by their place, each once, and not without bound', () => {
  const missing = { missing: 'no-permission' }
  expect(hiddenFields({ owners: 'no-permission', a: { b: missing }, list: [missing, missing], c: 'x' })).toEqual([
    'owners',
    'a.b',
    'list',
  ])
  expect(hiddenFields({ keyrings: [{ path: 'x', status: 'no-permission' }] })).toEqual(['keyrings'])
  const many = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`f${n}`, missing]))
  expect(hiddenFields(many)).toHaveLength(9)
})

import { beforeEach, describe, expect, test } from 'vitest'
import { absent, type Asked } from '../../../../agent/measure/client/asked.ts'
import { TimelyHelper } from '../../../../agent/measure/client/timely-helper.ts'
import type { SectionsAnswer } from '../../../../agent/measure/answer.ts'
import type { Host } from '../../../../agent/sensors/host.ts'
import { SENSORS } from '../../../../agent/sensors/registry.ts'
import { SensorFailure } from '../../../../agent/sensors/sensor.ts'
import { answerOf, identifiedHost } from '../support.ts'

let now: number
let host: Host
let asked: number
let answer: () => Asked<SectionsAnswer>
let seen: string
let monotonicMs: number
const [template] = SENSORS.filter(({ privileged }) => privileged === true)
if (template === undefined) throw new Error('no sensor is privileged')

beforeEach(() => {
  now = 1_000_000
  monotonicMs = 5_000
  asked = 0
  seen = 'one'
  look = () => seen
  host = { ...identifiedHost(), now: () => now }
  answer = () => ({ status: 'answered', answer: answerOf(host, { cpuMs: 300 }) })
})

let look: () => string
/** Both clocks go on. */
function pass(seconds: number): void {
  now += seconds
  monotonicMs += seconds * 1000
}

function timely(maxAgeSeconds = 900) {
  const helper = {
    sections: async () => {
      asked += 1
      return answer()
    },
  }
  const sensors = [{ ...template, privileged: true, glance: () => look() } as (typeof SENSORS)[number]]
  return new TimelyHelper({ helper, host, maxAgeSeconds, sensors, monotonic: () => monotonicMs })
}

const cpuMsOf = (one: Asked<SectionsAnswer>) => (one.status === 'answered' ? one.answer.cpuMs : undefined)

describe('the privileged helper', () => {
  test('is not asked again while nothing has changed, and its time is told once', async () => {
    const helper = timely()
    expect(cpuMsOf(await helper.sections())).toBe(300)
    pass(899)
    expect(cpuMsOf(await helper.sections())).toBe(0)
    expect([asked, helper.ageSeconds]).toEqual([1, 899])
  })

  test('is asked again at once when something has changed that the agent sees', async () => {
    const helper = timely()
    await helper.sections()
    seen = 'two'
    pass(1)
    await helper.sections()
    expect([asked, helper.ageSeconds]).toEqual([2, 0])
  })

  test('is asked again after the longest time, whatever is seen', async () => {
    const helper = timely()
    await helper.sections()
    pass(900)
    await helper.sections()
    expect(asked).toBe(2)
  })

  test('is asked again after the longest time though the clock was set back within it', async () => {
    const helper = timely()
    await helper.sections()
    pass(899)
    now -= 800
    await helper.sections()
    expect([asked, helper.ageSeconds]).toEqual([1, 899])
    pass(1)
    await helper.sections()
    expect(asked).toBe(2)
  })

  test('is asked again after the longest time though the system slept meanwhile', async () => {
    const helper = timely()
    await helper.sections()
    now += 900
    await helper.sections()
    expect(asked).toBe(2)
  })

  test.each([
    ['a fault', new Error('out of file descriptors')],
    ['a file that cannot be read', new SensorFailure({ status: 'failed', code: 'input-unreadable', detail: 'x' })],
  ])('is asked while the agent cannot look itself, for %s', async (_, error) => {
    const helper = timely()
    look = () => {
      throw error
    }
    await helper.sections()
    await helper.sections()
    look = () => seen
    await helper.sections()
    expect(asked).toBe(3)
    await helper.sections()
    expect(asked).toBe(3)
  })

  test('is asked again where one of its sections failed', async () => {
    const reading = { status: 'failed', code: 'sensor-fault' } as const
    const readings = [{ section: 'sockets', reading, state: new Map(), cpuMs: 1, detail: 'busy' } as const]
    const whole = answer
    answer = () => ({ status: 'answered', answer: answerOf(host, { readings }) })
    const helper = timely()
    await helper.sections()
    answer = whole
    await helper.sections()
    expect(asked).toBe(2)
    await helper.sections()
    expect(asked).toBe(2)
  })

  test('is asked again when the clock went back', async () => {
    const helper = timely()
    await helper.sections()
    now -= 1
    await helper.sections()
    expect(asked).toBe(2)
  })

  test('is asked again when somebody wants to know how it is now', async () => {
    const helper = timely()
    await helper.sections()
    await helper.anew().sections()
    expect(asked).toBe(2)
  })

  test('is asked for each report where no answer may be old', async () => {
    const helper = timely(0)
    await helper.sections()
    await helper.sections()
    expect(asked).toBe(2)
  })

  test('that has not answered is asked for each report, and nothing stands in for its answer', async () => {
    const helper = timely()
    await helper.sections()
    answer = () => absent('none')
    seen = 'two'
    expect((await helper.sections()).status).toBe('absent')
    expect((await helper.sections()).status).toBe('absent')
    expect(asked).toBe(3)
  })
})

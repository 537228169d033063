import { beforeEach, describe, expect, test } from 'vitest'
import { absent, type Asked } from '../../../../agent/measure/client/asked.ts'
import { TimelyHelper } from '../../../../agent/measure/client/timely-helper.ts'
import type { SectionsAnswer } from '../../../../agent/measure/answer.ts'
import type { Host } from '../../../../agent/sensors/host.ts'
import { SENSORS } from '../../../../agent/sensors/registry.ts'
import { answerOf, identifiedHost } from '../support.ts'

let now: number
let host: Host
let asked: number
let answer: () => Asked<SectionsAnswer>
let seen: string
const [template] = SENSORS.filter(({ privileged }) => privileged === true)
if (template === undefined) throw new Error('no sensor is privileged')

beforeEach(() => {
  now = 1_000_000
  asked = 0
  seen = 'one'
  host = { ...identifiedHost(), now: () => now }
  answer = () => ({ status: 'answered', answer: answerOf(host, { cpuMs: 300 }) })
})

function timely(maxAgeSeconds = 900) {
  const helper = {
    sections: async () => {
      asked += 1
      return answer()
    },
  }
  const sensors = [{ ...template, privileged: true, glance: () => seen } as (typeof SENSORS)[number]]
  return new TimelyHelper({ helper, host, maxAgeSeconds, sensors })
}

const cpuMsOf = (one: Asked<SectionsAnswer>) => (one.status === 'answered' ? one.answer.cpuMs : undefined)

describe('the privileged helper', () => {
  test('is not asked again while nothing has changed, and its time is told once', async () => {
    const helper = timely()
    expect(cpuMsOf(await helper.sections())).toBe(300)
    now += 899
    expect(cpuMsOf(await helper.sections())).toBe(0)
    expect([asked, helper.ageSeconds]).toEqual([1, 899])
  })

  test('is asked again at once when something has changed that the agent sees', async () => {
    const helper = timely()
    await helper.sections()
    seen = 'two'
    now += 1
    await helper.sections()
    expect([asked, helper.ageSeconds]).toEqual([2, 0])
  })

  test('is asked again after the longest time, whatever is seen', async () => {
    const helper = timely()
    await helper.sections()
    now += 900
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

import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measureAdvisories } from './advisories.ts'
import { AGENT_FLAGS } from './agent-flags.ts'
import { bootRows, measureBoot } from './boot-result.ts'
import { footprint } from './footprint/part.ts'
import { measureIngest, measureIngestOnPostgres } from './ingest.ts'
import { measureOnce } from './once.ts'
import type { Part } from './part.ts'
import { measureRunningAgent } from './running-agent.ts'
import { measureSensors, sensorRows } from './sensors.ts'
import { measureScale, measureStorage } from './scale.ts'
import { scalePicture } from './scale-picture.ts'
import { rounded, toHundredths, type Comparison } from './statistics.ts'
import { steadyDevice } from './steady-device.ts'
import { measureLatency } from './latency.ts'
import { measureStorm } from './storm.ts'
import { measureVerification } from './verification.ts'
import { measureWeb } from './web.ts'
import { measureWorkers, type StageResult } from './workers.ts'

const COMPARISON = { rounds: 41, callsPerRound: 300, warmUp: 5000 }

const bundleOf = (repository: string): string => join(repository, 'dist', 'bundle', 'keepseal-agent.js')

const against = ({ ratio, subjectUs, baselineUs }: Pick<Comparison, 'ratio' | 'subjectUs' | 'baselineUs'>): string =>
  `${ratio} times the bare checks (${subjectUs} and ${baselineUs} us of CPU)`

const verification: Part = {
  isUsual: true,
  measure: async () => {
    const goals = { ratio: 1.25, evidenceBytes: 800 }
    const steady = await steadyDevice()
    const measured = measureVerification(steady, COMPARISON)
    const [warm, cold] = [rounded(measured.warm), rounded(measured.cold)]
    const steadyBytes = steady.evidence.bytes.length
    return {
      result: { goals, warm, cold, steadyBytes },
      rows: [
        ['verification, keys held', against(warm), `at most ${goals.ratio}`],
        ['verification, keys imported', against(cold), ''],
        ['evidence, nothing changed', `${steadyBytes} bytes`, `at most ${goals.evidenceBytes}`],
      ],
    }
  },
}

const ingest: Part = {
  isUsual: true,
  measure: async () => {
    const goals = { ratio: 1.6 }
    const sqlite = await measureIngest()
    const postgresql = await measureIngestOnPostgres()
    const goal = `at most ${goals.ratio}`
    return {
      result: { goals, ...sqlite, postgresql },
      rows: [
        ['ingest to commit, SQLite', against(sqlite.warm), goal],
        ['the same, nothing of a device at hand', against(sqlite.cold), goal],
        ...(postgresql === null
          ? [['ingest to commit, PostgreSQL', 'not measured: it is not installed', goal] as const]
          : [
              ['ingest to commit, PostgreSQL', against(postgresql.warm), goal] as const,
              ['the same, nothing of a device at hand', against(postgresql.cold), goal] as const,
              ['the database itself', `${postgresql.databaseUs} us of CPU`, ''] as const,
            ]),
      ],
    }
  },
}

const boot: Part = {
  isUsual: true,
  measure: (repository, say) => {
    const goals = { logRatio: 3, listRatio: 3, logsPerCpuSecond: 300, steadyListsPerCpuSecond: 640 }
    const result = measureBoot(repository, say)
    return Promise.resolve({ result: { goals, ...result }, rows: bootRows(result, goals) })
  },
}

const sensors: Part = {
  isUsual: true,
  measure: (repository, say) => {
    const goals = {
      sensorsFirstMs: 150,
      sensorsUnchangedMs: 40,
      sensorsMemoryMib: 25,
      manySocketsMs: 1000,
      peersRatio: 20,
    }
    say('Measuring this machine, from start to end.')
    const once = measureOnce(bundleOf(repository))
    const result = measureSensors(repository, once, say)
    const rows = [
      ...sensorRows(result, goals),
      ['once --print, CPU', `${once.processCpuMs} ms, of it sensors ${once.sensorsCpuMs} ms`, ''],
    ]
    return Promise.resolve({ result: { goals, once, ...result }, rows })
  },
}

const agent: Part = {
  isUsual: true,
  measure: async (repository, say) => {
    const goals = { idleRssKib: 80 * 1024, reportCpuMs: 150 }
    const mib = (kib: number): string => `${(kib / 1024).toFixed(1)} MiB`
    const running = await measureRunningAgent(repository, say)
    const bundleBytes = statSync(bundleOf(repository)).size
    return {
      result: { goals, flags: AGENT_FLAGS.join(' '), bundleBytes, ...running },
      rows: [
        ['agent at rest, memory', mib(running.idleRssKib), `at most ${mib(goals.idleRssKib)}`],
        ['agent at rest, CPU', `${running.idleCpuMsPerMinute} ms a minute`, ''],
        ['one report, CPU', `${running.reportCpuMs} ms`, `at most ${goals.reportCpuMs} ms`],
        ['bundle', `${Math.round(bundleBytes / 1024)} KiB`, ''],
      ],
    }
  },
}

const storm: Part = {
  isUsual: false,
  measure: async (repository, say) => {
    const goals = { evidence: 50_000 }
    const queued = 12
    const gateways = Math.ceil(goals.evidence / queued)
    const result = await measureStorm(repository, { gateways, queued }, say)
    const { evidence, seconds, perSecond, peakMib, cpuUsPerEvidence } = result
    const { steadyPerSecond, steadyCpuUsPerEvidence, brokerCpuUsPerEvidence } = result
    return {
      result: { goals, ...result },
      rows: [
        [
          `storm of ${evidence}`,
          `${seconds} s, ${perSecond}/s, ${cpuUsPerEvidence} us of CPU, ${peakMib} MiB`,
          'no loss',
        ],
        [
          'steady reports, sustained',
          `${steadyPerSecond}/s, ${steadyCpuUsPerEvidence} us of CPU, ${brokerCpuUsPerEvidence} us of the broker`,
          '',
        ],
      ],
    }
  },
}

const latency: Part = {
  isUsual: false,
  measure: async (repository) => {
    const result = await measureLatency(repository, { changing: 100, steady: 1_000, loadPerSecond: 200 })
    const of = ({ p50, p99 }: { p50: number; p99: number }): string => `${p50} ms median, ${p99} ms for 99 %`
    return {
      result,
      rows: [
        [`from change to finding, beside ${result.loadPerSecond}/s`, of(result.finding), ''],
        ['from finding to webhook', of(result.webhook), ''],
      ],
    }
  },
}

const workers: Part = {
  isUsual: false,
  measure: async () => {
    const goals = { ratio: 1.7 }
    const measured = await measureWorkers({ devices: 2_000, batch: 200, rounds: 11 })
    const of = ({ ratio, oneWorker, twoWorkers }: StageResult): string =>
      `${ratio} times one worker (${twoWorkers} and ${oneWorker} messages/s)`
    return {
      result: { goals, ...measured },
      rows: [
        ['two verification workers, keys held', of(measured.warm), `at least ${goals.ratio}`],
        ['two verification workers, keys imported', of(measured.cold), `at least ${goals.ratio}`],
        ['the same in the thread that decides', `${measured.inProcess} messages/s`, ''],
      ],
    }
  },
}

const scale: Part = {
  isUsual: false,
  measure: async (repository, say) => {
    const goals = { spread: 1.2, residentMib: 2048 }
    const points = await measureScale(say)
    const costs = points.map(({ evidenceUs }) => evidenceUs)
    const spread = toHundredths(Math.max(...costs) / Math.min(...costs))
    say('Two days of steady reports.')
    const storage = await measureStorage()
    writeFileSync(join(repository, 'docs', 'bench', 'scale.svg'), scalePicture(points))
    return {
      result: { goals, spread, points, storage },
      rows: [
        ...points.map(({ enrolled, evidenceUs, bytesPerDevice, residentMib }) => [
          `${enrolled} devices enrolled`,
          `${evidenceUs} us a report, ${bytesPerDevice} bytes a device, ${residentMib} MiB`,
          `at most ${goals.residentMib} MiB`,
        ]),
        ['stored for each device and day', `${storage.bytesPerDeviceAndDay} bytes`, ''],
        ['dearest size to cheapest', `${spread} times`, `at most ${goals.spread}`],
      ],
    }
  },
}

/** Every part, in the order in which they are measured. */
const advisories: Part = {
  isUsual: false,
  measure: async (_repository, say, save) => {
    const inHundredths = (of: object) =>
      Object.fromEntries(Object.entries(of).map(([name, value]: [string, number]) => [name, toHundredths(value)]))
    const measured = await measureAdvisories(
      { advisories: 300_000, packages: 500, postures: 200, devices: 1_000_000 },
      say,
      (known) => save(inHundredths(known)),
    )
    const result = inHundredths(measured)
    const { loadSeconds, loadMib, matchMs, matchCpuMs, matchColdMs, exposureMs, countedMs } = measured
    return {
      result,
      rows: [
        ['300,000 advisories loaded', `${toHundredths(loadSeconds)} s`, 'at most 60 s'],
        ['  resident memory', `${Math.round(loadMib)} MiB`, 'at most 400 MB'],
        ['500 packages matched', `${toHundredths(matchMs)} ms`, 'at most 20 ms'],
        ['  of the processor', `${toHundredths(matchCpuMs)} ms`, ''],
        ['  from the database, cold', `${toHundredths(matchColdMs)} ms`, ''],
        ['1,000,000 devices, one new advisory', `${Math.round(exposureMs)} ms`, 'at most 2 s'],
        ['  with the devices counted', `${Math.round(countedMs)} ms`, 'at most 2 s'],
      ],
    }
  },
}

const web: Part = {
  isUsual: false,
  measure: async (repository) => {
    const goals = { scriptKiB: 60, firstContentMs: 1_000 }
    const measured = await measureWeb(repository)
    const { list, ...page } = measured
    const inHundredths = (values: object) =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toHundredths(Number(value))]))
    const result = { ...inHundredths(page), list: inHundredths(list) }
    const { scriptKiB, scriptGzipKiB, firstContentMs, firstRowMs } = page
    const ms = (value: number): string => `${Math.round(value)} ms`
    return {
      result: { goals, ...result },
      rows: [
        [
          'first page, JavaScript',
          `${scriptKiB.toFixed(1)} KiB (gzip ${scriptGzipKiB.toFixed(1)})`,
          `at most ${goals.scriptKiB}`,
        ],
        [
          'first content, processor slowed 4 times',
          `${Math.round(firstContentMs)} ms`,
          `below ${goals.firstContentMs}`,
        ],
        ['first device in the list, same', ms(firstRowMs), ''],
        [
          `page of ${list.devices} devices by the API: first, middle, last`,
          [list.firstPageMs, list.middlePageMs, list.lastPageMs].map(ms).join(', '),
          '',
        ],
        [
          'the same, CPU of the collector: first, middle',
          [list.firstPageCpuMs, list.middlePageCpuMs].map(ms).join(', '),
          '',
        ],
        ['search in them, and the overview', `${ms(list.searchMs)}, ${ms(list.overviewMs)}`, ''],
        ['anywhere in the list; after fast scrolling', `${ms(list.windowMs)}; ${ms(list.afterScrollMs)}`, ''],
        ['between frames while it scrolls (95 %)', `${ms(list.frameMs)} (${ms(list.idleFrameMs)} when idle)`, ''],
        [
          'CPU of the page for a frame of that: all, script, layout',
          [list.mainMs, list.scriptMs, list.layoutMs].map(ms).join(', '),
          '',
        ],
        ['long tasks meanwhile; the longest', `${list.longTasks}; ${ms(list.longestTaskMs)}`, ''],
      ],
    }
  },
}

export const PARTS = {
  verification,
  ingest,
  boot,
  sensors,
  agent,
  footprint,
  scale,
  workers,
  storm,
  latency,
  advisories,
  web,
} as const satisfies Record<string, Part>

export type PartName = keyof typeof PARTS

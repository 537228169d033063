import Database from 'better-sqlite3'
import type { Page } from 'playwright-core'
import type { Store } from '../../collector/store/index.ts'
import { addDevices } from './many-devices.ts'
import { median } from './statistics.ts'

/** The list of a large fleet: what the API takes for a page of it, and what somebody sees who scrolls. */
export interface FleetListResult {
  readonly devices: number
  /** From request to answer, of 100 rows; CPU of the collector's process for the first and for one in the middle. */
  readonly firstPageCpuMs: number
  readonly middlePageCpuMs: number
  readonly firstPageMs: number
  readonly middlePageMs: number
  readonly lastPageMs: number
  readonly searchMs: number
  readonly overviewMs: number
  /** From a jump to somewhere in the list until its rows are there. */
  readonly windowMs: number
  /** The same after scrolling past thousands of rows. */
  readonly afterScrollMs: number
  /** Between two frames while it scrolls: the 95th percentile, and the share of frames above 50 ms. */
  readonly frameMs: number
  readonly lateFrames: number
  /** The same while nothing happens: what else keeps this machine busy. */
  readonly idleFrameMs: number
  /** CPU time of the page's main thread for one frame of scrolling: all of it, script, and style with layout. */
  readonly mainMs: number
  readonly scriptMs: number
  readonly layoutMs: number
  /** Tasks of more than 50 ms while it scrolls (W3C Long Tasks), and the longest. */
  readonly longTasks: number
  readonly longestTaskMs: number
}

const RUNS = 7
const HOUR_MS = 3_600_000

/** Devices as they are in a fleet: most are well, some are not, of each kind a part that somebody has to look at. */
export async function fillFleet(store: Store, path: string, devices: number): Promise<void> {
  await addDevices(store, path, 'Bench', [], devices)
  const database = new Database(path)
  const now = Date.now()
  database
    .prepare(
      `update device_states set last_fresh_at = case when device_id % 50 = 0 then ? else ? end,
        verdict = case when device_id % 97 = 0 then 'contraindicated' when device_id % 31 = 0 then 'warning' else 'affirming' end,
        latch = case when device_id % 97 = 0 then 'failed' else 'none' end
        where last_fresh_at is null`,
    )
    .run(now - 48 * HOUR_MS, now)
  database.close()
}

/** `page`: with the list open, of somebody who has logged in. */
export async function measureFleetList(page: Page): Promise<FleetListResult> {
  const total = Number(await page.getAttribute('.virtual li', 'aria-setsize'))
  let cpuMs = 0
  const ask = async (query: string): Promise<number> => {
    const times: number[] = []
    const cpus: number[] = []
    for (let run = 0; run < RUNS; run++) {
      const before = process.cpuUsage()
      times.push(await page.evaluate<number>(TIMED(query)))
      const { user, system } = process.cpuUsage(before)
      cpus.push((user + system) / 1000)
    }
    cpuMs = median(cpus)
    return median(times)
  }
  const list = (offset: number): string => `/fleet/devices?offset=${offset}&limit=100`
  const firstPageMs = await ask(list(0))
  const firstPageCpuMs = cpuMs
  const middlePageMs = await ask(list(Math.floor(total / 2)))
  const middlePageCpuMs = cpuMs
  const lastPageMs = await ask(list(total - 100))
  const searchMs = await ask('/fleet/devices?q=unit%2077777&limit=100')
  const overviewMs = await ask('/fleet')
  const windows: number[] = []
  for (let run = 1; run <= RUNS; run++) windows.push(await page.evaluate<number>(JUMP(run / (RUNS + 1))))
  const { frames, afterScroll, tasks, work } = await scrolled(page)
  const idle = await page.evaluate<number[]>(IDLE)
  return {
    devices: total,
    firstPageCpuMs,
    middlePageCpuMs,
    firstPageMs,
    middlePageMs,
    lastPageMs,
    searchMs,
    overviewMs,
    windowMs: median(windows),
    afterScrollMs: afterScroll,
    frameMs: p95(frames),
    idleFrameMs: p95(idle),
    lateFrames: frames.filter((each) => each > 50).length / frames.length,
    mainMs: work('TaskDuration') / frames.length,
    scriptMs: work('ScriptDuration') / frames.length,
    layoutMs: (work('LayoutDuration') + work('RecalcStyleDuration')) / frames.length,
    longTasks: tasks.length,
    longestTaskMs: Math.max(0, ...tasks),
  }
}

interface Scrolled {
  readonly frames: readonly number[]
  readonly afterScroll: number
  readonly tasks: readonly number[]
}

/** `work`: CPU time of the main thread meanwhile in ms, by what the browser itself counts: what else runs here adds nothing. */
async function scrolled(page: Page): Promise<Scrolled & { readonly work: (name: string) => number }> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const metrics = async (): Promise<ReadonlyMap<string, number>> => {
    const { metrics: all } = await devtools.send('Performance.getMetrics')
    return new Map(all.map(({ name, value }) => [name, value * 1000]))
  }
  const before = await metrics()
  const seen = await page.evaluate<Scrolled>(SCROLL)
  const after = await metrics()
  await devtools.detach()
  return { ...seen, work: (name) => (after.get(name) ?? 0) - (before.get(name) ?? 0) }
}

const p95 = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)] ?? 0

const TIMED = (path: string): string => `(async () => {
  const start = performance.now()
  await (await fetch('/api/v1${path}')).text()
  return performance.now() - start
})()`

/** Resolves when every row on the screen has its content. */
const SHOWN = `const places = () => new Set([...document.querySelectorAll('.virtual li')].map((row) => row.getAttribute('aria-posinset')))
const shown = (before = new Set()) => new Promise((resolve) => {
  const look = () => {
    const rows = [...document.querySelectorAll('.virtual li')].filter((row) => {
      const { top, bottom } = row.getBoundingClientRect()
      return bottom > 0 && top < innerHeight
    })
    const isNew = !rows.some((row) => before.has(row.getAttribute('aria-posinset')))
    if (isNew && rows.length > 0 && rows.every((row) => row.querySelector('a.row') !== null)) resolve()
    else requestAnimationFrame(look)
  }
  requestAnimationFrame(() => requestAnimationFrame(look))
})`

const IDLE = `(async () => {
  const frames = []
  let before = performance.now()
  for (let frame = 0; frame < 120; frame++) {
    const now = await new Promise(requestAnimationFrame)
    frames.push(now - before)
    before = now
  }
  return frames.slice(1)
})()`

const JUMP = (share: number): string => `(async () => {
  ${SHOWN}
  const before = places()
  const start = performance.now()
  scrollTo({ top: document.documentElement.scrollHeight * ${share}, behavior: 'instant' })
  await shown(before)
  return performance.now() - start
})()`

const SCROLL = `(async () => {
  ${SHOWN}
  scrollTo({ top: 0, behavior: 'instant' })
  await shown()
  const frames = []
  const tasks = []
  const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
  observer.observe({ type: 'longtask' })
  let before = performance.now()
  for (let frame = 0; frame < 240; frame++) {
    scrollBy({ top: 1500, behavior: 'instant' })
    const now = await new Promise(requestAnimationFrame)
    frames.push(now - before)
    before = now
  }
  const end = performance.now()
  await shown()
  const afterScroll = performance.now() - end
  observer.disconnect()
  return { frames: frames.slice(1), afterScroll, tasks }
})()`

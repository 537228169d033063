import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { logInAs, openBrowser } from '../support/browser.ts'
import { openWebSite } from '../support/web-site.ts'
import { fillFleet, measureFleetList, type FleetListResult } from './fleet-list.ts'
import { median } from './statistics.ts'

export interface WebResult {
  /** JavaScript of the first page, as it travels: Brotli, and gzip for those that take nothing else. */
  readonly scriptKiB: number
  readonly scriptGzipKiB: number
  readonly styleKiB: number
  /** With the processor slowed down four times, from the request on. */
  readonly firstContentMs: number
  readonly firstRowMs: number
  readonly list: FleetListResult
}

const RUNS = 7
const GATEWAYS = 100
const SLOWED = 4
/** In the list; the first page is measured with them as well. */
const LISTED = 100_000

const sizeOf = (directory: string, ending: string): number =>
  readdirSync(directory)
    .filter((file) => file.startsWith('index-') && file.endsWith(ending))
    .reduce((sum, file) => sum + statSync(join(directory, file)).size, 0) / 1024

/** The first page of the dashboard, by a real collector, in Debian's chromium. */
export async function measureWeb(repository: string): Promise<WebResult> {
  const assets = join(repository, 'dist', 'web', 'assets')
  const site = await openWebSite(GATEWAYS, { fill: (store, path) => fillFleet(store, path, LISTED) })
  const browser = await openBrowser()
  try {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    await page.goto(site.url)
    await logInAs(page, site.people.operator)
    await page.waitForSelector('.virtual a.row')
    const list = await measureFleetList(page)
    await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: SLOWED })
    const runs = []
    for (let run = 0; run < RUNS; run++) runs.push(await open(page, site.url))
    return {
      scriptKiB: sizeOf(assets, '.js.br'),
      scriptGzipKiB: sizeOf(assets, '.js.gz'),
      styleKiB: sizeOf(assets, '.css.br'),
      firstContentMs: median(runs.map(({ firstContent }) => firstContent)),
      firstRowMs: median(runs.map(({ firstRow }) => firstRow)),
      list,
    }
  } finally {
    await browser.close()
    await site.close()
  }
}

async function open(page: Page, url: string): Promise<{ readonly firstContent: number; readonly firstRow: number }> {
  await page.goto(url, { waitUntil: 'commit' })
  await page.waitForSelector('.virtual a.row')
  const firstRow = await page.evaluate<number>('performance.now()')
  const firstContent = await page.evaluate<number>(
    `performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0`,
  )
  return { firstContent, firstRow }
}

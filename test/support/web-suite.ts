import { existsSync } from 'node:fs'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject } from 'vitest'
import { buildWeb } from '../../deploy/bundle/build-web.mjs'
import { logInAs, openBrowser, openPage, type Watched } from './browser.ts'
import { once } from './once.ts'
import { openWebSite, type Person, type WebSite } from './web-site.ts'

/** How many gateways have reported to the collector whose pages are tried. */
export const GATEWAYS = Number(process.env['KEEPSEAL_WEB_GATEWAYS'] ?? 1000)

const hasBrowser = existsSync(process.env['KEEPSEAL_CHROMIUM'] ?? '/usr/bin/chromium')

/** A collector with the built pages and its fleet, and a browser: what every browser test begins with. */
export interface WebSuite {
  readonly site: WebSite
  readonly browser: Browser
  /** Of this test: one person in front of one screen. */
  readonly context: BrowserContext
  readonly page: Page
  /** Goes there, and logs in; the operator without a person. */
  open(path: string, person?: Person): Promise<Page>
}

/** Tests of pages. Each fails where a page has said something that no page should, or asked anybody else for something. */
export function describePages(title: string, tests: (suite: WebSuite) => void): void {
  describe.skipIf(!hasBrowser)(`${title}${hasBrowser ? '' : ' (skipped: no chromium)'}`, () => {
    let site: WebSite | undefined
    let browser: Browser | undefined
    let context: BrowserContext | undefined
    let watched: Watched | undefined
    const there = <T>(each: T | undefined): T => {
      if (each === undefined) throw new Error('only within a test')
      return each
    }

    beforeAll(async () => {
      const shared = inject('webFleets')
      await once(shared, 'pages', async () => {
        await buildWeb()
        return null
      })
      site = await openWebSite(GATEWAYS, { shared })
      browser = await openBrowser()
    }, 900_000)
    afterAll(async () => {
      await browser?.close()
      await site?.close()
    })
    beforeEach(async () => {
      context = await there(browser).newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' })
      watched = await openPage(context, there(site).url)
    })
    afterEach(async () => {
      await context?.close()
      expect(watched?.faults).toEqual([])
      expect(watched?.foreign).toEqual([])
    })

    tests({
      get site() {
        return there(site)
      },
      get browser() {
        return there(browser)
      },
      get context() {
        return there(context)
      },
      get page() {
        return there(watched).page
      },
      async open(path, person = there(site).people.operator) {
        const { page } = there(watched)
        await page.goto(there(site).url + path)
        await logInAs(page, person)
        await page.waitForSelector('header.top')
        return page
      },
    })
  })
}

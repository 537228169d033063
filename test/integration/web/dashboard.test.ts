import { existsSync } from 'node:fs'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { buildWeb } from '../../../deploy/bundle/build-web.mjs'
import {
  expectAccessible,
  logInAs,
  openBrowser,
  openPage,
  takeScreenshots,
  type Watched,
} from '../../support/browser.ts'
import { openWebSite, type Person, type WebSite } from '../../support/web-site.ts'

/** Each sends signed evidence: some are made within two minutes on a busy machine; KEEPSEAL_WEB_GATEWAYS=1000 takes more. */
const GATEWAYS = Number(process.env['KEEPSEAL_WEB_GATEWAYS'] ?? 300)
const hasBrowser = existsSync(process.env['KEEPSEAL_CHROMIUM'] ?? '/usr/bin/chromium')

describe.skipIf(!hasBrowser)(`the dashboard in a browser${hasBrowser ? '' : ' (skipped: no chromium)'}`, () => {
  let site: WebSite
  let browser: Browser
  let context: BrowserContext
  let watched: Watched

  beforeAll(async () => {
    await buildWeb()
    site = await openWebSite(GATEWAYS)
    browser = await openBrowser()
  }, 900_000)
  afterAll(async () => {
    await browser?.close()
    await site?.close()
  })
  beforeEach(async () => {
    context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' })
    watched = await openPage(context, site.url)
  })
  afterEach(async () => {
    await context.close()
    expect(watched.faults).toEqual([])
    expect(watched.foreign).toEqual([])
  })

  const open = async (path: string, person: Person = site.people.operator): Promise<Watched['page']> => {
    const { page } = watched
    await page.goto(site.url + path)
    await logInAs(page, person)
    await page.waitForSelector('header.top')
    return page
  }

  it('asks who somebody is, and says what is wrong with a login', async () => {
    const { page } = watched
    await page.goto(site.url)
    await expectAccessible(page)
    await takeScreenshots(page, 'login')
    await logInAs(page, { ...site.people.operator, password: 'another password', code: () => '000000' })
    expect(await page.textContent('[role=alert]')).toContain('auth.login-failed')
    expect(await page.inputValue('[name=login]')).toBe(site.people.operator.login)
  })

  it('says in its first line how much of the fleet is proven good, and lists first what is not', async () => {
    const page = await open('/')
    await page.waitForSelector('.virtual a.row')
    expect(await page.textContent('[data-testid=first-line]')).toBe(
      `${GATEWAYS - 2} of ${GATEWAYS} devices proven good, of which 0 with a certified TPM`,
    )
    const rows = await page.$$eval('.virtual a.row', (all) => all.slice(0, 3).map((each) => each.getAttribute('href')))
    expect(rows.slice(0, 2)).toEqual([`/devices/${site.tampered}`, `/devices/${site.drifted}`])
    expect(await page.textContent('.virtual li:first-child')).toContain('Failed')
    await expectAccessible(page)
    await takeScreenshots(page, 'fleet')
  })

  it('keeps filters and search in the address', async () => {
    const page = await open('/?standing=failed')
    await page.waitForSelector('.virtual a.row')
    expect(await page.$$eval('.virtual a.row', (all) => all.length)).toBe(1)
    await page.selectOption('.filters select >> nth=0', '')
    await page.fill('[type=search]', site.drifted.slice(0, 20))
    await page.waitForURL(/q=01/)
    await page.waitForSelector(`.virtual li[aria-setsize='1'] a`)
    await page.reload()
    await page.waitForSelector('.virtual a.row')
    expect(await page.getAttribute('.virtual a.row', 'href')).toBe(`/devices/${site.drifted}`)
  })

  it('shows in two clicks which gateway was tampered with, and by what', async () => {
    const page = await open('/')
    await page.click('.virtual li:first-child a')
    await page.waitForSelector('[data-testid=why]')
    expect(await page.textContent('[data-testid=why]')).toContain('the kernel image is not the approved one')
    await page.waitForSelector('.chain li.bad')
    expect(await page.textContent('.chain li.bad')).toContain('Kernel')
    expect(await page.$$eval('.chain li.good', (all) => all.length)).toBeGreaterThanOrEqual(3)
    await page.waitForSelector('#listeners ~ .table tbody tr')
    await expectAccessible(page)
    await takeScreenshots(page, 'device')
  })

  it('marks a port that nobody has approved', async () => {
    const page = await open(`/devices/${site.drifted}`)
    await page.waitForSelector('#listeners ~ .table tbody tr')
    const first = await page.textContent('#listeners ~ .table tbody tr:first-child')
    expect(first).toContain('Not approved')
    expect(first).toContain('tcp/0.0.0.0:4444')
  })

  it('speaks German, with the dates and numbers of the language', async () => {
    const page = await open(`/devices/${site.tampered}`)
    await page.selectOption('.preferences select >> nth=1', 'de')
    await page.waitForSelector('html[lang=de] nav >> text=Flotte')
    await page.waitForSelector('.chain li.bad')
    expect(await page.textContent('.chain li.bad')).toContain('Weicht ab')
    expect(await page.textContent('[data-testid=why]')).toContain('das Kernel-Image ist nicht das freigegebene')
  })

  it('reaches everything by the keyboard, and says on which page somebody has arrived', async () => {
    const page = await open('/')
    await page.waitForSelector('.virtual a.row')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.className')).toBe('skip')
    await page.focus('.virtual li:first-child a')
    await page.keyboard.press('Enter')
    await page.waitForSelector('[data-testid=why]')
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1')
    expect(await page.title()).toContain('Device')
  })

  it('comes back by itself when the collector was restarted', async () => {
    const page = await open('/')
    await page.waitForSelector('.live .good')
    await site.restart()
    await page.waitForSelector('.live .warn')
    await page.waitForSelector('.live .good', { timeout: 20_000 })
    await page.waitForSelector('[role=alert]', { state: 'detached' })
  })

  it('asks to log in again on top of the page when the session is over, and does then what was asked for', async () => {
    const page = await open('/')
    await page.waitForSelector('.virtual a.row')
    await page.fill('[type=search]', 'SIM-00000')
    await page.waitForURL(/q=SIM/)
    await page.waitForSelector('.virtual a.row')
    await context.clearCookies()
    await page.click('.virtual li:first-child a')
    await page.waitForSelector('dialog[open]')
    await logInAs(page, site.people.operator)
    await page.waitForSelector('dialog', { state: 'detached' })
    await page.waitForSelector('[data-testid=why]')
  })
})

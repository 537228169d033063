import { expect, it } from 'vitest'
import { expectAccessible, logInAs, takeScreenshots } from '../../support/browser.ts'
import { describePages, GATEWAYS } from '../../support/web-suite.ts'

const shown = (count: number): string => count.toLocaleString('en')

describePages('the dashboard in a browser', (suite) => {
  it('asks who somebody is, and says what is wrong with a login', async () => {
    const { page } = suite
    await page.goto(suite.site.url)
    await expectAccessible(page)
    await takeScreenshots(page, 'login')
    await logInAs(page, { ...suite.site.people.operator, password: 'another password', code: () => '000000' })
    expect(await page.textContent('[role=alert]')).toContain('auth.login-failed')
    expect(await page.inputValue('[name=login]')).toBe(suite.site.people.operator.login)
  })

  it('says in its first line how much of the fleet is proven good, and lists first what is not', async () => {
    const page = await suite.open('/')
    await page.waitForSelector('.virtual a.row')
    expect(await page.textContent('[data-testid=first-line]')).toBe(
      `${shown(GATEWAYS - 2)} of ${shown(GATEWAYS)} devices proven good, of which 0 with a certified TPM`,
    )
    const rows = await page.$$eval('.virtual a.row', (all) => all.slice(0, 3).map((each) => each.getAttribute('href')))
    expect(rows.slice(0, 2)).toEqual([`/devices/${suite.site.tampered}`, `/devices/${suite.site.drifted}`])
    expect(await page.textContent('.virtual li:first-child')).toContain('Failed')
    await expectAccessible(page)
    await takeScreenshots(page, 'fleet')
  })

  it('keeps filters and search in the address', async () => {
    const page = await suite.open('/?standing=failed')
    await page.waitForSelector('.virtual a.row')
    expect(await page.$$eval('.virtual a.row', (all) => all.length)).toBe(1)
    await page.selectOption('.filters select >> nth=0', '')
    await page.fill('[type=search]', suite.site.drifted.slice(0, 20))
    await page.waitForURL(/q=01/)
    await page.waitForSelector(`.virtual li[aria-setsize='1'] a`)
    await page.reload()
    await page.waitForSelector('.virtual a.row')
    expect(await page.getAttribute('.virtual a.row', 'href')).toBe(`/devices/${suite.site.drifted}`)
  })

  it('shows in two clicks which gateway was tampered with, and by what', async () => {
    const page = await suite.open('/')
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
    const page = await suite.open(`/devices/${suite.site.drifted}`)
    await page.waitForSelector('#listeners ~ .table tbody tr')
    const first = await page.textContent('#listeners ~ .table tbody tr:first-child')
    expect(first).toContain('Not approved')
    expect(first).toContain('tcp/0.0.0.0:4444')
  })

  it('speaks German, with the dates and numbers of the language', async () => {
    const page = await suite.open(`/devices/${suite.site.tampered}`)
    await page.selectOption('.preferences select >> nth=1', 'de')
    await page.waitForSelector('html[lang=de] nav >> text=Flotte')
    await page.waitForSelector('.chain li.bad')
    expect(await page.textContent('.chain li.bad')).toContain('Weicht ab')
    expect(await page.textContent('[data-testid=why]')).toContain('das Kernel-Image ist nicht das freigegebene')
  })

  it('reaches everything by the keyboard, and says on which page somebody has arrived', async () => {
    const page = await suite.open('/')
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
    const page = await suite.open('/')
    await page.waitForSelector('.live .good')
    await suite.site.restart()
    await page.waitForSelector('.live .warn')
    await page.waitForSelector('.live .good', { timeout: 20_000 })
    await page.waitForSelector('[role=alert]', { state: 'detached' })
  })

  it('asks to log in again on top of the page when the session is over, and does then what was asked for', async () => {
    const page = await suite.open('/')
    await page.waitForSelector('.virtual a.row')
    await page.fill('[type=search]', 'SIM-00000')
    await page.waitForURL(/q=SIM/)
    await page.waitForSelector('.virtual a.row')
    await suite.context.clearCookies()
    await page.click('.virtual li:first-child a')
    await page.waitForSelector('dialog[open]')
    await logInAs(page, suite.site.people.operator)
    await page.waitForSelector('dialog', { state: 'detached' })
    await page.waitForSelector('[data-testid=why]')
  })
})

import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openStore } from '../../../collector/store/index.ts'
import { expectAccessible, logInAs, takeScreenshots } from '../../support/browser.ts'
import { describePages } from '../../support/web-suite.ts'

describePages('pages beside the fleet', (suite) => {
  it('answer the main question of each, for programs that read them aloud as well', async () => {
    const page = await suite.open('/products')
    const pages = [
      ['/products', 'main table', 'products'],
      [`/products/${suite.site.productId}`, '#findings ~ .table', 'product'],
      [`/products/${suite.site.productId}/practices`, '.matrix', 'practices'],
      [`/products/${suite.site.productId}/practices/patch-management`, '.signal', 'practice'],
      ['/certificates', '.cards li', 'certificates'],
      ['/certificates/crt_1', '#profile ~ table', 'certificate'],
      ['/cases', '.board .cards li', 'cases'],
    ] as const
    for (const [path, selector, name] of pages) {
      await page.goto(suite.site.url + path)
      await page.waitForSelector(selector)
      await expectAccessible(page)
      await takeScreenshots(page, name)
    }
    expect(await page.textContent('.board')).toContain('the kernel image is not the approved one')
  }, 240_000)

  it('spell out the guards of a decision, and show what somebody else has changed meanwhile', async () => {
    const page = await suite.open('/cases', suite.site.people.certifier)
    await page.click('.board .cards a')
    await page.fill('textarea', "it is one, isn't it")
    await page.selectOption('select[name=author]', 'per_vendor')
    await page.click('.form button[type=submit]')
    await page.waitForSelector('#decision ~ [role=status] li')
    await expectAccessible(page)
    await takeScreenshots(page, 'case')
    // Somebody else, elsewhere: the case has grown.
    const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''
    const { store, close } = await openStore({ path: join(suite.site.directory, 'data', 'collector.db') })
    await store.cases.setSeverity(id, 'critical')
    await close()
    await page.click('.form button[type=submit]')
    await page.waitForSelector('#decision ~ [role=alert]')
    expect(await page.inputValue('textarea')).toBe("it is one, isn't it")
  })

  it('keep what was typed when the session ends in the middle of a form', async () => {
    const page = await suite.open('/cases')
    await page.click('.board .cards a')
    await page.fill('textarea', 'a long reason')
    await page.selectOption('select[name=author]', 'per_vendor')
    await suite.context.clearCookies()
    await page.click('.form button[type=submit]')
    await page.waitForSelector('dialog[open]')
    await expectAccessible(page)
    await logInAs(page, suite.site.people.operator)
    await page.waitForSelector('dialog', { state: 'detached' })
    await page.waitForSelector('#decision ~ [role=status] li')
    expect(await page.inputValue('textarea')).toBe('a long reason')
  })

  it('show a name with markup in it as it is, and thousands of listeners without a stutter', async () => {
    const page = await suite.open('/')
    const name = '<img src=x onerror=alert(1)>'
    const listener = (port: number) => ({
      protocol: 'tcp',
      family: 'ipv4',
      scope: 'any',
      address: '0.0.0.0',
      port,
      owner: 'none',
    })
    const listeners = Array.from({ length: 5_000 }, (_, port) => listener(port + 1))
    const section = { id: 'sockets', digest: '0'.repeat(64), status: 'measured', reason: null, content: { listeners } }
    await page.route('**/api/v1/devices/*/posture', (route) =>
      route.fulfill({ json: { postureDigest: null, sections: [section] } }),
    )
    await page.route(`**/api/v1/devices/${suite.site.tampered}`, async (route) => {
      const answer = await route.fetch()
      await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), serial: name } })
    })
    await page.goto(`${suite.site.url}/devices/${suite.site.tampered}`)
    await page.waitForSelector('#listeners ~ .table tbody tr')
    expect(await page.textContent('h1')).toContain(name)
    expect(await page.$$eval('main img', (all) => all.length)).toBe(0)
    expect(await page.$$eval('#listeners ~ .table tbody tr', (all) => all.length)).toBeLessThanOrEqual(200)
  })

  describe('the public page of a certificate', () => {
    it('is verified in the browser of whoever looks at it', async () => {
      const { page } = suite
      await page.goto(`${suite.site.url}/c/crt_1`)
      await page.waitForSelector('#verify .good')
      await expectAccessible(page)
      await takeScreenshots(page, 'public')
      // Readable in the dark as well.
      await page.emulateMedia({ colorScheme: 'dark' })
      await expectAccessible(page)
    })

    it('is in the language that the browser prefers, and in the other by its link', async () => {
      const german = await suite.browser.newContext({ locale: 'de-DE', javaScriptEnabled: true })
      const page = await german.newPage()
      await page.goto(`${suite.site.url}/c/crt_1`)
      await page.waitForSelector('#verify .good')
      expect(await page.getAttribute('html', 'lang')).toBe('de')
      expect(await page.textContent('.state')).toBe('gültig')
      expect(await page.textContent('main, body')).toContain('Zugriffskontrolle')
      expect(await page.textContent('#verify .good')).toContain('hat die Signatur geprüft')
      await expectAccessible(page)
      await page.click('a[hreflang=en]')
      await page.waitForSelector('#verify .good')
      expect(await page.getAttribute('html', 'lang')).toBe('en')
      expect(await page.textContent('.state')).toBe('valid')
      await page.fill('[name=model]', 'EG-420')
      await page.fill('[name=serial]', 'SIM-0000001')
      await page.click('form button')
      await page.click('a[hreflang=de]')
      expect(await page.textContent('.state')).toBe('Nicht erfasst')
      await german.close()
    })

    it('says in red, with the reason, that its status was tampered with', async () => {
      const { page } = suite
      await page.route('**/c/crt_1/status', async (route) => {
        const answer = await route.fetch()
        const body = await answer.body()
        body[100] = (body[100] as number) ^ 1
        await route.fulfill({ response: answer, body })
      })
      await page.goto(`${suite.site.url}/c/crt_1`)
      await page.waitForSelector('#verify .bad')
      expect(await page.textContent('#verify .bad')).toContain('Not verified')
      await page.screenshot({ path: join('.cache', 'screenshots', 'public-tampered.png'), fullPage: true })
    })

    it('has its facts, and answers whether a unit is covered, without JavaScript', async () => {
      const plain = await suite.browser.newContext({ javaScriptEnabled: false, viewport: { width: 375, height: 800 } })
      const page = await plain.newPage()
      await page.goto(`${suite.site.url}/c/crt_1`)
      expect(await page.textContent('.state')).toBe('valid')
      await page.fill('[name=model]', 'EG-420')
      await page.fill('[name=serial]', 'SIM-0000001')
      await page.click('button[type=submit]')
      await page.waitForSelector('.state')
      expect(await page.textContent('.state')).toBe('Not covered')
      await plain.close()
    })
  })
})

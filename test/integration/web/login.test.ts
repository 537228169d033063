import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { expectAccessible, logInAs, openPage, takeScreenshots } from '../../support/browser.ts'
import { freePort } from '../../support/mosquitto.ts'
import { TestOidcProvider } from '../../support/oidc-provider.ts'
import { VirtualPasskeys } from '../../support/virtual-passkeys.ts'
import type { Person } from '../../support/web-site.ts'
import { describePages } from '../../support/web-suite.ts'

/** On the page of one's own account. */
async function add(page: Page, name: string, { password, code }: Person): Promise<void> {
  await page.fill('[name=passkey-name]', name)
  await page.fill('[name=passkey-password]', password)
  await page.fill('[name=passkey-code]', code())
  await page.click('form.form button[type=submit]')
}

async function logOut(page: Page): Promise<void> {
  await page.click('footer button.link')
  await page.waitForSelector('#login-passkey')
}

/** Whose session it is. */
const nameOf = (page: Page): Promise<string> =>
  page.evaluate(`fetch('/api/v1/session').then((answer) => answer.json()).then(({ account }) => account.name)`)

describePages('the page to log in on', (suite) => {
  let provider: TestOidcProvider
  let publicUrl: string

  beforeAll(async () => {
    publicUrl = `https://localhost:${await freePort()}`
    provider = await TestOidcProvider.start(`${publicUrl}/api/v1/session/oidc/return`)
    provider.people.set('petra', ['staff'])
  })
  afterAll(() => provider?.stop())

  const inContext = async (
    act: (context: BrowserContext) => Promise<void>,
    ignoreHTTPSErrors = false,
  ): Promise<void> => {
    const context = await suite.browser.newContext({ locale: 'en-GB', ignoreHTTPSErrors })
    try {
      await act(context)
    } finally {
      await context.close()
    }
  }

  it('lets in by a passkey, to the page that was wanted', () =>
    inContext(async (context) => {
      // Passkeys are for the address that the pages are served at: the port has to be known.
      await suite.site.restart()
      const { page, faults, foreign } = await openPage(context, suite.site.url)
      await VirtualPasskeys.of(page)
      await page.goto(suite.site.url)
      await page.waitForSelector('#login-passkey')
      expect(await page.locator('#login-provider').count()).toBe(0)
      await expectAccessible(page)

      await logInAs(page, suite.site.people.operator)
      await page.waitForSelector('header.top')
      await page.click('footer a[href="/account"]')
      await page.waitForSelector('text=You have none yet.')
      // It has an address, as every page has.
      await page.reload()
      await page.waitForSelector('text=You have none yet.')
      await add(page, 'Laptop', { ...suite.site.people.operator, password: 'another password' })
      await page.waitForSelector('form [role=alert] .code')
      expect(await page.inputValue('[name=passkey-name]')).toBe('Laptop')
      await add(page, '<b>Laptop</b>', suite.site.people.operator)
      await page.waitForSelector('[data-testid=added]')
      expect(await page.textContent('main .cards')).toContain('<b>Laptop</b>')
      await expectAccessible(page)
      await takeScreenshots(page, 'account')
      // The same authenticator has one now.
      await add(page, 'Again', suite.site.people.operator)
      await page.waitForSelector('[role=alert]:has-text("has a passkey of your account already")')

      await logOut(page)
      await page.goto(`${suite.site.url}/certificates`)
      await page.click('#login-passkey')
      await page.waitForSelector('header.top')
      expect(new URL(page.url()).pathname).toBe('/certificates')
      expect(await nameOf(page)).toBe('Olga Operator')

      await page.click('footer a[href="/account"]')
      await page.waitForSelector('main .cards li:has-text("Used last")')
      await page.click('main .cards button')
      await page.click('main .cards .note button.primary')
      await page.waitForSelector('text=You have none yet.')
      await logOut(page)
      await page.click('#login-passkey')
      await page.waitForSelector('.others [role=alert]:has-text("auth.login-failed")')
      expect([faults, foreign]).toEqual([[], []])
    }))

  it('says so where no passkey was used, and leaves the form', () =>
    inContext(async (context) => {
      const { page, faults } = await openPage(context, suite.site.url)
      const debuggerOfPage = await context.newCDPSession(page)
      await debuggerOfPage.send('WebAuthn.enable')
      await page.goto(suite.site.url)
      await page.evaluate(`navigator.credentials.get = () => Promise.reject(new DOMException('no', 'NotAllowedError'))`)
      await page.click('#login-passkey')
      await page.waitForSelector('.others [role=status]')
      expect(await page.locator('[name=login]').count()).toBe(1)
      expect(faults).toEqual([])
    }))

  it('sends to the provider of OpenID Connect, and comes back to the page that was wanted', () =>
    inContext(async (context) => {
      const secret = join(suite.site.directory, 'oidc-secret')
      writeFileSync(secret, provider.client.client_secret, { mode: 0o600 })
      await suite.site.restart(
        `http.public_url=${publicUrl}`,
        `http.port=${new URL(publicUrl).port}`,
        `oidc.issuer=${provider.issuer}`,
        `oidc.client_id=${provider.client.client_id}`,
        `oidc.client_secret_file=${secret}`,
        'oidc.roles=staff = operator',
      )
      const { page, faults } = await openPage(context, publicUrl)
      await page.goto(`${publicUrl}/cases`)
      expect(await page.innerText('#login-provider')).toContain(new URL(provider.issuer).host)
      await expectAccessible(page)
      await page.click('#login-provider')
      // The form that was left has a field of that name as well.
      await page.waitForURL(({ href }) => href.startsWith(provider.issuer))
      await page.fill('[name=login]', 'petra')
      await page.fill('[name=password]', 'any')
      await page.click('button[type=submit]')
      await page.click('button[type=submit]')
      await page.waitForSelector('header.top')
      expect(page.url()).toBe(`${publicUrl}/cases`)
      expect(await nameOf(page)).toBe('petra of a test')
      expect(faults).toEqual([])
    }, true))
})

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildWeb } from '../../../deploy/bundle/build-web.mjs'
import { expectAccessible, logInAs, openBrowser, openPage } from '../../support/browser.ts'
import { freePort } from '../../support/mosquitto.ts'
import { TestOidcProvider } from '../../support/oidc-provider.ts'
import { openWebSite, type WebSite } from '../../support/web-site.ts'

const hasBrowser = existsSync(process.env['KEEPSEAL_CHROMIUM'] ?? '/usr/bin/chromium')

/** A passkey of this browser's own: WebAuthn Level 3 section 11, by the debugger's way. */
async function addAuthenticator(page: Page): Promise<void> {
  const debuggerOfPage = await page.context().newCDPSession(page)
  await debuggerOfPage.send('WebAuthn.enable')
  await debuggerOfPage.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}

/** What docs/access.md says to do for a passkey of one's own. */
const registering = (password: string, code: string): string => `(async () => {
  const { csrfToken } = await (await fetch('/api/v1/session')).json()
  const post = async (path, body) => {
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken }
    const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(await answer.text())
    return answer.json()
  }
  const { publicKey } = await post('/api/v1/session/passkeys/begin', ${JSON.stringify({ password, code })})
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(publicKey)
  const credential = await navigator.credentials.create({ publicKey: options })
  const { response } = credential.toJSON()
  await post('/api/v1/session/passkeys', { name: 'Test', credential: { response } })
})()`

/** Whose session it is. */
const nameOf = (page: Page): Promise<string> =>
  page.evaluate(`fetch('/api/v1/session').then((answer) => answer.json()).then(({ account }) => account.name)`)

describe.skipIf(!hasBrowser)(`the page to log in on${hasBrowser ? '' : ' (skipped: no chromium)'}`, () => {
  let site: WebSite
  let browser: Browser
  let provider: TestOidcProvider
  let publicUrl: string

  beforeAll(async () => {
    await buildWeb()
    site = await openWebSite(2)
    publicUrl = `https://localhost:${await freePort()}`
    provider = await TestOidcProvider.start(`${publicUrl}/api/v1/session/oidc/return`)
    provider.people.set('petra', ['staff'])
    browser = await openBrowser()
  }, 240_000)
  afterAll(async () => {
    await browser?.close()
    await site?.close()
    await provider?.stop()
  })

  const inContext = async (
    act: (context: BrowserContext) => Promise<void>,
    ignoreHTTPSErrors = false,
  ): Promise<void> => {
    const context = await browser.newContext({ locale: 'en-GB', ignoreHTTPSErrors })
    try {
      await act(context)
    } finally {
      await context.close()
    }
  }

  it('lets in by a passkey, to the page that was wanted', () =>
    inContext(async (context) => {
      // Passkeys are for the address that the pages are served at: the port has to be known.
      await site.restart()
      const { page, faults, foreign } = await openPage(context, site.url)
      await addAuthenticator(page)
      await page.goto(site.url)
      await page.waitForSelector('#login-passkey')
      expect(await page.locator('#login-provider').count()).toBe(0)
      await expectAccessible(page)

      await logInAs(page, site.people.operator)
      await page.waitForSelector('header.top')
      const { password, code } = site.people.operator
      await page.evaluate(registering(password, code()))
      await page.evaluate(`fetch('/api/v1/session').then((answer) => answer.json()).then(({ csrfToken }) =>
        fetch('/api/v1/session', { method: 'DELETE', headers: { 'x-csrf-token': csrfToken } }))`)

      await page.goto(`${site.url}/certificates`)
      await page.click('#login-passkey')
      await page.waitForSelector('header.top')
      expect(new URL(page.url()).pathname).toBe('/certificates')
      expect(await nameOf(page)).toBe('Olga Operator')
      expect([faults, foreign]).toEqual([[], []])
    }))

  it('says so where no passkey was used, and leaves the form', () =>
    inContext(async (context) => {
      const { page, faults } = await openPage(context, site.url)
      const debuggerOfPage = await context.newCDPSession(page)
      await debuggerOfPage.send('WebAuthn.enable')
      await page.goto(site.url)
      await page.evaluate(`navigator.credentials.get = () => Promise.reject(new DOMException('no', 'NotAllowedError'))`)
      await page.click('#login-passkey')
      await page.waitForSelector('.others [role=status]')
      expect(await page.locator('[name=login]').count()).toBe(1)
      expect(faults).toEqual([])
    }))

  it('sends to the provider of OpenID Connect, and comes back to the page that was wanted', () =>
    inContext(async (context) => {
      const secret = join(site.directory, 'oidc-secret')
      writeFileSync(secret, provider.client.client_secret, { mode: 0o600 })
      await site.restart(
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
      await page.waitForSelector('[name=login]')
      expect(page.url().startsWith(provider.issuer)).toBe(true)
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

import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fromBase64Url } from '../../../shared/bytes/bytes.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
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

const hasBrowser = existsSync(process.env['KEEPSEAL_CHROMIUM'] ?? '/usr/bin/chromium')

describe.skipIf(!hasBrowser)(`what people ask of the pages${hasBrowser ? '' : ' (skipped: no chromium)'}`, () => {
  let site: WebSite
  let browser: Browser
  let context: BrowserContext
  let watched: Watched

  beforeAll(async () => {
    await buildWeb()
    site = await openWebSite(6)
    browser = await openBrowser()
  }, 240_000)
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

  it('attests now: asked, not yet answered, and then what this evidence says, without a reload', async () => {
    const page = await open(`/devices/${site.drifted}`)
    await page.waitForSelector('[data-testid=asked]:has-text("not asked yet")')
    await page.click('.attest button')
    await page.waitForSelector('[data-testid=asked]:has-text("not yet answered")', { timeout: 15_000 })
    await expectAccessible(page)
    await page.click('.attest button')
    await page.waitForSelector('.attest [role=alert]:has-text("challenge.too-soon")')
    await site.answer(site.drifted)
    await page.waitForSelector('[data-testid=asked] .code', { timeout: 15_000 })
    expect(await page.textContent('[data-testid=asked]')).toContain('sockets.listener-added')
    await takeScreenshots(page, 'device-asked')
    // Whoever only reads sees what came of it, and asks nothing.
    await context.clearCookies()
    const certifier = await open(`/devices/${site.drifted}`, site.people.certifier)
    await certifier.waitForSelector('[data-testid=asked] .code')
    expect(await certifier.$$eval('.attest button', (all) => all.length)).toBe(0)
  })

  it('shows boots between the verdicts', async () => {
    const page = await open(`/devices/${site.tampered}`)
    await page.waitForSelector('.timeline .boot')
    expect(await page.$$eval('.timeline .boot', (all) => all.length)).toBe(2)
  })

  it('names who decided what about a certificate, and verifies the signed log in the browser', async () => {
    const page = await open('/certificates/crt_1', site.people.certifier)
    await page.waitForSelector('[data-testid=log-verified], #log ~ [role=alert]')
    expect(await page.textContent('#log ~ p:not(.hint)')).toContain('Verified here')
    expect(await page.textContent('.stages [aria-current=step]')).toContain('In force')
    expect(await page.textContent('.decisions')).toMatch(/certifier/i)
    await page.click('.decisions li:first-child summary')
    await expectAccessible(page)
    await takeScreenshots(page, 'certificate-log')
  })

  it('says that a log does not hold in which one byte is another', async () => {
    const { page } = watched
    await page.route('**/api/v1/certificates/crt_1/file', async (route) => {
      const answer = await route.fetch()
      const { file } = (await answer.json()) as { file: string }
      // Within the entries, which stand first.
      const bytes = Buffer.from(file, 'base64url')
      bytes[400] = (bytes[400] as number) ^ 1
      await route.fulfill({ response: answer, json: { file: bytes.toString('base64url') } })
    })
    await open('/certificates/crt_1', site.people.certifier)
    await page.waitForSelector('#log ~ [role=alert]')
    expect(await page.textContent('#log ~ [role=alert]')).toContain('does not hold')
    expect(await page.$$eval('[data-testid=log-verified]', (all) => all.length)).toBe(0)
  })

  it('says what a case touches: practices, devices, certificates', async () => {
    const page = await open('/cases')
    await page.click('.board .cards a')
    await page.waitForSelector('#impact ~ .pair a[href^="/certificates/"]')
    expect(await page.textContent('#impact ~ .pair')).toMatch(/1 of 6/)
    await expectAccessible(page)
    await takeScreenshots(page, 'case-impact')
  })

  it('has a passkey sign a decision, and shows somebody else who is at it that he was overtaken', async () => {
    const page = await open('/cases', site.people.certifier)
    const other = await context.newPage()
    await other.goto(`${site.url}/cases`)
    await other.click('.board .cards a')
    await other.fill('textarea', 'mine, typed before')

    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    const key = { curve: 'P-256', x: fromBase64Url(x), y: fromBase64Url(y) } as const
    const passkey = { id: 'localhost', origins: [site.url] }
    await site.decide('person.add', 'per_cleo', newPerson('Cleo', 'certifier', key, passkey))
    const devtools = await context.newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    })

    await page.click('.board .cards a')
    await page.fill('textarea', 'the boot loader has changed')
    await page.selectOption('.form select', 'per_cleo')
    await page.click('.form button[type=submit]')
    const signing = 'button:has-text("Sign with the passkey of Cleo")'
    await page.waitForSelector(signing)
    await expectAccessible(page)
    // Without the passkey nothing is signed, and nothing that was typed is lost.
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false })
    await page.click(signing)
    await page.waitForSelector('[role=alert]:has-text("Nothing was signed")')
    expect(await page.inputValue('textarea')).toBe('the boot loader has changed')
    await devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: true })
    await devtools.send('WebAuthn.addCredential', {
      authenticatorId,
      credential: {
        credentialId: Buffer.from('cleo').toString('base64'),
        isResidentCredential: true,
        rpId: 'localhost',
        privateKey: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
        userHandle: Buffer.from('per_cleo').toString('base64'),
        signCount: 0,
      },
    })
    await page.click(signing)
    await page.waitForSelector('[data-testid=signed]')
    await page.waitForSelector('.first:has-text("Triaged")')
    expect(await page.textContent('#deadlines ~ ol')).toContain('Cleo')

    await other.selectOption('.form select', 'per_vendor')
    await other.click('.form button[type=submit]')
    await other.waitForSelector('#decision ~ [role=alert]:has-text("Cleo")')
    expect(await other.inputValue('textarea')).toBe('mine, typed before')
    expect(await other.$$eval('button:has-text("Sign with")', (all) => all.length)).toBe(0)
  })
})

import { expect, it } from 'vitest'
import { expectAccessible, takeScreenshots } from '../../support/browser.ts'
import { VirtualPasskeys } from '../../support/virtual-passkeys.ts'
import { describePages, GATEWAYS } from '../../support/web-suite.ts'

describePages('what people ask of the pages', (suite) => {
  it('attests now: asked, not yet answered, and then what this evidence says, without a reload', async () => {
    const page = await suite.open(`/devices/${suite.site.drifted}`)
    await page.waitForSelector('[data-testid=asked]:has-text("not asked yet")')
    await page.click('.attest button')
    await page.waitForSelector('[data-testid=asked]:has-text("not yet answered")', { timeout: 15_000 })
    await expectAccessible(page)
    await page.click('.attest button')
    await page.waitForSelector('.attest [role=alert]:has-text("challenge.too-soon")')
    await suite.site.answer()
    await page.waitForSelector('[data-testid=asked] .code', { timeout: 15_000 })
    expect(await page.textContent('[data-testid=asked]')).toContain('sockets.listener-added')
    await takeScreenshots(page, 'device-asked')
    // Whoever only reads sees what came of it, and asks nothing.
    await suite.context.clearCookies()
    const certifier = await suite.open(`/devices/${suite.site.drifted}`, suite.site.people.certifier)
    await certifier.waitForSelector('[data-testid=asked] .code')
    expect(await certifier.$$eval('.attest button', (all) => all.length)).toBe(0)
  })

  it('shows boots between the verdicts', async () => {
    const page = await suite.open(`/devices/${suite.site.tampered}`)
    await page.waitForSelector('.timeline .boot')
    expect(await page.$$eval('.timeline .boot', (all) => all.length)).toBe(2)
  })

  it('names who decided what about a certificate, and verifies the signed log in the browser', async () => {
    const page = await suite.open('/certificates/crt_1', suite.site.people.certifier)
    await page.waitForSelector('[data-testid=log-verified], #log ~ [role=alert]')
    expect(await page.textContent('#log ~ p:not(.hint)')).toContain('Verified here')
    expect(await page.textContent('.stages [aria-current=step]')).toContain('In force')
    expect(await page.textContent('.decisions')).toMatch(/certifier/i)
    await page.click('.decisions li:first-child summary')
    await expectAccessible(page)
    await takeScreenshots(page, 'certificate-log')
  })

  it('says that a log does not hold in which one byte is another', async () => {
    const { page } = suite
    await page.route('**/api/v1/certificates/crt_1/file', async (route) => {
      const answer = await route.fetch()
      const { file } = (await answer.json()) as { file: string }
      // Within the entries, which stand first.
      const bytes = Buffer.from(file, 'base64url')
      bytes[400] = (bytes[400] as number) ^ 1
      await route.fulfill({ response: answer, json: { file: bytes.toString('base64url') } })
    })
    await suite.open('/certificates/crt_1', suite.site.people.certifier)
    await page.waitForSelector('#log ~ [role=alert]')
    expect(await page.textContent('#log ~ [role=alert]')).toContain('does not hold')
    expect(await page.$$eval('[data-testid=log-verified]', (all) => all.length)).toBe(0)
  })

  it('says what a case touches: practices, devices, certificates', async () => {
    const page = await suite.open('/cases')
    await page.click('.board .cards a')
    await page.waitForSelector('#impact ~ .pair a[href^="/certificates/"]')
    expect(await page.textContent('#impact ~ .pair')).toContain(`1 of ${GATEWAYS.toLocaleString('en')}`)
    await expectAccessible(page)
    await takeScreenshots(page, 'case-impact')
  })

  it('has a passkey sign a decision, and shows somebody else who is at it that he was overtaken', async () => {
    const page = await suite.open('/cases', suite.site.people.certifier)
    const other = await suite.context.newPage()
    await other.goto(`${suite.site.url}/cases`)
    await other.click('.board .cards a')
    await other.fill('textarea', 'mine, typed before')

    const passkeys = await VirtualPasskeys.of(page)
    await passkeys.enter(suite.site, 'Cleo', 'certifier')

    await page.click('.board .cards a')
    await page.fill('textarea', 'the boot loader has changed')
    await page.selectOption('select[name=author]', 'per_cleo')
    await page.click('.form button[type=submit]')
    const signing = 'button:has-text("Sign with the passkey of Cleo")'
    await page.waitForSelector(signing)
    await expectAccessible(page)
    // Without the passkey nothing is signed, and nothing that was typed is lost.
    await passkeys.verify(false)
    await page.click(signing)
    await page.waitForSelector('[role=alert]:has-text("Nothing was signed")')
    expect(await page.inputValue('textarea')).toBe('the boot loader has changed')
    await passkeys.verify(true)
    await passkeys.use('Cleo')
    await page.click(signing)
    await page.waitForSelector('[data-testid=signed]')
    await page.waitForSelector('.first:has-text("Triaged")')
    expect(await page.textContent('#deadlines ~ ol')).toContain('Cleo')

    await other.selectOption('select[name=author]', 'per_vendor')
    await other.click('.form button[type=submit]')
    await other.waitForSelector('#decision ~ [role=alert]:has-text("Cleo")')
    expect(await other.inputValue('textarea')).toBe('mine, typed before')
    expect(await other.$$eval('button:has-text("Sign with")', (all) => all.length)).toBe(0)
  })
})

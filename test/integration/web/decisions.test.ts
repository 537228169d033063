import type { Page } from 'playwright-core'
import { beforeEach, expect, it } from 'vitest'
import { expectAccessible, logInAs, takeScreenshots } from '../../support/browser.ts'
import { VirtualPasskeys } from '../../support/virtual-passkeys.ts'
import { describePages } from '../../support/web-suite.ts'

const DAY_MS = 86_400_000
/** As a clock on the wall shows it, in the time zone of browser and test. */
const inDays = (days: number): string => {
  const at = new Date(Date.now() + days * DAY_MS)
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
}

const signing = (name: string): string => `button:has-text("Sign with the passkey of ${name}")`

describePages('decisions, signed where they are made', (suite) => {
  let passkeys: VirtualPasskeys | undefined
  let isEntered = false

  beforeEach(async () => {
    const { page, site } = suite
    passkeys = await VirtualPasskeys.of(page, passkeys)
    if (isEntered) return
    // Before anybody decides: these are signed by the first certifier, at the side of the collector.
    await passkeys.enter(site, 'Cleo', 'certifier')
    await passkeys.enter(site, 'Carl', 'certifier')
    await passkeys.enter(site, 'Vera', 'vendor')
    isEntered = true
  })

  const check = async (page: Page, name: string): Promise<void> => {
    await passkeys?.use(name)
    await page.selectOption('select[name=author]', `per_${name.toLowerCase()}`)
    await page.click('.form button[type=submit]')
    await page.waitForSelector('#decision ~ [role=status] li')
  }
  const sign = async (page: Page, name: string): Promise<void> => {
    await check(page, name)
    await page.click(signing(name))
    await page.waitForSelector('[data-testid=signed]')
  }
  const choose = (page: Page, decision: string) => page.selectOption('select[name=decision]', decision)
  const openCase = async (): Promise<Page> => {
    const page = await suite.open('/cases', suite.site.people.certifier)
    // The end of a certificate may open others.
    await page.click('.board .cards a:has-text("the kernel image")')
    await page.waitForSelector('select[name=decision]')
    return page
  }

  it('lead a case from its triage to its remediation, each step by the passkey of whose turn it is', async () => {
    const page = await openCase()
    await page.fill('[name=reason]', 'the kernel is not ours')
    await sign(page, 'Cleo')
    await page.waitForSelector('.first:has-text("Triaged")')

    // The next step is offered by itself.
    await page.waitForSelector('[name=summary]')
    await page.fill('[name=summary]', 'one gateway boots a kernel that nobody has approved')
    await page.click('.form button[type=submit]')
    expect(await page.inputValue('[name=summary]')).not.toBe('')
    await page.check('[name=practices][value=patch-management]')
    await page.click('[data-testid=add-changes]')
    await page.fill('[name="changes.0.what"]', 'the kernel')
    await page.fill('[name="changes.0.effect"]', 'is another')
    await page.check('[name=proposedClass][value=minor]')
    await expectAccessible(page)
    await takeScreenshots(page, 'decision-impact')
    await sign(page, 'Vera')
    await page.waitForSelector('.first:has-text("Impact analysis")')

    // What was analysed is proposed; and nobody decides about what he has written himself.
    await page.waitForSelector('[name=practices][value=patch-management]:checked')
    await page.fill('[name=reason]', 'nothing else depends on it')
    await check(page, 'Vera')
    await page.waitForSelector('#decision ~ [role=status] .bad')
    expect(await page.locator(signing('Vera')).count()).toBe(0)
    await sign(page, 'Cleo')
    await page.waitForSelector('.first:has-text("Scoped")')

    await page.fill('[name="actions.0.what"]', 'put the approved image back')
    await page.fill('[name="actions.0.owner"]', 'Vera')
    await page.fill('[name="actions.0.due"]', inDays(5))
    await page.fill('[name=until]', inDays(400))
    await check(page, 'Vera')
    expect(await page.textContent('#decision ~ [role=status] li:has(.bad)')).toContain('decision.period')
    await page.fill('[name=until]', inDays(9))
    await sign(page, 'Vera')
    await page.waitForSelector('.first:has-text("Remediation")')
    expect(await page.textContent('#deadlines ~ ol')).toContain('Vera')

    await choose(page, 'escalate')
    await page.check('[name=measure][value=suspend]')
    await page.fill('[name=reason]', 'the vendor is slow')
    await sign(page, 'Cleo')
    await page.waitForSelector('.first:has-text("Escalated")')
    await page.waitForSelector('[name=ending]')
    await page.check('[name=ending][value=resume]')
    await page.fill('[name=reason]', 'he has answered')
    await sign(page, 'Cleo')
    await page.waitForSelector('.first:has-text("Remediation")')
  }, 180_000)

  it('move a certificate: conditions, suspension, renewal, and its end', async () => {
    const page = await suite.open('/certificates/crt_1', suite.site.people.certifier)
    await page.waitForSelector('select[name=decision]')
    await choose(page, 'condition')
    await page.fill('[name=until]', inDays(99))
    await page.fill('[name=reason]', 'the kernel is to be put back')
    await check(page, 'Carl')
    expect(await page.textContent('#decision ~ [role=status] li:has(.bad)')).toContain('decision.period')
    await page.fill('[name=until]', inDays(20))
    await expectAccessible(page)
    await takeScreenshots(page, 'decision-condition')
    await sign(page, 'Carl')
    await page.waitForSelector('.first:has-text("Valid with conditions")')
    await page.waitForSelector('.decisions li:first-child:has-text("Carl")')

    await choose(page, 'suspend')
    await page.fill('[name=until]', inDays(30))
    await page.fill('[name=reason]', 'nothing has happened')
    await sign(page, 'Carl')
    await page.waitForSelector('.first:has-text("Suspended")')
    await choose(page, 'restore')
    await page.fill('[name=reason]', 'it has')
    await sign(page, 'Carl')
    await page.waitForSelector('.first:has-text("Valid with conditions")')

    await choose(page, 'renew')
    await page.fill('[name=number]', 'KS-2027-042')
    await page.fill('[name=validUntil]', inDays(700))
    await sign(page, 'Cleo')
    await page.click('[data-testid=signed] a')
    await page.waitForSelector('h1:has-text("KS-2027-042")')
    await page.waitForSelector('.first:has-text("Draft")')
    await page.waitForSelector('select[name=decision]')
    await choose(page, 'issue')
    await page.fill('[name=reason]', 'as before')
    await sign(page, 'Carl')
    await page.waitForSelector('.first:has-text("Valid")')
    await choose(page, 'withdraw')
    await page.fill('[name=reason]', 'the vendor asks for it')
    await sign(page, 'Carl')
    await page.waitForSelector('.first:has-text("Withdrawn")')
    // Nothing is left to decide about it.
    expect(await page.locator('.form').count()).toBe(0)
    await page.goto(`${suite.site.url}/certificates/crt_1`)
    await page.waitForSelector('.first:has-text("Superseded")')
  }, 180_000)

  it('are shown to somebody else who was at it: nothing is overwritten, and nothing typed is lost', async () => {
    const page = await openCase()
    const other = await suite.context.newPage()
    await other.goto(page.url())
    await other.waitForSelector('select[name=decision]')
    await choose(other, 'aware')
    await other.fill('[name=source]', 'a customer')
    await other.fill('[name=reason]', 'typed before')
    await other.fill('[name=awareAt]', inDays(-1))
    await other.check('[name=scheme][value=eucc]')
    await other.selectOption('select[name=author]', 'per_vera')
    await other.click('.form button[type=submit]')
    // Every guard holds: he could sign.
    await other.waitForSelector(signing('Vera'))
    await choose(page, 'decide')
    await page.check('[name=ending][value=profile-change]')
    await page.fill('[name=reason]', 'it cannot be mended')
    await check(page, 'Cleo')
    // Only what is critical: the guard says so, and nothing is signed.
    expect(await page.textContent('#decision ~ [role=status] li:has(.bad)')).toContain('case.not-critical')
    await choose(page, 'fixed')
    await page.fill('[name=what]', 'the approved image is back')
    await sign(page, 'Vera')
    await page.waitForSelector('.first:has-text("Verification")')

    await other.click(signing('Vera'))
    await other.waitForSelector('#decision ~ [role=alert]:has-text("Vera")')
    expect(await other.locator(signing('Vera')).count()).toBe(0)
    expect(await other.inputValue('[name=reason]')).toBe('typed before')
    expect(await other.inputValue('[name=source]')).toBe('a customer')
    await expectAccessible(other)
    await other.click('#decision ~ [role=alert] button')
    await other.waitForSelector('#decision ~ [role=alert]', { state: 'detached' })
    expect(await other.inputValue('[name=source]')).toBe('a customer')
    await other.close()
  }, 120_000)

  it('stay typed when the session ends in the middle', async () => {
    const page = await openCase()
    await choose(page, 'verify')
    await page.fill('[name="results.0.result"]', 'as it was assessed')
    const report = { name: 'report.txt', mimeType: 'text/plain', buffer: Buffer.from('all is well') }
    await page.setInputFiles('[name=documents]', report)
    await page.waitForSelector('.form li:has-text("report.txt")')
    await page.selectOption('select[name=author]', 'per_carl')
    await suite.context.clearCookies()
    await page.click('.form button[type=submit]')
    await page.waitForSelector('dialog[open]')
    await logInAs(page, suite.site.people.certifier)
    await page.waitForSelector('dialog', { state: 'detached' })
    // No unit shows the fix: fresh evidence is what it takes, and a document is none for this case.
    await page.waitForSelector('#decision ~ [role=status] li:has-text("case.evidence-missing")')
    expect(await page.inputValue('[name="results.0.result"]')).toBe('as it was assessed')
    expect(await page.textContent('.form')).toContain('report.txt')
  }, 120_000)
})

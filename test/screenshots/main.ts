import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { logInAs, openBrowser } from '../support/browser.ts'
import { openWebSite, type WebSite } from '../support/web-site.ts'
import { addAdvisoriesTo } from './advisories.ts'

const GATEWAYS = 40
const WIDE = 1280
const NARROW = 375
const HEIGHT = 900
/** A picture shows what a page answers, not all that is below it. */
const TALLEST = 1400
const QUALITY = 62

interface Shown {
  readonly name: string
  readonly path: string
  /** What is there when the page has answered. */
  readonly ready: string
  readonly isNarrowToo?: true
}

const pagesOf = ({ tampered, productId }: WebSite): readonly Shown[] => [
  { name: 'fleet', path: '/', ready: '.virtual a.row', isNarrowToo: true },
  { name: 'device', path: `/devices/${tampered}`, ready: '#listeners ~ .table tbody tr' },
  { name: 'products', path: '/products', ready: 'main table' },
  { name: 'product', path: `/products/${productId}`, ready: '#findings ~ .table' },
  { name: 'vulnerabilities', path: `/products/${productId}/vulnerabilities`, ready: '.updates li' },
  { name: 'practices', path: `/products/${productId}/practices`, ready: '.matrix' },
  { name: 'practice', path: `/products/${productId}/practices/patch-management`, ready: '.signal' },
  { name: 'certificates', path: '/certificates', ready: '.cards li' },
  { name: 'certificate', path: '/certificates/crt_1', ready: '#profile ~ table' },
  { name: 'cases', path: '/cases', ready: '.board .cards li' },
  { name: 'account', path: '/account', ready: 'form.form' },
]

/** Pages to which another one leads, by its link. */
const linked: readonly {
  readonly name: string
  readonly from: string
  readonly link: string
  readonly ready: string
}[] = [
  { name: 'release', from: 'product', link: 'main a[href^="/releases/"]', ready: 'main dl, main table' },
  { name: 'advisory', from: 'vulnerabilities', link: '.updates a', ready: '#groups ~ .updates li' },
  { name: 'case', from: 'cases', link: '.board .cards a', ready: '#decision' },
]

/**
 * Pictures of every page, as a real collector serves it for a fleet of simulated gateways, two of which are not as they
 * were approved: in both themes, into `directory`, in place of those that were there.
 */
export async function takePictures(directory: string, say: (line: string) => void): Promise<void> {
  const site = await openWebSite(GATEWAYS)
  await addAdvisoriesTo(site)
  // Passkeys are for the address that the pages are served at: now its port is known.
  await site.restart('practices.evaluation_seconds=10')
  const browser = await openBrowser()
  try {
    mkdirSync(directory, { recursive: true })
    for (const file of readdirSync(directory)) if (/\.(webp|png)$/.test(file)) rmSync(join(directory, file))
    const context = await browser.newContext({ viewport: { width: WIDE, height: HEIGHT }, locale: 'en-GB' })
    const page = await context.newPage()
    const take = async (shown: Omit<Shown, 'path' | 'ready'>): Promise<void> => {
      const bytes = await pictures(page, directory, shown)
      say(`${shown.name}: ${page.url().slice(site.url.length)}, ${Math.round(bytes / 1024)} KiB`)
    }
    await page.goto(`${site.url}/c/crt_1`)
    await page.waitForSelector('#verify .good')
    await take({ name: 'public', isNarrowToo: true })
    await page.goto(site.url)
    await page.waitForSelector('.login')
    await take({ name: 'login' })
    await logInAs(page, site.people.operator)
    await page.waitForSelector('header.top')
    await page.evaluate(`(${CAPTURE})('${site.productId}')`)
    await page.evaluate(`(${EVALUATED})('${site.productId}')`)
    for (const shown of pagesOf(site)) {
      await page.goto(site.url + shown.path)
      await page.waitForSelector(shown.ready)
      await take(shown)
      for (const { name, link, ready } of linked.filter(({ from }) => from === shown.name)) {
        await page.goto(site.url + shown.path)
        await page.click(link)
        await page.waitForSelector(ready)
        await take({ name })
      }
    }
    await page.goto(`${site.url}/status`)
    await take({ name: 'status' })
  } finally {
    await browser.close()
    await site.close()
  }
}

/** A release, drafted from what a good gateway reports, as an operator does it. */
const CAPTURE = `async (productId) => {
  const ask = async (path, body) => {
    const { csrfToken } = await (await fetch('/api/v1/session')).json()
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken }
    const request = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) }
    const answer = await fetch('/api/v1' + path, request)
    if (!answer.ok) throw new Error(await answer.text())
    return answer.json()
  }
  const { items } = await ask('/fleet/devices?standing=good&limit=1')
  await ask('/products/' + productId + '/releases/capture', { name: '2.4.1', ueids: [items[0].ueid] })
}`

/** Resolves when the practices were evaluated: before that their pages have nothing to show. */
const EVALUATED = `async (productId) => {
  for (let look = 0; look < 120; look++) {
    const { evaluatedAt } = await (await fetch('/api/v1/products/' + productId + '/practices')).json()
    if (evaluatedAt !== null) return
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
  throw new Error('no practice was evaluated within a minute')
}`

/** Answers with the bytes of all of them. */
async function pictures(
  page: Page,
  directory: string,
  { name, isNarrowToo }: Omit<Shown, 'path' | 'ready'>,
): Promise<number> {
  const widths = isNarrowToo === true ? [WIDE, NARROW] : [WIDE]
  // Playwright writes PNG and JPEG; the browser also WebP, a third of the size.
  const ofPage = await page.context().newCDPSession(page)
  let bytes = 0
  for (const width of widths) {
    await page.setViewportSize({ width, height: HEIGHT })
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.waitForTimeout(300)
      const tall = await page.evaluate<number>('document.documentElement.scrollHeight')
      const { data } = await ofPage.send('Page.captureScreenshot', {
        format: 'webp',
        quality: QUALITY,
        captureBeyondViewport: true,
        clip: { x: 0, y: 0, width, height: Math.min(Math.max(tall, 400), TALLEST), scale: 1 },
      })
      const content = Buffer.from(data, 'base64')
      bytes += content.length
      writeFileSync(join(directory, `${name}-${colorScheme}${width === WIDE ? '' : `-${width}`}.webp`), content)
    }
  }
  await page.setViewportSize({ width: WIDE, height: HEIGHT })
  await ofPage.detach()
  return bytes
}

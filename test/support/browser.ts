import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { expect } from 'vitest'
import type { Person } from './web-site.ts'

const ROOT = new URL('../../', import.meta.url).pathname

/** Kept after the tests, for people to look at. */
export const SCREENSHOTS = join(ROOT, '.cache', 'screenshots')

/** Debian's own. */
const CHROMIUM = process.env['KEEPSEAL_CHROMIUM'] ?? '/usr/bin/chromium'

export function openBrowser(): Promise<Browser> {
  mkdirSync(SCREENSHOTS, { recursive: true })
  // Without a sandbox it runs as root as well; it sees pages of this machine alone.
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
}

/** What a page has said that no page should say. */
export interface Watched {
  readonly page: Page
  readonly faults: string[]
  /** Requests to anywhere else than to the collector. */
  readonly foreign: string[]
}

export async function openPage(context: BrowserContext, origin: string): Promise<Watched> {
  const page = await context.newPage()
  const faults: string[] = []
  const foreign: string[] = []
  page.on('pageerror', (error) => faults.push(error.message))
  page.on('console', (message) => {
    // A browser tells of each answer that is no 2xx; the pages deal with those.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(origin) && !/^(data|blob):/.test(request.url())) foreign.push(request.url())
  })
  return { page, faults, foreign }
}

export async function logInAs(page: Page, { login, password, code }: Person): Promise<void> {
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', password)
  await page.fill('[name=code]', code())
  await page.click('.login button[type=submit]')
}

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly target: unknown }[] }[]
}

/** WCAG 2.2, level A and AA, as far as a program can tell. */
export async function expectAccessible(page: Page): Promise<void> {
  // By the debugger's way, which the policy of the page does not concern.
  await page.evaluate(axe.source)
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
  const { violations } = await page.evaluate(
    (runOnly) =>
      (globalThis as unknown as { axe: { run(options: object): Promise<AxeResult> } }).axe.run({
        runOnly,
        resultTypes: ['violations'],
      }),
    tags,
  )
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target)).join(' | ')}`)).toEqual(
    [],
  )
}

const WIDTHS = [375, 1280, 1920] as const
/** A list of a thousand devices is not looked at to its end. */
const TALLEST = 4000

/** In both themes and at the widths that people have; nothing may be wider than the screen. */
export async function takeScreenshots(page: Page, name: string): Promise<void> {
  const size = page.viewportSize()
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 })
      await page.waitForTimeout(150)
      const whole = await page.evaluate<number>('document.documentElement.scrollHeight')
      const clip = { x: 0, y: 0, width, height: Math.min(whole, TALLEST) }
      await page.screenshot({ path: join(SCREENSHOTS, `${name}-${colorScheme}-${width}.png`), fullPage: true, clip })
      const overflow = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')
      expect(overflow, `${name} at ${width}`).toBeLessThanOrEqual(0)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  if (size !== null) await page.setViewportSize(size)
}

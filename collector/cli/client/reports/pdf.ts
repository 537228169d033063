import { execFile } from 'node:child_process'
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { KeepsealError } from '../../../../shared/errors.ts'

const run = promisify(execFile)

/** Programs that print a page to PDF without a screen, by the names that distributions give them. */
const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'] as const
const TIMEOUT_MS = 120_000

type Environment = Readonly<Record<string, string | undefined>>

/** The first of them on the PATH; undefined where none is installed. */
export function findBrowser({ PATH = '' }: Environment): string | undefined {
  const places = PATH.split(delimiter).filter((each) => each !== '')
  return BROWSERS.flatMap((name) => places.map((place) => join(place, name))).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export interface Printed {
  readonly pdf: Uint8Array
  readonly browser: string
}

/** Errors: report.no-browser, report.printing-failed. */
export async function printToPdf(page: Uint8Array, environment: Environment): Promise<Printed> {
  const browser = findBrowser(environment)
  if (browser === undefined)
    throw new KeepsealError('report.no-browser', `none of ${BROWSERS.join(', ')} is on the PATH`)
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-report-'))
  try {
    const [source, target] = [join(directory, 'report.html'), join(directory, 'report.pdf')]
    writeFileSync(source, page, { mode: 0o600 })
    await run(browser, argumentsFor(directory, source, target), { timeout: TIMEOUT_MS, env: { ...environment } })
    return { pdf: printed(target, browser), browser }
  } catch (cause) {
    if (cause instanceof KeepsealError) throw cause
    const [reason = ''] = (cause instanceof Error ? cause.message : '').split('\n')
    throw new KeepsealError('report.printing-failed', `${browser}: ${reason}`, { cause })
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
}

const argumentsFor = (directory: string, source: string, target: string): readonly string[] => [
  '--headless',
  '--disable-gpu',
  '--no-pdf-header-footer',
  // The page needs nothing else, and gets nothing else.
  '--host-resolver-rules=MAP * ~NOTFOUND',
  `--user-data-dir=${join(directory, 'profile')}`,
  // Its sandbox does not work for root, who then prints a page that holds no script and loads nothing.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  `--print-to-pdf=${target}`,
  pathToFileURL(source).href,
]

/** A browser can end well without having printed anything. */
function printed(target: string, browser: string): Uint8Array {
  const pdf = readFileSync(target)
  if (pdf.subarray(0, 5).toString('latin1') === '%PDF-') return pdf
  throw new KeepsealError('report.printing-failed', `${browser} has written no PDF`)
}

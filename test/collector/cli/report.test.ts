import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { toBase64Url } from '../../../shared/bytes/bytes.ts'
import { findBrowser } from '../../../collector/cli/client/reports/pdf.ts'
import { certify } from '../../support/decision-log.ts'
import { testKeys } from '../api/support.ts'
import { NOW, storedProduct } from '../store/samples.ts'
import { useCollector } from './support.ts'

const keys = testKeys()
const browser = findBrowser({ PATH: process.env['PATH'] })
const skipped = browser === undefined ? ' (skipped: neither chromium nor google-chrome is installed)' : ''
const ABOUT = ['--certificate', 'crt_1']

describe('keepseal report', () => {
  const collector = useCollector(
    undefined,
    () => NOW,
    () => ({ keys }),
  )
  async function certified(): Promise<void> {
    await storedProduct(collector().store)
    await certify(collector().store, 'Acme/Gate 7', NOW / 1000)
  }
  const inDirectory = (name: string): string => join(collector().directory, name)
  /** With this PATH alone. */
  const printedWith = (path: string, out: string) => {
    const { url, tokens, runWith } = collector()
    const env = { KEEPSEAL_URL: url, KEEPSEAL_TOKEN: tokens.auditor, PATH: path }
    return runWith(env, 'report', 'gap', ...ABOUT, '--out', out, '--json')
  }
  function browserThat(script: string): string {
    const directory = inDirectory('bin')
    mkdirSync(directory)
    writeFileSync(join(directory, 'chromium'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(directory, 'chromium'), 0o755)
    return directory
  }

  it.each(['surveillance', 'gap', 'roadmap', 'standards'])('%s fits a terminal of 80 columns', async (kind) => {
    await certified()
    const { code, stdout } = await collector().run('auditor', 'report', kind, '--product', 'Gate 7')
    expect(code).toBe(0)
    expect(Math.max(...stdout.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(80)
    for (const mark of ['KS-2026-001', 'pro_gateway']) expect(stdout).toContain(mark)
  })

  it('writes what the name of the file says, and a signed one can be checked without a server', async () => {
    await certified()
    const { run, runWith } = collector()
    for (const name of ['r.html', 'r.json', 'r.cbor']) {
      expect((await run('auditor', 'report', 'gap', ...ABOUT, '--out', inDirectory(name))).code).toBe(0)
    }
    expect(readFileSync(inDirectory('r.html'), 'utf8')).toMatch(/^<!doctype html>/)
    const { digest } = JSON.parse(readFileSync(inDirectory('r.json'), 'utf8')) as { digest: string }
    const jwk = (x: Uint8Array) => JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: toBase64Url(x) })
    const { x } = keys.publicKey as { x: Uint8Array }
    writeFileSync(inDirectory('key.jwk'), jwk(x))
    writeFileSync(inDirectory('other.jwk'), jwk(randomBytes(32)))
    const check = (key: string) =>
      runWith({}, 'report', 'verify', inDirectory('r.cbor'), '--key', inDirectory(key), '--json')
    const good = await check('key.jwk')
    expect([good.code, (JSON.parse(good.stdout) as { digest: string }).digest]).toEqual([0, digest])
    const bad = await check('other.jwk')
    expect(bad.code).toBe(1)
    expect(bad.stderr).toContain('cose.')
  })

  it('is about one thing', async () => {
    const { run } = collector()
    expect((await run('auditor', 'report', 'gap')).code).toBe(2)
    expect((await run('auditor', 'report', 'gap', ...ABOUT, '--product', 'Gate 7')).code).toBe(2)
    expect((await run('auditor', 'report', 'gap', ...ABOUT, '--format', 'pdf')).code).toBe(2)
    expect((await run('auditor', 'report', 'gap', ...ABOUT)).code).toBe(1)
  })

  it('names the package where no browser is installed, and writes nothing', async () => {
    await certified()
    const { code, stderr } = await printedWith(inDirectory('empty'), inDirectory('r.pdf'))
    expect(code).toBe(2)
    const { error } = JSON.parse(stderr) as { error: { code: string; remedy: string } }
    expect(error).toMatchObject({ code: 'report.no-browser', remedy: expect.stringContaining('package chromium') })
    expect(() => readFileSync(inDirectory('r.pdf'))).toThrow()
  })

  it.each(['exit 3', 'exit 0', 'for last; do :; done; printf no >"${7#--print-to-pdf=}"'])(
    'believes no browser that has printed nothing: %s',
    async (script) => {
      await certified()
      const { code, stderr } = await printedWith(browserThat(script), inDirectory('r.pdf'))
      expect([code, stderr]).toEqual([2, expect.stringContaining('report.printing-failed')])
      expect(() => readFileSync(inDirectory('r.pdf'))).toThrow()
    },
  )

  it.skipIf(browser === undefined)(
    `prints to PDF, and says by which browser${skipped}`,
    async () => {
      await certified()
      const { code, stdout, stderr } = await printedWith(process.env['PATH'] ?? '', inDirectory('r.pdf'))
      expect([code, stderr]).toEqual([0, ''])
      expect(JSON.parse(stdout)).toMatchObject({ format: 'pdf', browser })
      expect(readFileSync(inDirectory('r.pdf')).subarray(0, 5).toString()).toBe('%PDF-')
    },
    120_000,
  )
})

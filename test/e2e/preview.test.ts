import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { extendPcr } from '../../agent/tpm/commands/pcrs.ts'
import { openTpm } from '../../agent/tpm/open.ts'
import type { PreviewPorts } from '../../deploy/preview/ports.ts'
import { openBrowser, openPage, SCREENSHOTS } from '../support/browser.ts'

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const hasBrowser = existsSync(process.env['KEEPSEAL_CHROMIUM'] ?? '/usr/bin/chromium')
const built = existsSync(join(repository, 'dist', 'deploy', 'preview', 'main.js'))

interface Shown {
  readonly ueid: string
  readonly verdict: string
  readonly latch: string
  readonly identity: string
  readonly review: string
}
interface Listed {
  readonly items: readonly {
    readonly ueid: string
    readonly deviceUeid: string
    readonly code: string
    readonly subject: string
    readonly cause: string
    readonly serial: string
  }[]
}

/** One gateway, end to end, by the built programs: collector, agent under --jitless, software TPM, command line. */
describe.skipIf(!built)(`the preview${built ? '' : ' (skipped: not built, run npm run build)'}`, () => {
  const home = mkdtempSync(join(tmpdir(), 'keepseal-preview-'))
  let running: ChildProcess | undefined
  let output = ''

  const start = async (): Promise<void> => {
    output = ''
    const child = spawn(process.execPath, [join(repository, 'test', 'e2e', 'preview-process.mjs'), repository, home])
    running = child
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
    await until(async () => output.includes('Ctrl-C ends it'))
  }
  const stop = async (): Promise<void> => {
    const child = running
    running = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGINT')
    await ended
  }
  const until = async (condition: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 90_000
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error(`nothing came of it; the preview said:\n${output}`)
      await sleep(500)
    }
  }
  const keepseal = (...words: string[]) => {
    const ports = JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')) as PreviewPorts
    const program = join(repository, 'dist', 'collector', 'cli', 'client', 'main.js')
    const result = spawnSync(process.execPath, [program, ...words], {
      encoding: 'utf8',
      env: {
        ...process.env,
        KEEPSEAL_URL: `https://localhost:${ports.https}`,
        KEEPSEAL_TOKEN: readFileSync(join(home, 'api-token'), 'utf8').trim(),
        KEEPSEAL_CA_FILE: join(home, 'collector', 'keys', 'device-ca.pem'),
      },
    })
    return { code: result.status, stdout: result.stdout, stderr: result.stderr }
  }
  const list = (what: string): Listed['items'] => (JSON.parse(keepseal(what, 'list', '--json').stdout) as Listed).items
  const show = (ueid: string): Shown => JSON.parse(keepseal('device', 'show', ueid, '--json').stdout) as Shown

  afterAll(async () => {
    await stop()
    rmSync(home, { recursive: true, force: true })
  })

  it('verifies an attestation, finds a listener and a changed boot, and forgets neither at a reboot', async () => {
    await start()
    expect(output).toContain('attestation verified')
    expect(output.trim().split('\n').length).toBeLessThanOrEqual(14)
    // The others are simulated, and come later.
    const ueid = list('device').find(({ serial }) => serial === 'preview-1')?.ueid ?? ''
    expect(show(ueid)).toMatchObject({ identity: 'tpm-endorsed', verdict: 'affirming', latch: 'none' })

    // Asked for evidence of now, the running agent answers with it: signed, quoted by the TPM, with the nonce asked for.
    const asked = keepseal('device', 'attest', ueid, '--wait', '--json')
    expect(asked.code, asked.stderr).toBe(0)
    const { nonce, answer } = JSON.parse(asked.stdout) as { nonce: string; answer: { evidenceHash: string } }
    const answered = join(home, 'answer.cbor')
    expect(keepseal('device', 'evidence', ueid, '--out', answered)).toMatchObject({ code: 0 })
    expect(createHash('sha256').update(readFileSync(answered)).digest('hex')).toBe(answer.evidenceHash)
    expect(keepseal('inspect', 'evidence', answered).stdout).toContain(nonce)
    expect(keepseal('device', 'attest', ueid)).toMatchObject({ code: 4, stderr: expect.stringContaining('again in ') })

    const evidence = join(home, 'evidence.cbor')
    const ak = join(home, 'ak.pem')
    expect(keepseal('device', 'evidence', ueid, '--out', evidence, '--ak-out', ak)).toMatchObject({ code: 0 })
    expect(keepseal('inspect', 'evidence', evidence)).toMatchObject({ code: 0 })
    expect(keepseal('inspect', 'quote', evidence, '--extract', join(home, 'quote'))).toMatchObject({ code: 0 })
    const qualification = readFileSync(join(home, 'quote', 'quote.qualification'), 'utf8').trim()
    const quote = ['-m', join(home, 'quote', 'quote.msg'), '-s', join(home, 'quote', 'quote.sig')]
    const checked = spawnSync('tpm2_checkquote', ['-u', ak, ...quote, '-q', qualification], { encoding: 'utf8' })
    expect(checked.status, checked.stderr).toBe(0)

    const listener = createServer()
    const port = await new Promise<number>((resolve) => {
      listener.listen(0, '0.0.0.0', () => {
        const address = listener.address()
        resolve(typeof address === 'object' && address !== null ? address.port : 0)
      })
    })
    const subject = `tcp/0.0.0.0:${port}`
    await until(async () =>
      list('finding').some((it) => it.code === 'sockets.listener-added' && it.subject === subject),
    )
    listener.close()

    const ports = JSON.parse(readFileSync(join(home, 'ports.json'), 'utf8')) as PreviewPorts
    await until(async () => {
      // The software TPM serves one client at a time: the agent may be in the middle of a quote.
      try {
        const tpm = await openTpm(`swtpm:host=127.0.0.1,port=${ports.tpm}`)
        await extendPcr(tpm, 4, new Map([['sha256', createHash('sha256').update('another kernel').digest()]]))
        await tpm.close()
        return true
      } catch {
        return false
      }
    })
    await until(async () => show(ueid).latch === 'failed')
    const findings = list('finding').map((it) => `${it.code} ${it.subject}`)
    expect(findings).toContain('boot.pcr-changed pcr/sha256/4')
    expect(list('case').map((it) => it.cause)).toContain('boot.pcr-changed')

    await stop()
    expect(output).toContain('Stopped.')
    await start()
    await until(async () => show(ueid).latch === 'recovered-unacknowledged')
    expect(show(ueid).verdict).toBe('contraindicated')
    expect(keepseal('device', 'approve', ueid)).toMatchObject({ code: 4 })
    await until(async () => keepseal('device', 'approve', ueid, '--seen', show(ueid).review).code === 0)
    expect(show(ueid)).toMatchObject({ latch: 'none' })
  }, 300_000)

  it.skipIf(!hasBrowser)(
    'shows a newcomer within ten seconds and two clicks which simulated gateway was tampered with, and why',
    async () => {
      if (running === undefined) await start()
      const [link = ''] = output.match(/http:\/\/localhost:\d+\/\S+/g)?.slice(-1) ?? []
      const tampered = list('finding').find(({ code }) => code === 'boot.kernel-changed')
      const browser = await openBrowser()
      try {
        const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' })
        const { page, faults, foreign } = await openPage(context, 'http://localhost')
        const begin = performance.now()
        let clicks = 0
        // The link itself is one.
        clicks += 1
        await page.goto(link)
        // The first of the list is what needs an act first.
        const first = page.locator('.virtual li a').first()
        await first.waitFor()
        expect(await first.textContent()).toContain('Failed')
        await page.screenshot({ path: join(SCREENSHOTS, 'newcomer-1.png') })
        clicks += 1
        await first.click()
        await page.waitForSelector('[data-testid=why]:has-text("the kernel image is not the approved one")')
        const seconds = (performance.now() - begin) / 1000
        await page.screenshot({ path: join(SCREENSHOTS, 'newcomer-2.png') })
        expect(new URL(page.url()).pathname).toBe(`/devices/${tampered?.deviceUeid}`)
        expect(await page.textContent('main')).toContain('simulated')
        expect(clicks).toBeLessThanOrEqual(2)
        expect(seconds).toBeLessThan(10)
        console.log(`which gateway, and why: after ${seconds.toFixed(1)} s and ${clicks} clicks`)
        expect([faults, foreign]).toEqual([[], []])
      } finally {
        await browser.close()
      }
    },
    180_000,
  )
})

import { createServer, type Server } from 'node:http'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { randomBytes } from 'node:crypto'
import { createCertificateAuthority } from '../../../collector/trust/certificate-authority.ts'
import { ensureServerCertificate } from '../../../collector/trust/server-certificate.ts'
import { isPrintable } from '../../../shared/text/printable.ts'
import { storedDevice } from '../store/samples.ts'
import { useCollector, writeConfig } from './support.ts'

describe('where keepseal finds its collector', () => {
  const collector = useCollector()

  it('is in the file, which the environment overrides, which flags override', async () => {
    const { runWith, url, tokens, directory } = collector()
    writeConfig(collector(), `url = "${url}"\ntoken = "${tokens.auditor}"\n`)
    expect(await runWith({}, 'device', 'list')).toMatchObject({ code: 0 })
    const unknown = `ksa_${'A'.repeat(43)}`
    expect(await runWith({ KEEPSEAL_TOKEN: unknown }, 'device', 'list')).toMatchObject({ code: 4 })
    const file = join(directory, 'token')
    writeFileSync(file, `${tokens.auditor}\n`)
    const flag = ['device', 'list', '--token-file', file]
    expect(await runWith({ KEEPSEAL_TOKEN: unknown }, ...flag)).toMatchObject({ code: 0 })
    expect(await runWith({ KEEPSEAL_URL: 'http://localhost:1' }, ...flag)).toMatchObject({ code: 3 })
    expect(await runWith({ KEEPSEAL_URL: 'http://localhost:1' }, ...flag, '--url', url)).toMatchObject({ code: 0 })
  })

  it('is asked for when it is nowhere', async () => {
    const { runWith, url } = collector()
    const nowhere = await runWith({}, 'device', 'list')
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('KEEPSEAL_URL') })
    const anonymous = await runWith({ KEEPSEAL_URL: url }, 'device', 'list')
    expect(anonymous).toMatchObject({ code: 2, stderr: expect.stringContaining('KEEPSEAL_TOKEN') })
  })

  it.each([
    ['others can read its token', (url: string, token: string) => `url = "${url}"\ntoken = "${token}"\n`, 0o644, 1],
    ['it has an unknown key', () => 'urk = "https://x"\n', 0o600, 2],
    ['it is no TOML', () => 'url = \n', 0o600, 2],
    ['its token is none', () => 'token = "hunter2"\n', 0o600, 2],
    ['its address is without TLS', () => 'url = "http://collector.example"\n', 0o600, 2],
  ])('is refused when %s', async (_, content, mode, code) => {
    const { url, tokens, runWith } = collector()
    writeConfig(collector(), content(url, tokens.auditor), mode)
    const refused = await runWith({}, 'device', 'list')
    expect(refused).toMatchObject({ code, stdout: '', stderr: expect.stringContaining('next: ') })
    for (const secret of ['hunter2', tokens.auditor.slice(4)]) expect(refused.stderr).not.toContain(secret)
  })

  it('may hold no token in a file that others can read', async () => {
    const { url, tokens, runWith } = collector()
    writeConfig(collector(), `url = "${url}"\n`, 0o644)
    expect(await runWith({ KEEPSEAL_TOKEN: tokens.auditor }, 'device', 'list')).toMatchObject({ code: 0 })
  })

  it('that is not there is unreachable, as JSON too', async () => {
    const { runWith, tokens } = collector()
    const env = { KEEPSEAL_URL: 'http://127.0.0.1:1', KEEPSEAL_TOKEN: tokens.auditor }
    const refused = await runWith(env, 'device', 'list', '--json')
    expect(refused).toMatchObject({ code: 3, stdout: '' })
    expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'collector.unreachable' } })
  })
})

describe('a collector with TLS', () => {
  let directory = ''
  let authorityFile = ''
  let strangerFile = ''
  let identity = { certificate: '', key: '' }
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-tls-'))
    const now = Date.now()
    const authority = await createCertificateAuthority(now, randomBytes)
    const options = { directory, authority, names: ['localhost'], now, random: randomBytes }
    const { certificate, privateKey: key } = await ensureServerCertificate(options)
    identity = { certificate, key }
    authorityFile = join(directory, 'ca.pem')
    writeFileSync(authorityFile, authority.certificate)
    strangerFile = join(directory, 'stranger.pem')
    writeFileSync(strangerFile, (await createCertificateAuthority(now, randomBytes)).certificate)
  })
  afterAll(() => rmSync(directory, { recursive: true }))
  const collector = useCollector(() => identity)

  it('is believed by the authority that is pinned', async () => {
    const { run, store } = collector()
    const device = await storedDevice(store)
    const listed = await run('auditor', 'device', 'list', '--ca-file', authorityFile)
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(device.ueid) })
  })

  it('is refused under another authority, under none, and under another name', async () => {
    const { run, runWith, url, tokens } = collector()
    for (const flags of [['--ca-file', strangerFile], []]) {
      const refused = await run('auditor', 'device', 'list', '--json', ...flags)
      expect(refused).toMatchObject({ code: 4, stdout: '' })
      expect(JSON.parse(refused.stderr)).toMatchObject({ error: { code: 'collector.untrusted' } })
    }
    const env = { KEEPSEAL_URL: url.replace('localhost', '127.0.0.1'), KEEPSEAL_TOKEN: tokens.auditor }
    const named = await runWith(env, 'device', 'list', '--json', '--ca-file', authorityFile)
    expect(JSON.parse(named.stderr)).toMatchObject({ error: { code: 'collector.untrusted' } })
  })
})

describe('a server that is no collector', () => {
  const collector = useCollector()
  let server: Server | undefined
  afterEach(() => new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve))))

  const answering = async (status: number, type: string, body: string) => {
    server = createServer((_, response) => {
      response.writeHead(status, { 'content-type': type })
      response.end(body)
    })
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const { runWith, tokens } = collector()
    const env = { KEEPSEAL_URL: `http://127.0.0.1:${port}`, KEEPSEAL_TOKEN: tokens.auditor }
    return runWith(env, 'device', 'list')
  }

  it.each([
    ['a page', 200, 'text/html', '<html>'],
    ['broken JSON', 200, 'application/json', '{'],
    ['other JSON', 200, 'application/json', '{"items":[{"ueid":1}],"nextCursor":null}'],
    ['a page about an error', 502, 'text/html', '<html>'],
    ['an unknown problem', 418, 'application/problem+json', '{"type":"x","title":"t","detail":"d","remedy":"r"}'],
    ['a redirection', 302, 'text/html', ''],
  ])('and answers with %s is refused', async (_, status, type, body) => {
    expect(await answering(status, type, body)).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('next: '),
    })
  })

  it('cannot write to the terminal what the terminal would obey', async () => {
    const problem = { type: 'request.conflict', title: 't', detail: '\u001b[2J', remedy: '\u001b]0;x\u0007' }
    const { code, stderr } = await answering(409, 'application/problem+json', JSON.stringify(problem))
    expect(code).toBe(4)
    for (const line of stderr.split('\n')) expect(isPrintable(line), line).toBe(true)
  })
})

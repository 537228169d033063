import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { TpmCommandError } from '../../../agent/tpm/command-error.ts'
import { describeTpm } from '../../../agent/tpm/commands/capabilities.ts'
import { readClock } from '../../../agent/tpm/commands/clock.ts'
import { readNvIndex } from '../../../agent/tpm/commands/nv.ts'
import { readPcrs } from '../../../agent/tpm/commands/pcrs.ts'
import { startPolicySession } from '../../../agent/tpm/commands/sessions.ts'
import { ESAPI } from '../../../agent/tpm/esapi.ts'
import { openLibraries } from '../../../agent/tpm/library.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { takeQuote } from '../../../agent/tpm/quoting.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { freePortPair } from '../../../deploy/preview/software-tpm.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { tpm2 } from '../../support/tpm2-tools.ts'

const KEY = { kind: 'ecdsa-p256', seed: new Uint8Array(32) } as const
const QUOTE = { selection: [{ bank: 'sha256', pcrs: [0, 1, 2] }], extraData: new Uint8Array(32) } as const

let swtpm: SoftwareTpm
const opened: Tpm[] = []
const open = async (): Promise<Tpm> => {
  const tpm = await openTpm(swtpm.tcti)
  opened.push(tpm)
  return tpm
}
beforeAll(async () => {
  swtpm = await startSwtpm({ withEkCertificate: false })
})
afterAll(() => swtpm.stop())
afterEach(async () => {
  for (const tpm of opened.splice(0)) await tpm.close()
})

describe('commands', () => {
  test('that are asked for at once do not disturb each other', async () => {
    const tpm = await open()
    const key = await createAttestationKey(tpm, KEY)
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        i % 2 === 0 ? takeQuote(tpm, key, QUOTE) : readPcrs(tpm, [{ bank: 'sha256', pcrs: [i] }]),
      ),
    )
    expect(answers).toHaveLength(20)
  })

  test('do not hold up the event loop', async () => {
    const tpm = await open()
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    await createAttestationKey(tpm, { kind: 'rsassa-2048', seed: new Uint8Array(32).fill(5) })
    clearInterval(timer)
    expect(ticks).toBeGreaterThan(10)
  })

  test('that the TPM refuses carry its code, and leave the connection usable', async () => {
    const tpm = await open()
    const refusal = await refusalOf(tpm.execute(ESAPI.flushContext, [0x1234]))
    expect(refusal).toBeInstanceOf(TpmCommandError)
    const extraData = new Uint8Array(65)
    const key = await createAttestationKey(tpm, KEY)
    expect((await refusalOf(takeQuote(tpm, key, { ...QUOTE, extraData }))).code).toBe('tpm.command-failed')
    await expect(takeQuote(tpm, key, QUOTE)).resolves.toBeDefined()
  })

  test('with bytes behind the structure that they take are not sent', async () => {
    const tpm = await open()
    const refusal = await refusalOf(tpm.execute(ESAPI.contextLoad, [new Uint8Array(6000)]))
    expect(refusal).toMatchObject({ code: 'tpm.command-failed', command: 'Tss2_MU_TPMS_CONTEXT_Unmarshal' })
  })

  test('give undefined for an NV index that is not there', async () => {
    expect(await readNvIndex(await open(), 0x01c00002)).toBeUndefined()
  })

  test('tell who made the TPM', async () => {
    expect(await describeTpm(await open())).toMatchObject({
      manufacturer: 'IBM',
      vendorString: 'SW   TPM',
      inLockout: false,
      endorsementPasswordSet: false,
    })
  })
})

describe('a closed TPM', () => {
  test('is refused to later commands, not to earlier ones', async () => {
    const tpm = await open()
    const earlier = readClock(tpm)
    const closed = tpm.close()
    expect((await refusalOf(readClock(tpm))).code).toBe('internal.failure')
    await expect(earlier).resolves.toMatchObject({ restartCount: 0 })
    await closed
    await tpm.close()
  })

  test('holds no key or session of ours, even where nobody flushed them', async () => {
    const tpm = await open()
    await createAttestationKey(tpm, KEY)
    await createAttestationKey(tpm, KEY)
    await startPolicySession(tpm, 'sha256')
    await tpm.close()
    expect(await tpm2(swtpm.tcti, 'getcap', 'handles-transient')).toBe('')
    expect(await tpm2(swtpm.tcti, 'getcap', 'handles-loaded-session')).toBe('')
  })
})

describe('a TPM that cannot be reached', () => {
  test('is unavailable at once when nothing listens', async () => {
    const begin = Date.now()
    expect((await refusalOf(openTpm('swtpm:host=127.0.0.1,port=1'))).code).toBe('tpm.unavailable')
    expect((await refusalOf(openTpm('device:/dev/absent'))).code).toBe('tpm.unavailable')
    expect((await refusalOf(openTpm('no-such-tcti:'))).code).toBe('tpm.unavailable')
    expect(Date.now() - begin).toBeLessThan(20_000)
  })

  describe('because it hangs', () => {
    let relay: Awaited<ReturnType<typeof relayTo>>
    beforeEach(async () => {
      relay = await relayTo(Number(/port=(\d+)/.exec(swtpm.tcti)?.[1]))
    })
    // Also lets the threads go that wait for an answer; else this process would not end.
    afterEach(() => relay.stop())

    test('is unavailable after the bound', async () => {
      relay.silent = true
      const begin = Date.now()
      expect((await refusalOf(openTpm(relay.tcti, { boundMs: 200 }))).code).toBe('tpm.unavailable')
      expect(Date.now() - begin).toBeLessThan(20_000)
    })

    test('is unavailable for good, and closing does not wait for it', async () => {
      const tpm = await openTpm(relay.tcti, { boundMs: 300 })
      await readClock(tpm)
      relay.silent = true
      const begin = Date.now()
      const commands = [readClock(tpm), readClock(tpm)].map((command) => refusalOf(command))
      for (const refusal of await Promise.all(commands)) expect(refusal.code).toBe('tpm.unavailable')
      relay.silent = false
      expect((await refusalOf(readClock(tpm))).code).toBe('tpm.unavailable')
      await tpm.close()
      expect(Date.now() - begin).toBeLessThan(20_000)
    })
  })

  test('is unavailable for good after the connection was lost, and fine when opened anew', async () => {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
    try {
      const lost = await startSwtpm({ withEkCertificate: false, stateDirectory })
      const tpm = await openTpm(lost.tcti)
      await readClock(tpm)
      await lost.stop()
      expect((await refusalOf(readClock(tpm))).code).toBe('tpm.unavailable')
      expect((await refusalOf(readClock(tpm))).code).toBe('tpm.unavailable')
      await tpm.close()

      const back = await startSwtpm({ stateDirectory })
      const anew = await openTpm(back.tcti)
      await expect(readClock(anew)).resolves.toMatchObject({ restartCount: 0 })
      await anew.close()
      await back.stop()
    } finally {
      rmSync(stateDirectory, { recursive: true })
    }
  })

  test('is reported as a missing library, with its package, where tpm2-tss is not installed', async () => {
    const absent = { soname: 'libtss2-absent.so.0', package: 'libtss2-absent0' }
    const refusal = await refusalOf(openLibraries({ esys: absent, mu: absent, tctildr: absent, rc: absent }))
    expect(refusal.code).toBe('tpm.library-missing')
    expect(refusal.remedy).toContain('libtss2-absent0')
  })
})

describe('the shipped form, one bundled file under node --jitless', () => {
  const repository = fileURLToPath(new URL('../../..', import.meta.url))
  let directory: string
  let program: string
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
    program = join(directory, 'program.cjs')
    await build({
      stdin: {
        contents: `
          import { createAttestationKey } from './agent/tpm/attestation-key.ts'
          import { openTpm } from './agent/tpm/open.ts'
          import { takeQuoteWithPcrs } from './agent/tpm/quoting.ts'
          const [, , tcti, last] = process.argv
          openTpm(tcti).then(async (tpm) => {
            const key = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: new Uint8Array(32) })
            await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: new Uint8Array(32) })
            const selection = [{ bank: 'sha256', pcrs: [0, 1, 2] }]
            const { attest } = await takeQuoteWithPcrs(tpm, key, { selection, extraData: new Uint8Array(32) })
            if (last === 'die') process.kill(process.pid, 'SIGKILL')
            await tpm.close()
            process.stdout.write(Buffer.from(attest).subarray(0, 6).toString('hex'))
          })
        `,
        resolveDir: repository,
        loader: 'ts',
      },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: program,
      external: ['koffi'],
      supported: { 'dynamic-import': false },
    })
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  const run = async (...parameters: string[]): Promise<{ output: string; code: number | null }> => {
    const child = spawn(process.execPath, ['--jitless', program, ...parameters], {
      env: { ...process.env, NODE_PATH: join(repository, 'node_modules') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let written = ''
    child.stdout.on('data', (chunk: Buffer) => (written += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => (written += chunk.toString()))
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
    // Node 20 says on each start that --jitless switches WebAssembly off.
    return { output: written.replace(/^Warning: disabling flag --expose_wasm.*\n/, ''), code }
  }

  test('quotes', async () => {
    // TPM_GENERATED_VALUE and TPM_ST_ATTEST_QUOTE.
    expect(await run(swtpm.tcti)).toEqual({ output: 'ff5443478018', code: 0 })
  })

  test('that is killed leaves no keys that would fill the software TPM', async () => {
    for (let round = 0; round < 2; round++) expect((await run(swtpm.tcti, 'die')).code).toBeNull()
    expect((await run(swtpm.tcti)).output).toBe('ff5443478018')
  })
})

/**
 * Two ports in a row that lead to the two of `target`. While `silent`, nothing passes and new connections are accepted
 * without a word: a TPM that hangs.
 */
async function relayTo(target: number): Promise<{ tcti: string; silent: boolean; stop(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const servers: Server[] = []
  const port = await freePortPair()
  const relay = {
    tcti: `swtpm:host=127.0.0.1,port=${port}`,
    silent: false,
    async stop() {
      for (const socket of sockets) socket.destroy()
      for (const server of servers) await new Promise((resolve) => server.close(resolve))
    },
  }
  const forward = (from: Socket, to: Socket): void => {
    sockets.add(from)
    from.on('error', () => undefined)
    from.on('data', (chunk) => void (relay.silent || to.write(chunk)))
    from.on('close', () => to.destroy())
  }
  for (const channel of [0, 1]) {
    const server = createServer((client) => {
      const upstream = connect(target + channel, '127.0.0.1')
      forward(client, upstream)
      forward(upstream, client)
    })
    servers.push(server)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port + channel, '127.0.0.1', resolve)
    })
  }
  return relay
}

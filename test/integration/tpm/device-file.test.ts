import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { createAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { readClock } from '../../../agent/tpm/commands/clock.ts'
import { openLibraries, type NativeFunction } from '../../../agent/tpm/library.ts'
import { openTpm, openTpmWith } from '../../../agent/tpm/open.ts'
import { takeQuoteWithPcrs } from '../../../agent/tpm/quoting.ts'
import type { PcrSelection } from '../../../shared/tpm/pcr-selection.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { swtpmChannel } from '../../support/socket-channel.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { hasTpmTerminal, tpmTerminal, type TpmTerminal } from '../../support/tpm-terminal.ts'

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const ALL: PcrSelection = [{ bank: 'sha256', pcrs: Array.from({ length: 15 }, (_, pcr) => pcr) }]

let swtpm: SoftwareTpm
beforeAll(async () => {
  swtpm = await startSwtpm({ withEkCertificate: false })
})
afterAll(() => swtpm.stop())

describe.runIf(hasTpmTerminal)('a device file, with a terminal in its place (skipped without python3)', () => {
  let terminal: TpmTerminal | undefined
  afterEach(async () => {
    await terminal?.stop()
    terminal = undefined
  })

  const absent = { soname: 'libtss2-absent.so.0', package: 'libtss2-absent0' }
  const withoutLibraries = () => openLibraries({ esys: absent, mu: absent, tctildr: absent, rc: absent })

  test('is taken where tpm2-tss is not installed, and quotes', async () => {
    terminal = await tpmTerminal(swtpm.tcti)
    for (let round = 0; round < 2; round++) {
      const tpm = await openTpmWith(withoutLibraries, `device:${terminal.path}`)
      expect(tpm.transport).toBe('device')
      const key = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(2) })
      const quote = await takeQuoteWithPcrs(tpm, key, { selection: ALL, extraData: seed(5) })
      expect(quote.pcrs.get('sha256')?.size).toBe(15)
      await tpm.close()
    }
  })

  test('is taken where the loader of tpm2-tss finds nothing to open it with', async () => {
    terminal = await tpmTerminal(swtpm.tcti)
    const loader = (...parameters: unknown[]): void => {
      const answer = parameters.at(-1) as (error: unknown, rc: number) => void
      setImmediate(() => answer(null, 0xa000a))
    }
    const found = Object.assign(() => 'IO failure', { async: loader }) as unknown as NativeFunction
    const libraries = { find: () => found, sizeOf: () => 8 }
    const tpm = await openTpmWith(async () => libraries, `device:${terminal.path}`)
    expect(tpm.transport).toBe('device')
    await expect(readClock(tpm)).resolves.toBeDefined()
    await tpm.close()
    const refused = openTpmWith(async () => libraries, `device:${terminal.path}`, { transport: 'tss2' })
    expect((await refusalOf(refused)).message).toContain('Tss2_TctiLdr_Initialize')
  })

  test('is what the shipped program takes where it has no native binding, and doctor says so', async () => {
    const script = new URL('../../../deploy/bundle/build-agent.mjs', import.meta.url).href
    const { buildAgent } = (await import(script)) as {
      buildAgent: (directory: string, options: { target: string }) => Promise<unknown>
    }
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
    terminal = await tpmTerminal(swtpm.tcti)
    try {
      await buildAgent(directory, { target: 'any' })
      const settings = ['--set', `tpm.tcti=device:${terminal.path}`, '--set', `state.directory=${directory}`]
      const program = ['--jitless', join(directory, 'keepseal-agent.js'), 'doctor', '--json', ...settings]
      // It ends with 1, as this machine is not enrolled.
      const printed = await promisify(execFile)(process.execPath, program).catch((ended: { stdout: string }) => ended)
      const { checks } = JSON.parse(printed.stdout) as { checks: { id: string; status: string; detail: string }[] }
      expect(checks.find(({ id }) => id === 'tpm')).toMatchObject({
        status: 'good',
        detail: expect.stringMatching(`^IBM, .* at ${terminal.path} without tpm2-tss$`) as unknown,
      })
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('is taken each time by one process without a native binding', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
    terminal = await tpmTerminal(swtpm.tcti)
    try {
      const outfile = join(directory, 'program.mjs')
      await build({
        stdin: {
          contents: `
            import { openTpm } from './agent/tpm/open.ts'
            for (let time = 0; time < 3; time++) {
              const tpm = await openTpm(process.argv[2])
              await tpm.close()
              process.stdout.write(tpm.transport + ' ')
            }`,
          resolveDir: fileURLToPath(new URL('../../..', import.meta.url)),
          loader: 'ts',
        },
        bundle: true,
        platform: 'node',
        format: 'esm',
        outfile,
        plugins: [
          {
            name: 'no-binary',
            setup(plugin) {
              plugin.onResolve({ filter: /^koffi$/ }, ({ path }) => ({ path, namespace: 'no-binary' }))
              plugin.onLoad({ filter: /.*/, namespace: 'no-binary' }, () => ({
                contents: `export default JSON.parse('no binary')`,
              }))
            },
          },
        ],
      })
      const program = ['--jitless', outfile, `device:${terminal.path}`]
      expect((await promisify(execFile)(process.execPath, program)).stdout).toBe('device device device ')
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  test('is not taken where tpm2-tss is asked for, nor for what is no file', async () => {
    const refused = [
      openTpmWith(withoutLibraries, 'device:/dev/null', { transport: 'tss2' }),
      openTpmWith(withoutLibraries, swtpm.tcti),
    ]
    for (const opening of refused) expect((await refusalOf(opening)).code).toBe('tpm.library-missing')
    expect((await refusalOf(openTpm(swtpm.tcti, { transport: 'device' }))).code).toBe('tpm.unavailable')
  })

  test('that does not answer is unavailable after the bound, and for good', async () => {
    const silent = await startSwtpm({ withEkCertificate: false })
    try {
      terminal = await tpmTerminal(silent.tcti)
      // A client that keeps the TPM's one place: the terminal waits behind it.
      const first = await swtpmChannel(silent.tcti)
      const tpm = await openTpm(`device:${terminal.path}`, { transport: 'device', boundMs: 200 })
      const begin = Date.now()
      const commands = [readClock(tpm), readClock(tpm)].map((command) => refusalOf(command))
      for (const refusal of await Promise.all(commands)) expect(refusal.code).toBe('tpm.unavailable')
      await tpm.close()
      expect(Date.now() - begin).toBeLessThan(10_000)
      await first.close()
    } finally {
      await silent.stop()
    }
  })
})

describe('a path that is no device file of a TPM', () => {
  let directory: string
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'keepseal-test-'))
    writeFileSync(join(directory, 'file'), Buffer.alloc(64))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  test.each(['absent', 'file'])('is unavailable: %s', async (name) => {
    const refusal = await refusalOf(openTpm(`device:${join(directory, name)}`, { transport: 'device' }))
    expect(refusal.code).toBe('tpm.unavailable')
    expect(refusal.message).toContain(name)
  })

  test.each(['/dev/null', '/dev/zero'])('is unavailable at the first command: %s', async (path) => {
    const tpm = await openTpm(`device:${path}`, { transport: 'device' })
    expect((await refusalOf(readClock(tpm))).code).toBe('tpm.unavailable')
    await tpm.close()
  })
})

test.runIf(existsSync('/dev/tpmrm0'))('the TPM of this machine quotes (skipped without /dev/tpmrm0)', async () => {
  const tpm = await openTpm('device:/dev/tpmrm0', { transport: 'device' })
  try {
    const key = await createAttestationKey(tpm, { kind: 'rsassa-2048', seed: seed(2) })
    expect((await takeQuoteWithPcrs(tpm, key, { selection: ALL, extraData: seed(5) })).pcrs.size).toBe(1)
  } finally {
    await tpm.close()
  }
})

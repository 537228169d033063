import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { build } from 'esbuild'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { activateCredential } from '../../../agent/tpm/activation.ts'
import { createAttestationKey, openAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { TpmCommandError } from '../../../agent/tpm/command-error.ts'
import { readTpmAttributes } from '../../../agent/tpm/commands/attributes.ts'
import { describeTpm, readCurves } from '../../../agent/tpm/commands/capabilities.ts'
import { readClock } from '../../../agent/tpm/commands/clock.ts'
import { readPublic } from '../../../agent/tpm/commands/keys.ts'
import { readNvIndex } from '../../../agent/tpm/commands/nv.ts'
import { extendPcr, readPcrs } from '../../../agent/tpm/commands/pcrs.ts'
import { startPolicySession, useEndorsementPassword } from '../../../agent/tpm/commands/sessions.ts'
import { DeviceTpm } from '../../../agent/tpm/device/device-tpm.ts'
import { readEndorsementKey } from '../../../agent/tpm/endorsement-key.ts'
import { ESAPI } from '../../../agent/tpm/esapi.ts'
import { openLibraries, type NativeFunction } from '../../../agent/tpm/library.ts'
import { openTpm, openTpmWith } from '../../../agent/tpm/open.ts'
import { takeQuoteWithPcrs, type QuoteWithPcrs } from '../../../agent/tpm/quoting.ts'
import type { Tpm } from '../../../agent/tpm/tpm.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { credentialPrimitives } from '../../../shared/crypto/node-credential.ts'
import * as nodeCrypto from '../../../shared/crypto/node.ts'
import { hash, random } from '../../../shared/crypto/node.ts'
import { attestationKeyOf, qualifiedNameOfPrimary } from '../../../shared/tpm/attestation-key.ts'
import { TPM_RH_ENDORSEMENT } from '../../../shared/tpm/constants.ts'
import { makeCredential } from '../../../shared/tpm/credential.ts'
import type { PcrSelection } from '../../../shared/tpm/pcr-selection.ts'
import { DEFAULT_QUOTE_POLICY, verifyQuote } from '../../../shared/tpm/quote.ts'
import { ENDORSEMENT_KEY_PROFILES } from '../../../shared/tpm/templates.ts'
import { refusalOf } from '../../support/keepseal-error.ts'
import { swtpmChannel } from '../../support/socket-channel.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { tpm2 } from '../../support/tpm2-tools.ts'
import { hasTpmTerminal, tpmTerminal, type TpmTerminal } from '../../support/tpm-terminal.ts'

/** The commands that are made here, on a real TPM implementation; what tpm2-tss gets out of it is what has to come out. */

const seed = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const ALL: PcrSelection = [{ bank: 'sha256', pcrs: Array.from({ length: 15 }, (_, pcr) => pcr) }]

let swtpm: SoftwareTpm
beforeAll(async () => {
  swtpm = await startSwtpm({ banks: ['sha1', 'sha256', 'sha384'] })
})
afterAll(() => swtpm.stop())

const ways = {
  tss2: () => openTpm(swtpm.tcti),
  device: async (): Promise<Tpm> => new DeviceTpm(await swtpmChannel(swtpm.tcti)),
}

/** The TPM serves one client at a time. */
async function by<T>(way: keyof typeof ways, use: (tpm: Tpm) => Promise<T>): Promise<T> {
  const tpm = await ways[way]()
  try {
    expect(tpm.transport).toBe(way)
    return await use(tpm)
  } finally {
    await tpm.close()
  }
}

async function byBoth<T>(use: (tpm: Tpm) => Promise<T>): Promise<[T, T]> {
  return [await by('tss2', use), await by('device', use)]
}

describe('both ways to a TPM', () => {
  test.each([
    ['what it is', describeTpm],
    ['its attributes and the PCRs of every bank', readTpmAttributes],
    ['its curves', readCurves],
    ['an index that is not there', (tpm: Tpm) => readNvIndex(tpm, 0x01c00099)],
    ['a certificate in NV, longer than one reading', (tpm: Tpm) => readNvIndex(tpm, 0x01c00002)],
  ])('read the same of %s', async (_, read: (tpm: Tpm) => Promise<unknown>) => {
    const [tss2, device] = await byBoth(read)
    expect(device).toEqual(tss2)
  })

  test.each(ENDORSEMENT_KEY_PROFILES.map((profile) => [profile.id, profile] as const))(
    'make the same endorsement key of template %s',
    async (_, profile) => {
      const [tss2, device] = await byBoth((tpm) => readEndorsementKey(tpm, [profile]))
      expect(device).toEqual(tss2)
    },
  )

  test.each(['ecdsa-p256', 'rsassa-2048'] as const)('make the same attestation key of kind %s', async (kind) => {
    const [tss2, device] = await byBoth(async (tpm) => {
      const key = await createAttestationKey(tpm, { kind, seed: seed(1) })
      return { name: key.name, publicBytes: key.publicBytes, read: await readPublic(tpm, key.handle) }
    })
    expect(device).toEqual(tss2)
    expect(Buffer.from(device.read.name)).toEqual(Buffer.from(device.name))
  })

  test('see the PCRs that the other has extended', async () => {
    await by('device', (tpm) => extendPcr(tpm, 9, new Map([['sha256', seed(3)]])))
    const [tss2, device] = await byBoth((tpm) => readPcrs(tpm, ALL))
    expect(device).toEqual(tss2)
    expect(device.get('sha256')?.get(9)).not.toEqual(new Uint8Array(32))
  })

  test.each(['ecdsa-p256', 'rsassa-2048'] as const)('quote by a key of kind %s so that it verifies', async (kind) => {
    const extraData = random(32)
    for (const way of ['tss2', 'device'] as const) {
      const { key, quote } = await by(way, async (tpm) => {
        const made = await createAttestationKey(tpm, { kind, seed: seed(2) })
        return { key: made, quote: await takeQuoteWithPcrs(tpm, made, { selection: ALL, extraData }) }
      })
      const signer = attestationKeyOf(
        key.publicArea,
        qualifiedNameOfPrimary(TPM_RH_ENDORSEMENT, key.name, hash),
        nodeCrypto,
      )
      const verify = (taken: QuoteWithPcrs) =>
        verifyQuote({ ...taken, signer, expectedExtraData: extraData, policy: DEFAULT_QUOTE_POLICY, hash })
      expect(verify(quote).pcrs).toEqual(quote.pcrs)
    }
  })

  test('take the context of a key that they have saved, and not that of the other', async () => {
    let saved: Uint8Array | undefined
    let saves = 0
    const store = {
      load: async () => saved,
      save: async (_: unknown, context: Uint8Array) => void ((saved = context), saves++),
    }
    const open = (tpm: Tpm) => openAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(4) }, store)
    const names = []
    for (const way of ['device', 'device', 'tss2', 'tss2', 'device'] as const) {
      names.push(Buffer.from((await by(way, open)).name).toString('hex'))
    }
    expect(new Set(names).size).toBe(1)
    expect(saves).toBe(3)
  })
})

describe('without tpm2-tss', () => {
  test.each(ENDORSEMENT_KEY_PROFILES.map((profile) => [profile.id, profile] as const))(
    'a credential for an endorsement key of template %s is activated, and one for another Name is refused',
    async (_, profile) => {
      await by('device', async (tpm) => {
        const ek = await readEndorsementKey(tpm, [profile])
        const ak = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(1) })
        const secret = random(32)
        const challenge = (akName: Uint8Array) =>
          makeCredential({ ek: ek.publicArea, akName, secret, primitives: credentialPrimitives, random })
        const activate = (akName: Uint8Array) => activateCredential(tpm, ek.template, ak.handle, challenge(akName))
        expect(Buffer.from(await activate(ak.name))).toEqual(Buffer.from(secret))
        const refusal = await refusalOf(activate(Uint8Array.of(0x00, 0x0b, ...seed(1))))
        expect(refusal).toBeInstanceOf(TpmCommandError)
        expect(refusal).toMatchObject({ code: 'tpm.command-failed', rc: 0x1df, command: 'TPM2_ActivateCredential' })
        expect(refusal.message).toContain('TPM_RC_INTEGRITY, parameter 1')
      })
    },
  )

  test('what the TPM refuses carries its code, and the connection stays usable', async () => {
    await by('device', async (tpm) => {
      const refusal = await refusalOf(tpm.execute(ESAPI.flushContext, [0x1234]))
      expect(refusal).toBeInstanceOf(TpmCommandError)
      await expect(readClock(tpm)).resolves.toMatchObject({ restartCount: 0 })
    })
  })

  test('bytes behind the structure that a command takes are not sent', async () => {
    await by('device', async (tpm) => {
      expect((await refusalOf(tpm.execute(ESAPI.contextLoad, [new Uint8Array(6000)]))).code).toBe('tpm.command-failed')
    })
  })

  test('a closed TPM holds no key or session, even where nobody flushed them', async () => {
    await by('device', async (tpm) => {
      await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(1) })
      await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(1) })
      await startPolicySession(tpm, 'sha256')
    })
    expect(await tpm2(swtpm.tcti, 'getcap', 'handles-transient')).toBe('')
    expect(await tpm2(swtpm.tcti, 'getcap', 'handles-loaded-session')).toBe('')
  })

  test('an endorsement hierarchy with a password is locked until it is given', async () => {
    await tpm2(swtpm.tcti, 'changeauth', '-c', 'endorsement', 'secret')
    try {
      await by('device', async (tpm) => {
        expect((await refusalOf(readEndorsementKey(tpm))).code).toBe('tpm.hierarchy-locked')
        await useEndorsementPassword(tpm, utf8('wrong'))
        expect((await refusalOf(readEndorsementKey(tpm))).code).toBe('tpm.hierarchy-locked')
        await useEndorsementPassword(tpm, utf8('secret'))
        const ek = await readEndorsementKey(tpm)
        const ak = await createAttestationKey(tpm, { kind: 'ecdsa-p256', seed: seed(1) })
        const inputs = { ek: ek.publicArea, akName: ak.name, secret: seed(9), primitives: credentialPrimitives, random }
        const activated = await activateCredential(tpm, ek.template, ak.handle, makeCredential(inputs))
        expect(Buffer.from(activated)).toEqual(Buffer.from(seed(9)))
      })
    } finally {
      await tpm2(swtpm.tcti, 'changeauth', '-c', 'endorsement', '-p', 'secret')
    }
  })
})

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

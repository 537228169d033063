import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, expect, it } from 'vitest'
import { attestationKeyPem } from '../../../collector/trust/attestation-key-pem.ts'
import { client } from '../../../collector/cli/client/program.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { hash } from '../../../shared/crypto/node.ts'
import type { BootReport } from '../../../shared/inspect/boot/report.ts'
import { encodePublic, encodePublicArea } from '../../../shared/tpm/public.ts'
import { inspectBoot } from '../../../shared/inspect/boot/inspect.ts'
import { parsePublicArea } from '../../../shared/tpm/public.ts'
import { fixturePath, fixturesDescribe, readFixture, readJsonFixture } from '../../support/fixtures.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { recordTerminal } from '../../support/terminal.ts'
import { vmAttestationArea } from '../../support/vm-sb.ts'
import { primitives, wholeBoot } from '../../support/whole-boot.ts'

const NONCE = '00112233445566778899aabbccddeeff'
const scratch = useScratchDirectories('inspect-boot')

async function run(...argv: string[]) {
  const terminal = recordTerminal({ env: {} })
  const code = await runProgram(client, ['inspect', ...argv], terminal, parseArgs)
  return { code, stdout: terminal.stdout(), stderr: terminal.stderr() }
}

/** Writes files and answers the options that name them: `--NAME FILE`. */
function optionsOf(files: Readonly<Record<string, Uint8Array>>): string[] {
  const directory = scratch()
  return Object.entries(files).flatMap(([name, content]) => {
    const path = join(directory, name)
    writeFileSync(path, content)
    return [`--${name}`, path]
  })
}

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

const boot = wholeBoot()
const { area } = boot.key as Extract<typeof boot.key, { kind: 'public-area' }>
const given = {
  quote: boot.attest,
  signature: boot.signature,
  key: encodePublic(area),
  pcrs: boot.pcrs as Uint8Array,
  eventlog: boot.eventLog ?? new Uint8Array(0),
  ima: boot.ima ?? new Uint8Array(0),
}

describe('keepseal inspect boot', () => {
  it.each([
    ['TPM2B_PUBLIC', encodePublic(area)],
    ['TPMT_PUBLIC', encodePublicArea(area)],
    ['PEM', Buffer.from(attestationKeyPem(encodePublicArea(area)))],
  ])('takes the key as %s', async (kind, key) => {
    const { code, stdout } = await run('boot', ...optionsOf({ ...given, key }), '--nonce', NONCE)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^verdict +good/m)
    expect(/not checked: key/.test(stdout.replace(/\s+/g, ' '))).toBe(kind === 'PEM')
    expect(widest(stdout)).toBeLessThanOrEqual(80)
  })

  it('ends with 1 and names code and remedy of what failed', async () => {
    const { code, stdout } = await run('boot', ...optionsOf({ ...given, ima: given.ima.subarray(3) }), '--nonce', NONCE)
    expect(code).toBe(1)
    expect(stdout).toMatch(/^verdict +NOT GOOD/m)
    expect(stdout).toContain('ima.malformed')
    expect(stdout).toContain('next: ')
  })

  it('takes a nonce in hexadecimal alone, and every file that it needs', async () => {
    expect((await run('boot', ...optionsOf(given), '--nonce', 'xyz')).code).toBe(2)
    expect((await run('boot', ...optionsOf({ quote: boot.attest }), '--nonce', NONCE)).code).toBe(2)
  })

  it('names the code of a key that is none', async () => {
    for (const key of [Buffer.alloc(10), Buffer.from('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')]) {
      const { code, stderr } = await run('boot', ...optionsOf({ ...given, key }), '--nonce', NONCE)
      expect(code).toBe(1)
      expect(stderr).toContain('next: ')
    }
  })
})

describe('keepseal inspect quote with a key', () => {
  const quote = (options: Record<string, Uint8Array>, nonce: string) => {
    const [, file = '', ...rest] = optionsOf({ quote: boot.attest, ...options })
    return run('quote', file, ...rest, '--nonce', nonce)
  }
  const { signature, key, pcrs } = given

  it('checks the quote alone', async () => {
    const { code, stdout } = await quote({ signature, key, pcrs }, NONCE)
    expect(code).toBe(0)
    expect(stdout).toContain('verified: ECDSA P-256')
    const refused = await quote({ signature, key, pcrs }, '00')
    expect(refused.code).toBe(1)
    expect(refused.stdout).toContain('quote.nonce-mismatch')
  })

  it('is not good without the PCR values, and not checked without the signature', async () => {
    const { code, stdout } = await quote({ signature, key }, NONCE)
    expect(code).toBe(1)
    expect(stdout).toContain('quote.pcrs-missing')
    expect((await quote({ key, pcrs }, NONCE)).code).toBe(2)
  })
})

fixturesDescribe('vm-sb', 'the files of a real measured boot', () => {
  const file = (name: string): string => fixturePath('vm-sb', name)
  const quote = ['--quote', file('quote.msg'), '--signature', file('quote.sig'), '--nonce', NONCE]
  const logs = ['--eventlog', file('binary_bios_measurements'), '--ima', file('ima_binary.at_quote')]
  const values = ['--pcrs', file('quote.pcrs')]
  const key = ['--key', file('ak.pub')]
  const certificate = ['--ek-certificate', file('ekcert-0x1c00002.der')]
  const roots = ['--ek-roots', file('issuercert.pem'), '--ek-roots', file('swtpm-localca-rootca-cert.pem')]

  it('appraise as one', async () => {
    const { code, stdout } = await run('boot', ...quote, ...key, ...values, ...logs)
    expect(code).toBe(0)
    expect(widest(stdout)).toBeLessThanOrEqual(80)
    const text = stdout.replace(/\s+/g, ' ')
    for (const part of [
      'quote verified: ECDSA P-256 over PCRs sha256:0-14',
      'event log 37 events lead to the quoted values in sha256',
      'secure boot on, authority SnakeOil (db)',
      'kernel list 377 of 379 entries lead to the quoted PCR 10',
      'boot aggregate matches PCRs 0-9 of sha256',
      'PCR 11: after the log was closed also "sysinit", "ready"',
      'not checked: key',
    ]) {
      expect(text).toContain(part)
    }
  })

  it('lead to the PCR values by themselves', async () => {
    const { code, stdout } = await run('boot', ...quote, ...key, ...logs, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'good',
      pcrsFrom: 'replay',
      eventLog: [{ late: [{ pcr: 11, words: ['sysinit', 'ready'] }], notLogged: [10] }],
      kernelList: [{ matchedEntries: 377, laterEntries: 2, paddingMode: 'per-bank', violations: [] }],
      bootAggregate: { status: 'matches', bank: 'sha256', pcrs: '0-9' },
      quote: { resetCount: 2, firmwareVersion: '2019102300163636' },
    })
  })

  it('with the public area and the EK certificate nothing is left open', async () => {
    const [, path = ''] = optionsOf({ key: encodePublic(vmAttestationArea()) })
    const endorsement = [...certificate, ...roots]
    const { code, stdout } = await run('boot', ...quote, '--key', path, ...values, ...logs, ...endorsement, '--json')
    expect(code).toBe(0)
    const { parts } = JSON.parse(stdout) as BootReport
    expect(parts.map(({ status }) => status)).toEqual(parts.map(() => 'good'))
    expect(parts.find(({ part }) => part === 'endorsement')?.summary).toContain('names the key as its child')
  })

  it('with an EK certificate whose root is not given are refused', async () => {
    const { code, stdout } = await run('boot', ...quote, ...key, ...values, ...logs, ...certificate)
    expect(code).toBe(1)
    expect(stdout).toContain('enrol.ek-untrusted')
  })

  it('with the certificate of another key than the endorsement key are refused', async () => {
    const other = ['--ek-certificate', file('ekcert-0x1c00016.der'), '--ek', file('ek.pub')]
    const { code, stdout } = await run('boot', ...quote, ...key, ...values, ...logs, ...other, ...roots)
    expect(code).toBe(1)
    expect(stdout).toContain('enrol.ek-certificate-mismatch')
  })

  it('with a byte changed anywhere in log or list never say more than before', () => {
    const area = vmAttestationArea()
    const files = {
      attest: readFixture('vm-sb', 'quote.msg'),
      signature: readFixture('vm-sb', 'quote.sig'),
      key: { kind: 'public-area', area } as const,
      nonce: Buffer.from(NONCE, 'hex'),
      pcrs: readFixture('vm-sb', 'quote.pcrs'),
      eventLog: readFixture('vm-sb', 'binary_bios_measurements'),
      ima: readFixture('vm-sb', 'ima_binary.at_quote'),
      endorsementKeys: [],
      endorsement: null,
    }
    const facts = ({ secureBoot, kernelList, pcrs }: BootReport) => JSON.stringify([secureBoot, kernelList, pcrs])
    const truth = facts(inspectBoot({ ...files, key: { ...files.key } }, { ...primitives, hash }))
    for (const [name, step] of [
      ['eventLog', 131],
      ['ima', 1511],
    ] as const) {
      for (let offset = 0; offset < files[name].length; offset += step) {
        const changed = Buffer.from(files[name])
        changed[offset] = (changed[offset] ?? 0) ^ (1 << (offset % 8))
        const report = inspectBoot({ ...files, [name]: changed }, primitives)
        // Bytes that nothing is read from, such as a digest of a bank that was not quoted, change nothing at all.
        if (report.verdict !== 'failed') expect(facts(report), `${name}, byte ${offset}`).toBe(truth)
      }
    }
  })
})

fixturesDescribe('quotes', 'a quote of Windows', () => {
  interface WindowsVector {
    readonly AK: { readonly Public: string }
    readonly Quote: { readonly Quote: string; readonly Signature: string }
    readonly Log: {
      readonly Raw: string
      readonly PCRs: readonly { readonly Index: number; readonly Digest: string }[]
    }
  }
  const base64 = (text: string): Buffer => Buffer.from(text, 'base64')
  const { AK, Quote, Log } = readJsonFixture('quotes', 'windows_gcp_shielded_vm.json') as WindowsVector
  const values = Log.PCRs.map(({ Index, Digest }) => `  ${Index} : 0x${base64(Digest).toString('hex')}`)
  const parts = {
    quote: base64(Quote.Quote),
    signature: base64(Quote.Signature),
    key: base64(AK.Public),
    pcrs: Buffer.from(['sha1:', ...values, ''].join('\n')),
    eventlog: base64(Log.Raw),
  }

  it('is refused for SHA-1 and for its empty nonce, by the function', () => {
    const report = inspectBoot(
      {
        attest: parts.quote,
        signature: parts.signature,
        key: { kind: 'public-area', area: parsePublicArea(parts.key) },
        nonce: new Uint8Array(0),
        pcrs: parts.pcrs,
        eventLog: parts.eventlog,
        ima: null,
        endorsementKeys: [],
        endorsement: null,
      },
      primitives,
    )
    expect(report.verdict).toBe('failed')
    expect(report.parts[0]?.failures.map(({ code }) => code)).toEqual([
      'tpm.algorithm-refused',
      'quote.hash-refused',
      'quote.nonce-empty',
      'quote.bank-refused',
      'quote.resettable-pcr',
    ])
  })

  it.each(['', NONCE])('is refused by the command, whichever nonce is expected (%s)', async (nonce) => {
    const { code, stdout } = await run('boot', ...optionsOf(parts), `--nonce=${nonce}`)
    expect(code).toBe(1)
    for (const refusal of ['quote.hash-refused', 'quote.nonce-empty', 'quote.bank-refused']) {
      expect(stdout).toContain(refusal)
    }
    expect(stdout).toMatch(/^secure boot +not checked/m)
    expect(widest(stdout)).toBeLessThanOrEqual(80)
  })
})

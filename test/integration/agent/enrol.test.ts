import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { enrollCommand } from '../../../agent/cli/enroll-command.ts'
import { enrol, type Enrolment } from '../../../agent/enrol/enrol.ts'
import type { EnrolmentTpm } from '../../../agent/enrol/tpm-session.ts'
import { loadIdentity } from '../../../agent/state/identity.ts'
import { createAttestationKey, openAttestationKey } from '../../../agent/tpm/attestation-key.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { loadEndorsementAuthorities } from '../../../collector/trust/ek-roots.ts'
import type { EnrolmentDependencies } from '../../../collector/trust/enrolment/dependencies.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { hmac, random } from '../../../shared/crypto/node.ts'
import { certifiedTpm, Collector, useCollectors } from '../../support/enrolment-collector.ts'
import { PRODUCT } from '../../support/enrolling-device.ts'
import { useEnrolmentServer } from '../../support/enrolment-server.ts'
import { errorCodeOf, failureOf } from '../../support/failure.ts'
import { inMemory } from '../../support/in-memory-tpm.ts'
import { createPki } from '../../support/pki.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { startSwtpm, type SoftwareTpm } from '../../support/swtpm.ts'
import { recordTerminal } from '../../support/terminal.ts'
import { hasTpmTerminal, tpmTerminal } from '../../support/tpm-terminal.ts'

const pki = createPki()
const scratch = useScratchDirectories('enrol')
const newCollector = useCollectors()
const hasSwtpm = spawnSync('swtpm', ['--version']).error === undefined

let collector: Collector
/** Looked at with each request, so that a test can make an answer fail. */
let answering: (path: string, answer: string) => string
let dependencies: EnrolmentDependencies

const server = useEnrolmentServer({
  pki,
  dependencies: () => dependencies,
  answering: (path, answer) => answering(path, answer),
})
beforeEach(async () => {
  answering = (_, answer) => answer
  collector = await newCollector()
  dependencies = collector.dependencies
})

async function enrolment(changes: Partial<Enrolment> = {}): Promise<Enrolment> {
  return {
    collectorUrl: server.url,
    authorities: pki.authority,
    token: await collector.token(),
    product: PRODUCT,
    openTpm: inMemory(certifiedTpm()),
    stateDirectory: scratch(),
    again: false,
    now: () => 1_795_000_000,
    random,
    ...changes,
  }
}

describe('an enrolment', () => {
  test('gives the device the identity that the collector has of it', async () => {
    await collector.product()
    const inputs = await enrolment()
    const identity = await enrol(inputs)
    const [device] = await collector.devices()
    expect(identity).toMatchObject({ ueid: device?.ueid, assurance: 'tpm-endorsed', product: PRODUCT })
    expect(toHex(identity.signer.keyId)).toBe(toHex(device?.deviceKeyThumbprint ?? new Uint8Array(0)))
    expect(identity.collector.mqttUrl).toBe(dependencies.mqttUrl)
    expect(toHex(identity.collector.id)).toBe(toHex(collector.keys.collectorId))
    const ours = hmac('sha256', identity.receiptKey.secret, identity.collector.id)
    const theirs = hmac(
      'sha256',
      collector.keys.receiptKeyOf(identity.ueid, identity.signer.keyId),
      identity.collector.id,
    )
    expect(toHex(ours)).toBe(toHex(theirs))
    expect((await loadIdentity(inputs.stateDirectory)).ueid).toBe(identity.ueid)
  })

  test('leaves neither the token nor anything else beside the identity', async () => {
    await collector.product()
    const inputs = await enrolment()
    await enrol(inputs)
    const names = readdirSync(inputs.stateDirectory)
    expect(names.sort()).toEqual([expect.stringMatching(/^identity$/), expect.stringMatching(/^identity-/)])
    for (const name of readdirSync(join(inputs.stateDirectory, 'identity'))) {
      expect(readFileSync(join(inputs.stateDirectory, 'identity', name), 'utf8')).not.toContain(inputs.token)
    }
  })

  test('without a TPM gives a software identity, where the product allows it', async () => {
    await collector.product({ identityPolicy: 'software' })
    const identity = await enrol(await enrolment({ openTpm: null }))
    expect(identity).toMatchObject({ assurance: 'software', attestationKey: null })
  })

  test('that was refused changes nothing, and can be done again', async () => {
    await collector.product()
    const inputs = await enrolment({ openTpm: null })
    const failure = await failureOf(() => enrol(inputs))
    expect(failure?.code).toBe('collector.refused')
    expect(failure?.message).toContain('enrol.software-refused')
    expect(failure?.message).not.toContain(inputs.token)
    expect(await errorCodeOf(() => loadIdentity(inputs.stateDirectory))).toBe('agent.not-enrolled')
    await enrol({ ...inputs, openTpm: inMemory(certifiedTpm()) })
  })

  test('that was interrupted between the calls is done again with the same token, at once', async () => {
    await collector.product()
    const inputs = await enrolment()
    answering = (path, answer) => (path.endsWith('begin') ? 'lost' : answer)
    expect(await errorCodeOf(() => enrol(inputs))).toBe('collector.refused')
    answering = (_, answer) => answer
    await enrol(inputs)
    expect(await collector.devices()).toHaveLength(1)
  })

  test('in which the TPM fails lets go of it', async () => {
    await collector.product()
    const tpm = await inMemory(certifiedTpm())(random(32))
    let closed = 0
    const openTpm = async (): Promise<EnrolmentTpm> => ({
      ...tpm,
      activate: async () => random(32),
      close: async () => void closed++,
    })
    const failure = await failureOf(async () => enrol(await enrolment({ openTpm })))
    expect(failure?.message).toContain('enrol.secret-wrong')
    expect(closed).toBe(1)
  })

  test('of an enrolled machine is refused, and with --again replaces its identity', async () => {
    await collector.product()
    const openTpm = inMemory(certifiedTpm())
    const inputs = await enrolment({ openTpm })
    const first = await enrol(inputs)
    const token = await collector.token(first.ueid)
    expect(await errorCodeOf(() => enrol({ ...inputs, token }))).toBe('agent.already-enrolled')
    const second = await enrol({ ...inputs, token, again: true })
    expect(second.ueid).toBe(first.ueid)
    expect(toHex(second.signer.keyId)).not.toBe(toHex(first.signer.keyId))
    expect(readdirSync(inputs.stateDirectory)).toHaveLength(2)
  })
})

describe('an enrolment is refused, and nothing kept,', () => {
  const edit = (change: (answer: Record<string, unknown>) => void) => (answer: string) => {
    const json = JSON.parse(answer) as Record<string, unknown>
    change(json)
    return JSON.stringify(json)
  }
  test.each([
    ['when the collector asks the TPM nothing', 'begin', edit((answer) => (answer['credential'] = null))],
    ['for a short challenge', 'begin', edit((answer) => (answer['challenge'] = 'AAAA'))],
    ['for a collector key that is none', 'begin', edit((answer) => (answer['collectorKey'] = 'oA'))],
    ['for a short collector id', 'begin', edit((answer) => (answer['collectorId'] = 'AAAA'))],
    ['when it makes the device a software one', 'finish', edit((answer) => (answer['identity'] = 'software'))],
    ["for another device's certificate", 'finish', edit((answer) => (answer['ueid'] = `01${'00'.repeat(16)}`))],
  ])('%s', async (_, call, change) => {
    await collector.product()
    const inputs = await enrolment()
    const calls: string[] = []
    answering = (path, answer) => {
      calls.push(path.slice('/enroll/v1/'.length))
      return path.endsWith(call) ? change(answer) : answer
    }
    expect(await errorCodeOf(() => enrol(inputs))).toBe('collector.refused')
    // What is wrong in the first answer is noticed before the second call.
    expect(calls.at(-1)).toBe(call)
    expect(await errorCodeOf(() => loadIdentity(inputs.stateDirectory))).toBe('agent.not-enrolled')
  })

  test('by the collector itself when somebody between has changed what the device is asked', async () => {
    await collector.product()
    const change = edit((answer) => (answer['challenge'] = 'A'.repeat(43)))
    answering = (path, answer) => (path.endsWith('begin') ? change(answer) : answer)
    const failure = await failureOf(async () => enrol(await enrolment()))
    expect(failure?.message).toContain('enrol.binding-invalid')
    expect(await collector.devices()).toEqual([])
  })
})

describe.runIf(hasSwtpm)(
  'keepseal-agent enroll with a real TPM implementation (skipped without the package swtpm)',
  () => {
    let tpm: SoftwareTpm
    beforeAll(async () => {
      tpm = await startSwtpm()
    })
    afterAll(() => tpm.stop())

    async function run(argv: readonly string[], changes: { tokenMode?: number; token?: string; tcti?: string } = {}) {
      const directory = scratch()
      const [authority, tokenFile, state] = ['ca.pem', 'token', 'state'].map((name) => join(directory, name))
      if (authority === undefined || tokenFile === undefined || state === undefined) throw new Error('no paths')
      writeFileSync(authority, pki.authority)
      const token = changes.token ?? (await collector.token())
      writeFileSync(tokenFile, `${token}\n`, { mode: changes.tokenMode ?? 0o600 })
      const terminal = recordTerminal({
        env: {
          KEEPSEAL_AGENT_TPM__TCTI: changes.tcti ?? tpm.tcti,
          ...(changes.tcti === undefined ? {} : { KEEPSEAL_AGENT_TPM__TRANSPORT: 'device' }),
          KEEPSEAL_AGENT_STATE__DIRECTORY: state,
          KEEPSEAL_AGENT_PRODUCT__VENDOR: PRODUCT.vendor,
          KEEPSEAL_AGENT_PRODUCT__MODEL: PRODUCT.model,
          KEEPSEAL_AGENT_PRODUCT__HARDWARE_REVISION: PRODUCT.hardwareRevision,
        },
      })
      const program = { name: 'keepseal-agent', summary: '', version: '0', commands: [enrollCommand] }
      const line = ['enroll', '--collector', server.url, '--ca-file', authority, '--token-file', tokenFile, ...argv]
      const code = await runProgram(program, line, terminal, (config) => parseArgs(config))
      return { code, state, token, out: terminal.stdout(), error: terminal.stderr() }
    }

    test('enrols, and the attestation key comes back after a power cut', async () => {
      await collector.product()
      const authorities = await endorsementAuthorities(tpm)
      collector.now = Date.now()
      dependencies = { ...collector.dependencies, authorities }
      const { code, state, token, out, error } = await run(['--product-serial', '0001', '--json'])
      expect(error).not.toContain(token)
      expect([code, error.includes('error')]).toEqual([0, false])
      const identity = await loadIdentity(state)
      expect(JSON.parse(out)).toMatchObject({ ueid: identity.ueid, identity: 'tpm-endorsed', collector: server.url })

      const [device] = await collector.devices()
      await tpm.restart()
      const opened = await openTpm(tpm.tcti)
      try {
        if (identity.attestationKey === null) throw new Error('no attestation key')
        const store = { load: async () => undefined, save: async () => undefined }
        const key = await openAttestationKey(opened, identity.attestationKey, store)
        expect(toHex(key.name)).toBe(toHex(device?.tpm?.akName ?? new Uint8Array(0)))
      } finally {
        await opened.close()
      }
    })

    test.runIf(hasTpmTerminal)(
      'enrols over a device file without tpm2-tss, a terminal in its place, and tpm2-tss has the same key (skipped without python3)',
      async () => {
        await collector.product()
        const authorities = await endorsementAuthorities(tpm)
        collector.now = Date.now()
        dependencies = { ...collector.dependencies, authorities }
        const terminal = await tpmTerminal(tpm.tcti)
        let enrolled: Awaited<ReturnType<typeof run>>
        try {
          enrolled = await run(['--product-serial', '0001', '--json'], { tcti: `device:${terminal.path}` })
        } finally {
          await terminal.stop()
        }
        expect([enrolled.code, enrolled.error.includes('error')]).toEqual([0, false])
        expect(enrolled.error).toContain(terminal.path)
        const identity = await loadIdentity(enrolled.state)
        expect(JSON.parse(enrolled.out)).toMatchObject({ ueid: identity.ueid, identity: 'tpm-endorsed' })
        const [device] = await collector.devices()
        const opened = await openTpm(tpm.tcti, { transport: 'tss2' })
        try {
          if (identity.attestationKey === null) throw new Error('no attestation key')
          const key = await createAttestationKey(opened, identity.attestationKey)
          expect(toHex(key.name)).toBe(toHex(device?.tpm?.akName ?? new Uint8Array(0)))
        } finally {
          await opened.close()
        }
      },
    )

    test('without a TPM that the collector knows is refused with the code and the remedy', async () => {
      await collector.product()
      const { code, error } = await run(['--product-serial', '0001'])
      expect(code).toBe(4)
      expect(error).toContain('enrol.ek-untrusted')
      expect(error).toContain('next: ')
    })

    test.each<[string, readonly string[], { tokenMode?: number; token?: string }, number]>([
      ['a token file that others can read', ['--product-serial', '1'], { tokenMode: 0o644 }, 1],
      ['a token that is none', ['--product-serial', '1'], { token: 'kse_short' }, 2],
      ['no serial number', [], {}, 2],
      ['two tokens', ['--product-serial', '1', '--token', `kse_${'A'.repeat(43)}`], {}, 2],
    ])('with %s is refused without a call', async (_, argv, changes, exitCode) => {
      await collector.product()
      const { code, error, token, state } = await run(argv, changes)
      expect(code).toBe(exitCode)
      expect(error).not.toContain(token)
      expect(await errorCodeOf(() => loadIdentity(state))).toBe('agent.not-enrolled')
    })
  },
)

async function endorsementAuthorities(tpm: SoftwareTpm) {
  const directory = scratch()
  for (const [index, file] of tpm.caCertificates.entries()) {
    writeFileSync(join(directory, `${index}.pem`), readFileSync(file))
  }
  return (await loadEndorsementAuthorities(directory)).authorities
}

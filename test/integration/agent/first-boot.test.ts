import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { tryToEnrol } from '../../../agent/enrol/first-boot.ts'
import { createLog } from '../../../agent/log.ts'
import { patiently } from '../../../agent/service/patience.ts'
import { loadIdentity, saveIdentity } from '../../../agent/state/identity.ts'
import { readEndorsementKey } from '../../../agent/tpm/endorsement-key.ts'
import { openTpm } from '../../../agent/tpm/open.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { nameOf } from '../../../shared/tpm/public.ts'
import { lockState } from '../../../agent/state/lock.ts'
import { readStatus } from '../../../agent/state/status-file.ts'
import type { EnrolmentDependencies } from '../../../collector/trust/enrolment/dependencies.ts'
import { identityMaterial } from '../../agent/state/identity-sample.ts'
import { PRODUCT } from '../../support/enrolling-device.ts'
import { Collector, useCollectors } from '../../support/enrolment-collector.ts'
import { useEnrolmentServer } from '../../support/enrolment-server.ts'
import { startSwtpm } from '../../support/swtpm.ts'
import { listenForNotifications } from '../../support/notify-listener.ts'
import { createPki } from '../../support/pki.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const pki = createPki()
const scratch = useScratchDirectories('first-boot')
const newCollector = useCollectors()
const hasSwtpm = spawnSync('swtpm', ['--version']).error === undefined
let collector: Collector
let dependencies: EnrolmentDependencies

const server = useEnrolmentServer({ pki, dependencies: () => dependencies })
beforeEach(async () => {
  collector = await newCollector()
  dependencies = collector.dependencies
  await collector.product({ identityPolicy: 'software' })
})

/** A device as its image made it. `rounds`: what happens while it waits, one after the other; then it is stopped. */
function device(
  options: {
    readonly url?: string
    readonly set?: readonly string[]
    readonly rounds?: readonly (() => void | Promise<void>)[]
  } = {},
) {
  const directory = scratch()
  const state = join(directory, 'state')
  const [tokenFile, caFile] = [join(directory, 'token'), join(directory, 'ca.pem')]
  writeFileSync(caFile, pki.authority)
  const set = [
    `collector.url=${options.url ?? server.url}`,
    `collector.ca_file=${caFile}`,
    `collector.token_file=${tokenFile}`,
    `state.directory=${state}`,
    'tpm.tcti=none',
    `product.vendor=${PRODUCT.vendor}`,
    `product.model=${PRODUCT.model}`,
    `product.hardware_revision=${PRODUCT.hardwareRevision}`,
    `product.serial=${PRODUCT.serial}`,
    ...(options.set ?? []),
  ]
  const waited: string[] = []
  const pauses: number[] = []
  const logged: string[] = []
  const rounds = [...(options.rounds ?? [])]
  return {
    directory,
    state,
    tokenFile,
    waited,
    pauses,
    logged,
    start: (environment: Readonly<Record<string, string>> = {}) => {
      const log = createLog({ level: 'info', write: (line) => logged.push(line), journald: false, clock: Date.now })
      const { values: config } = loadAgentConfig({ config: '/dev/null', set }, {})
      return patiently(() => tryToEnrol({ config, environment, log }), {
        log,
        waiting: (why) => void waited.push(why),
        pause: async (ms) => {
          pauses.push(ms)
          const next = rounds.shift()
          await next?.()
          return next !== undefined
        },
      })
    },
  }
}

const layReady = (file: string, token: string): void => writeFileSync(file, `${token}\n`, { mode: 0o600 })

describe('the first boot of a device', () => {
  test('enrols it with the token that lies ready, and removes the token', async () => {
    const { start, state, tokenFile, waited, logged } = device()
    const token = await collector.token()
    layReady(tokenFile, token)
    expect(await start()).toBe(true)
    expect((await collector.devices())[0]?.ueid).toBe((await loadIdentity(state)).ueid)
    expect([existsSync(tokenFile), waited]).toEqual([false, []])
    expect(logged.join('')).not.toContain(token)
  })

  test('without a token and a TPM is no enrolment, also where the TPM may stand for a token', async () => {
    const { start, waited } = device({ set: ['collector.enrol_without_token=true'] })
    expect(await start()).toBeUndefined()
    expect(waited).toEqual([expect.stringContaining('takes a TPM')])
    expect(await collector.devices()).toEqual([])
  })

  test.skipIf(!hasSwtpm)(
    `without a token enrols a TPM whose key was registered meanwhile${hasSwtpm ? '' : ' (skipped: no swtpm)'}`,
    async () => {
      await collector.product({ identityPolicy: 'tofu', model: 'GW-2' })
      const tpm = await startSwtpm()
      try {
        const register = async (): Promise<void> => {
          const open = await openTpm(tpm.tcti)
          try {
            const { publicArea } = await readEndorsementKey(open)
            await collector.register({ fingerprint: nameOf(publicArea, hash).slice(2) })
          } finally {
            await open.close()
          }
        }
        const set = ['collector.enrol_without_token=true', `tpm.tcti=${tpm.tcti}`, 'product.model=GW-2']
        const { start, state, waited } = device({ set, rounds: [register] })
        expect(await start()).toBe(true)
        expect(waited).toEqual([expect.stringContaining('not registered')])
        const identity = await loadIdentity(state)
        expect((await collector.store.registrations.list({ limit: 9 })).items).toMatchObject([
          { usedByUeid: identity.ueid },
        ])
      } finally {
        await tpm.stop()
      }
    },
    60_000,
  )

  test('says so where the token cannot be removed, and is enrolled all the same', async () => {
    const { start, tokenFile, logged } = device()
    layReady(tokenFile, await collector.token())
    // What a unit with a read-only system meets; root is kept from it by the attribute alone.
    const locked = spawnSync('chattr', ['+i', tokenFile]).status === 0
    try {
      expect(await start()).toBe(true)
    } finally {
      if (locked) spawnSync('chattr', ['-i', tokenFile])
    }
    expect(logged.some((line) => line.includes('cannot be removed'))).toBe(locked)
  })

  test('takes the token from the credentials of the service', async () => {
    const { start, directory } = device()
    const credentials = join(directory, 'credentials')
    mkdirSync(credentials, { mode: 0o700 })
    layReady(join(credentials, 'enrolment-token'), await collector.token())
    expect(await start({ CREDENTIALS_DIRECTORY: credentials })).toBe(true)
  })

  test('waits without end for who enrols it, says so once, and ends when it is told to', async () => {
    const nothing = (): void => undefined
    const { start, waited, logged, pauses } = device({ rounds: Array.from({ length: 40 }, () => nothing) })
    expect(await start()).toBeUndefined()
    expect([waited.length, logged.length]).toEqual([1, 1])
    expect([pauses[0], Math.max(...pauses)]).toEqual([30_000, 600_000])
  })

  test('goes on when a token comes later', async () => {
    const late = device({ rounds: [async () => layReady(late.tokenFile, await collector.token())] })
    expect(await late.start()).toBe(true)
  })

  test('keeps the token while the collector cannot be reached', async () => {
    const { start, tokenFile, waited } = device({ url: 'https://127.0.0.1:1', rounds: [() => undefined] })
    layReady(tokenFile, await collector.token())
    expect(await start()).toBeUndefined()
    expect([waited.length, existsSync(tokenFile)]).toEqual([1, true])
  })

  test('waits for another token where this one was used up', async () => {
    const token = await collector.token()
    const first = device()
    layReady(first.tokenFile, token)
    expect(await first.start()).toBe(true)
    const second = device({ rounds: [async () => layReady(second.tokenFile, await collector.token())] })
    layReady(second.tokenFile, token)
    // The second device is another unit, which the software identity alone does not tell.
    expect(await second.start()).toBe(true)
    expect(second.waited[0]).toContain('enrol.token-used')
  })

  test('waits where the state directory cannot be made, and says why', async () => {
    const blocked = device({ rounds: [() => rmSync(blocked.state)] })
    writeFileSync(blocked.state, 'a file')
    layReady(blocked.tokenFile, await collector.token())
    expect(await blocked.start()).toBe(true)
    expect(blocked.waited).toHaveLength(1)
  })

  test('does not take a token that others may read', async () => {
    const open = device({ rounds: [() => chmodSync(open.tokenFile, 0o600)] })
    writeFileSync(open.tokenFile, await collector.token(), { mode: 0o644 })
    expect(await open.start()).toBe(true)
    expect(open.waited).toHaveLength(1)
  })
})

test('the service says that it is ready, and why it waits, before it is enrolled', async () => {
  const directory = scratch()
  const socket = join(directory, 'notify')
  const listener = await listenForNotifications(socket)
  const set = ['--config', '/dev/null', '--set', `state.directory=${join(directory, 'state')}`]
  const program = new URL('../../../dist/agent/main.js', import.meta.url).pathname
  const agent = spawn(process.execPath, ['--jitless', program, 'run', '--wait', ...set], {
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', NOTIFY_SOCKET: socket, WATCHDOG_USEC: '300000' },
  })
  const ended = new Promise<number | null>((resolve) => agent.once('exit', (code) => resolve(code)))
  try {
    expect(await listener.next()).toMatch(/^READY=1 STATUS=not enrolled/)
    expect(await listener.next()).toBe('WATCHDOG=1')
    agent.kill('SIGTERM')
    expect(await ended).toBe(0)
  } finally {
    agent.kill('SIGKILL')
    listener.stop()
  }
})

describe('a service whose agent cannot start', () => {
  /** Runs the built program until it has logged `expected`; answers with its log. */
  async function logOf(state: string, set: readonly string[], expected: string): Promise<string> {
    const program = new URL('../../../dist/agent/main.js', import.meta.url).pathname
    const options = [
      '--config',
      '/dev/null',
      '--set',
      `state.directory=${state}`,
      ...set.flatMap((each) => ['--set', each]),
    ]
    const agent = spawn(process.execPath, ['--jitless', program, 'run', '--wait', ...options], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let written = ''
    agent.stderr.on('data', (chunk: Buffer) => (written += chunk.toString()))
    const ended = new Promise<void>((resolve) => agent.once('exit', () => resolve()))
    try {
      await vi.waitFor(() => expect(written).toContain(expected), { timeout: 20_000 })
      // It goes on, and waits: it does not end to be started again.
      expect(agent.exitCode).toBeNull()
    } finally {
      agent.kill('SIGTERM')
      await ended
    }
    return written
  }

  test('says once, and in its status, that the TPM of its enrolment is missing', async () => {
    const state = scratch()
    await saveIdentity(state, identityMaterial())
    const log = await logOf(state, ['tpm.tcti=none'], 'enrolled with a TPM')
    expect(log.match(/enrolled with a TPM/g)).toHaveLength(1)
    expect((await readStatus(state))?.problem).toContain('enrolled with a TPM')
  })

  test('says that another one has its state directory', async () => {
    const state = scratch()
    await saveIdentity(state, identityMaterial({ attestationKey: null, assurance: 'software' }))
    const lock = await lockState(state)
    try {
      await logOf(state, ['tpm.tcti=none'], 'another agent uses')
      // The status is the other one's.
      expect(await readStatus(state)).toBeUndefined()
    } finally {
      await lock.release()
    }
  })

  test('says that its identity is damaged, and does not make another one', async () => {
    const state = scratch()
    await saveIdentity(state, identityMaterial())
    const file = join(state, 'identity', 'device-key')
    writeFileSync(file, `${'0'.repeat(64)}\n`)
    const before = readFileSync(file)
    await logOf(state, [], 'another device key')
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})

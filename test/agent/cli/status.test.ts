import { parseArgs } from 'node:util'
import { expect, test } from 'vitest'
import { statusCommand } from '../../../agent/cli/status-command.ts'
import { saveIdentity, type IdentityMaterial } from '../../../agent/state/identity.ts'
import { writeStatus, type StatusFile } from '../../../agent/state/status-file.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { recordTerminal } from '../../support/terminal.ts'
import { identityMaterial } from '../state/identity-sample.ts'

const scratch = useScratchDirectories('agent-status')
const program = { name: 'keepseal-agent', summary: 'agent', version: '0', commands: [statusCommand] }

const RUNNING = {
  pid: process.pid,
  startedAt: 1,
  writtenAt: 2,
  connected: true,
  lastMeasurementAt: 2,
  lastReceiptAt: 2,
  epoch: 9,
  problem: null,
  waiting: 0,
  dropped: 0,
  refused: 0,
}
const reasons = ['boot.quote-refused', 'a.b', 'a.c', 'a.d', 'a.e', 'a.f', 'a.g']
const result: StatusFile['result'] = {
  status: 'contraindicated',
  latch: 'failed',
  liveness: 'fresh',
  bootCoverage: 'measured',
  reasons,
  since: 1_781_234_567,
  issuedAt: 1_781_234_600,
}

async function status(file: object, ...options: string[]) {
  return statusOf(identityMaterial(), file, ...options)
}

async function statusOf(identity: IdentityMaterial, file: object, ...options: string[]) {
  const directory = scratch()
  await saveIdentity(directory, identity)
  await writeStatus(directory, file as StatusFile)
  const terminal = recordTerminal()
  const argv = ['status', '--set', `state.directory=${directory}`, ...options]
  return { code: await runProgram(program, argv, terminal, parseArgs), stdout: terminal.stdout() }
}

test('status shows what the collector concludes, since when and why, in lines that fit', async () => {
  const { code, stdout } = await status({ ...RUNNING, result })
  expect(stdout).toContain('concluded   contraindicated, since 2026-06-12T03:22:47.000Z')
  expect(stdout).toContain('reason      boot.quote-refused')
  expect(stdout).toContain('and 2 more')
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  // How the reporting goes is another matter.
  expect(code).toBe(0)
})

test('status --json has all of it', async () => {
  const { stdout } = await status({ ...RUNNING, result }, '--json')
  expect((JSON.parse(stdout) as { status: StatusFile }).status.result).toEqual(result)
})

test('status of an agent that was told nothing yet, or is older than this, says so', async () => {
  for (const file of [RUNNING, { ...RUNNING, result: null }]) {
    expect((await status(file)).stdout).toContain('concluded   nothing yet')
  }
  expect((await status({ ...RUNNING, result: { ...result, status: 'none' } })).stdout).toContain('not appraised')
})

test('status tells by which way the TPM is reached, which is no finding', async () => {
  const cases = [
    ['tss2', 'through tpm2-tss'],
    ['device', 'without tpm2-tss'],
    [null, 'not used yet'],
  ] as const
  for (const [transport, text] of cases) {
    const { code, stdout } = await status({ ...RUNNING, transport })
    expect(stdout).toContain(`tpm         ${text}`)
    expect(code).toBe(0)
    const { stdout: json } = await status({ ...RUNNING, transport }, '--json')
    expect((JSON.parse(json) as { tpm: unknown }).tpm).toBe(transport)
  }
  const without = identityMaterial({ assurance: 'software', attestationKey: null })
  const { stdout } = await statusOf(without, RUNNING)
  expect(stdout).toContain('tpm         none')
  expect(JSON.parse((await statusOf(without, RUNNING, '--json')).stdout)).toMatchObject({ tpm: 'none' })
})

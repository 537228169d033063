import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, expect, it } from 'vitest'
import { client } from '../../../collector/cli/client/program.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { inspectEventLog } from '../../../shared/eventlog/inspect.ts'
import {
  action,
  agileLog,
  ascii,
  authority,
  goodBoot,
  separator,
  SHIM,
  type EventSpec,
} from '../../support/eventlog-builder.ts'
import { fixturePath, fixturesDescribe } from '../../support/fixtures.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { recordTerminal } from '../../support/terminal.ts'

const scratch = useScratchDirectories('inspect-eventlog')

async function runOn(file: string, ...options: string[]) {
  const terminal = recordTerminal({ env: {} })
  const code = await runProgram(client, ['inspect', 'eventlog', file, ...options], terminal, parseArgs)
  return { code, stdout: terminal.stdout(), stderr: terminal.stderr() }
}

function run(content: Uint8Array, ...options: string[]) {
  const file = join(scratch(), 'log')
  writeFileSync(file, content)
  return runOn(file, ...options)
}

const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length))

describe('keepseal inspect eventlog', () => {
  const at = (events: readonly EventSpec[], index: number, ...more: readonly EventSpec[]): EventSpec[] => [
    ...events.slice(0, index),
    ...more,
    ...events.slice(index),
  ]
  const sbat = authority('SbatLevel', SHIM, ascii('sbat,1,2023012900\nshim,2\ngrub,3\n'))

  it('shows state, keys with their fingerprints, authorities, revocations and weaknesses of Secure Boot', async () => {
    const weak = at([...goodBoot(), sbat], 2, action(7, 'UEFI Debug Mode'))
    const { code, stdout } = await run(agileLog(weak))
    expect(code).toBe(0)
    for (const line of [
      /^secure boot +on /m,
      /^weakness +.*debugger/m,
      /^platform key +Platform owner\n +[0-9a-f]{64}$/m,
      /^exchange keys +Key exchange\n +[0-9a-f]{64}$/m,
      /^db \(allowed\) +Boot signer\n +[0-9a-f]{64}\n +Other signer\n/m,
      /^dbx \(forbidden\) +2 image hashes$/m,
      /^authority +db: Boot signer\n +[0-9a-f]{64}$/m,
      /^SBAT level +revocations of 2023012900: shim 2, grub 3$/m,
    ]) {
      expect(stdout).toMatch(line)
    }
  })

  it('says what is wrong with code and remedy where the state is unknown', async () => {
    const { code, stdout } = await run(agileLog([...goodBoot(), separator(7)]))
    expect(code).toBe(0)
    expect(stdout).toMatch(/^secure boot +unknown/m)
    expect(stdout.replace(/\s+/g, ' ')).toMatch(/problem PCR 7, event \d+: .*\(eventlog\.separator\) next: /)
  })

  it('prints nothing that a terminal would obey', async () => {
    const { stdout } = await run(agileLog([{ pcr: 8, type: 'EV_IPL', data: ascii('grub_cmd: \u001b[31m') }]))
    expect(stdout).not.toContain('\u001b')
  })

  it('prints the same as JSON', async () => {
    const { stdout } = await run(agileLog(goodBoot()), '--json')
    expect(JSON.parse(stdout)).toEqual(inspectEventLog(agileLog(goodBoot()), hash))
  })

  it.each([[[]], [['--json']]])('says in one line where and why a log cannot be read %s', async (options) => {
    const { code, stdout, stderr } = await run(agileLog(goodBoot()).subarray(0, 200), ...options)
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(
      stderr
        .trimEnd()
        .split('\n')
        .filter((line) => /at byte \d+: /.test(line)),
    ).toHaveLength(1)
    if (options.length === 0) expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })
})

fixturesDescribe('eventlogs', 'real logs in a terminal', () => {
  const names = readdirSync(fixturePath('eventlogs')).filter((name) => name.endsWith('.bin'))

  it.each(names)('%s fits into 80 columns and ends with the state of Secure Boot', async (name) => {
    const { code, stdout } = await runOn(fixturePath('eventlogs', name))
    expect(code).toBe(0)
    expect(widest(stdout)).toBeLessThanOrEqual(80)
    expect(stdout).toMatch(/^secure boot +(on|off|unknown)/m)
    expect(stdout).toMatch(/^SBAT level +/m)
  })
})

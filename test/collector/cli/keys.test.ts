import { chownSync, cpSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { describe, expect, it } from 'vitest'
import { keysCommands } from '../../../collector/cli/server/keys.ts'
import { openStore } from '../../../collector/store/index.ts'
import { loadOrCreateKeys } from '../../../collector/trust/keys.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { random } from '../../../shared/crypto/node.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { recordTerminal } from '../../support/terminal.ts'

const scratch = useScratchDirectories('cli-keys')
const program = { name: 'keepseal-collector', summary: 'A sample.', version: '0', commands: keysCommands }

async function run(directory: string, ...argv: string[]) {
  const terminal = recordTerminal({ env: {} })
  const set = [
    `data.directory=${directory}`,
    'mqtt.public_url=mqtts://mqtt.example:8883',
    'http.public_url=https://c.example',
  ]
  const flags = set.flatMap((each) => ['--set', each])
  const code = await runProgram(program, [...argv, ...flags], terminal, parseArgs)
  return { code, stdout: terminal.stdout(), stderr: terminal.stderr() }
}
const json = async (directory: string, ...argv: string[]) =>
  JSON.parse((await run(directory, ...argv, '--json')).stdout) as Record<string, unknown>

describe('keys rotate', () => {
  it('signs a statement, which keys list shows and the audit log holds', async () => {
    const directory = scratch()
    const before = await loadOrCreateKeys({ dataDirectory: directory, now: Date.now(), random })
    expect(await json(directory, 'keys', 'list')).toMatchObject({
      signingKey: toHex(before.signer.keyId),
      statements: [],
    })
    const turned = await json(directory, 'keys', 'rotate', '--signing-key', '--authority')
    const told = { mqttUrl: 'mqtts://mqtt.example:8883', collectorUrl: 'https://c.example' }
    expect(turned).toMatchObject({ number: 1, dropped: 0, ...told })
    expect(await json(directory, 'keys', 'list')).toMatchObject({
      signingKey: turned['signingKey'],
      authorities: [{}, {}],
      statements: [{ number: 1, by: toHex(before.signer.keyId), key: turned['signingKey'], authorities: 2, ...told }],
    })
    const { store, close } = await openStore({ path: join(directory, 'collector.db') })
    const { items } = await store.auditLog.list({ limit: 10 })
    expect(items).toMatchObject([{ action: 'keys.rotate', subject: '1', detail: { signingKey: true, ...told } }])
    await close()
  })

  it('tells other addresses where it is given them', async () => {
    const directory = scratch()
    const flags = ['--addresses', '--mqtt-url', 'mqtts://new.example:8883', '--collector-url', 'https://new.example']
    expect(await json(directory, 'keys', 'rotate', ...flags)).toMatchObject({
      mqttUrl: 'mqtts://new.example:8883',
      collectorUrl: 'https://new.example',
    })
  })

  it('goes on with the addresses that were told last, whatever else it changes', async () => {
    const directory = scratch()
    const told = { mqttUrl: 'mqtts://new.example:8883', collectorUrl: 'https://new.example' }
    const flags = ['--mqtt-url', told.mqttUrl, '--collector-url', told.collectorUrl]
    await run(directory, 'keys', 'rotate', '--addresses', ...flags)
    expect(await json(directory, 'keys', 'rotate', '--signing-key')).toMatchObject({ number: 2, ...told })
    expect(await json(directory, 'keys', 'rotate', '--addresses')).toMatchObject({
      number: 3,
      mqttUrl: 'mqtts://mqtt.example:8883',
    })
  })

  it('signs no second statement of one number, by another replica or by two at once', async () => {
    const directory = scratch()
    const keys = join(directory, 'keys')
    await loadOrCreateKeys({ dataDirectory: directory, now: Date.now(), random })
    cpSync(keys, join(directory, 'copy'), { recursive: true })
    const both = await Promise.all([1, 2].map(() => run(directory, 'keys', 'rotate', '--signing-key')))
    expect(both.filter(({ code }) => code === exitCodes.good)).toHaveLength(1)
    // The keys of a replica that has not got the new ones.
    rmSync(keys, { recursive: true })
    renameSync(join(directory, 'copy'), keys)
    const late = await run(directory, 'keys', 'rotate', '--authority')
    expect(late).toMatchObject({ code: exitCodes.refused, stderr: expect.stringContaining('statement 1') })
    expect(await json(directory, 'keys', 'list')).toMatchObject({ statements: [] })
  })

  it('fits 80 columns, as the list does', async () => {
    const directory = scratch()
    const turned = await run(directory, 'keys', 'rotate', '--signing-key')
    const listed = await run(directory, 'keys', 'list')
    expect(listed.stdout).toContain('statement 1')
    for (const line of `${turned.stdout}\n${listed.stdout}`.split('\n'))
      expect(line.length, line).toBeLessThanOrEqual(80)
  })

  it('changes nothing unless it is said what', async () => {
    const directory = scratch()
    expect((await run(directory, 'keys', 'rotate')).code).toBe(2)
    expect((await run(directory, 'keys', 'rotate', '--addresses', '--mqtt-url', 'http://x')).code).toBe(2)
    expect(await json(directory, 'keys', 'list')).toMatchObject({ statements: [] })
  })

  it.skipIf(process.getuid?.() !== 0)(
    'as another user than that of the keys makes no file that the service could not read',
    async () => {
      const directory = scratch()
      const { directory: keys } = await loadOrCreateKeys({ dataDirectory: directory, now: Date.now(), random })
      chownSync(keys, 65_534, 65_534)
      const refused = await run(directory, 'keys', 'rotate', '--signing-key')
      expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('runuser') })
      expect(await json(directory, 'keys', 'list')).toMatchObject({ statements: [] })
    },
  )
})

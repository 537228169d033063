import { describe, expect, test } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { agentSensor } from '../../../agent/sensors/agent.ts'
import { measureAll } from '../../../agent/sensors/registry.ts'
import { knowSelf, type OwnProcess } from '../../../agent/self/self.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { decodeSection, encodeSection } from '../../../shared/posture/canonical.ts'
import type { AgentContent } from '../../../shared/posture/sections/agent.ts'
import { treeHost } from '../../support/host-tree.ts'
import { sha256 } from '../../support/posture.ts'

const started: OwnProcess = {
  arch: 'x64',
  argv: ['node', '/usr/lib/keepseal/keepseal-agent.js', 'run'],
  env: {},
  execArgv: ['--jitless'],
  geteuid: () => 987,
  platform: 'linux',
  version: 'v20.19.0',
}

async function measure(set: readonly string[] = [], own: Partial<OwnProcess> = {}) {
  const { values: config } = loadAgentConfig({ config: '/dev/null', set }, {})
  const self = knowSelf(config, { ...started, ...own })
  const reading = (await measureAll(treeHost({}, { self }), [agentSensor])).get('agent')?.reading
  if (reading?.status !== 'measured') throw new Error('not measured')
  const encoded = encodeSection('agent', reading as never, sha256)
  expect(decodeSection('agent', encoded.bytes).status).toBe('measured')
  return { content: reading.content as AgentContent, digest: toHex(encoded.digest) }
}

describe('two units of one fleet', () => {
  test.each([
    ['serial number', ['product.serial=4711']],
    ['vendor as it was claimed', ['product.vendor=Example']],
    ['level of the log', ['log.level=debug']],
    ['TPM device', ['tpm.tcti=device:/dev/tpmrm0']],
  ])('that differ in the %s are equal', async (_, set) => {
    const base = set[0]?.startsWith('tpm.') === true ? ['tpm.tcti=device:/dev/tpmrm1'] : []
    expect((await measure(set)).digest).toBe((await measure(base)).digest)
  })

  test.each([
    ['interval', ['report.interval_seconds=60']],
    ['broker', ['mqtt.url=mqtts://broker.example']],
    ['PCRs', ['tpm.pcrs=0,1']],
    ['kind of TPM', ['tpm.tcti=swtpm:port=2321']],
    ['measured root', ['host.root=/mnt']],
  ])('that differ in the %s differ in that option alone', async (_, set) => {
    const [before, after] = [await measure(), await measure(set)]
    const option = set[0]?.split('=')[0]
    const changed = after.content.configuration.filter(
      ({ option: name, value }) => !before.content.configuration.some((o) => o.option === name && o.value === value),
    )
    expect(changed.map((one) => one.option)).toEqual([option])
  })
})

describe('how the agent was started', () => {
  test('is told with what NODE_OPTIONS adds', async () => {
    const { content } = await measure([], { env: { NODE_OPTIONS: ' --require  /tmp/x.js ' } })
    expect(content.runtime).toEqual({ version: 'v20.19.0', flags: ['--jitless', '--require', '/tmp/x.js'] })
  })

  test('is told by a digest where there is more of it than a section holds', async () => {
    const many = await measure([], { execArgv: Array.from({ length: 1000 }, (_, index) => `--title=${index}`) })
    expect(many.content.runtime.flags).toEqual([expect.stringMatching(/^sha256 [0-9a-f]{64}$/)])
    const long = await measure([], { execArgv: ['x'.repeat(300)] })
    const other = await measure([], { execArgv: [`${'x'.repeat(300)}y`] })
    expect(long.digest).not.toBe(other.digest)
  })

  test('may hold characters that no section does', async () => {
    const { content } = await measure([], { execArgv: ['--title=a\n\u001b[31m\u202eb'] })
    expect(content.runtime.flags[0]).toMatch(/^--title=a\\x0a\\x1b\[31m/)
  })

  test.each([
    [0, 'root'],
    [1000, 'other'],
  ])('by user %i is told as %s, and not by number', async (uid, user) => {
    expect((await measure([], { geteuid: () => uid })).content.user).toBe(user)
  })
})

test('whoever measures without being an agent says that, and has no section that looks good', async () => {
  const reading = (await measureAll(treeHost({}), [agentSensor])).get('agent')?.reading
  expect(reading).toEqual({ status: 'not-supported', reason: 'no-agent' })
})

test('an option too long for a section is told by its digest, so that no end of it can change unseen', async () => {
  const path = (end: string): string => `/${'x'.repeat(600)}${end}`
  const [one, other] = [await measure([`host.root=${path('1')}`]), await measure([`host.root=${path('2')}`])]
  expect(one.digest).not.toBe(other.digest)
})

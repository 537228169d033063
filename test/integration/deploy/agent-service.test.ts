import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { builtPackage, COLLECTOR_NEEDS } from '../../support/built-package.ts'
import { LiveSystem } from '../../support/live-system.ts'
import { DENIED, LiveUnit, privilegesOf } from '../../support/live-unit.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

/**
 * The agent's package under a systemd that runs, beside a collector that it reports to. There is no TPM in there, so the
 * product allows a software identity; that the unit reaches a TPM is seen in the virtual gateway (test/vm). Told in order.
 */

const scratch = useScratchDirectories('agent-service')
const booted = await LiveSystem.boot([...COLLECTOR_NEEDS, 'nftables'])
const skipped = 'obstacle' in booted ? ` (skipped: ${booted.obstacle})` : ''
const system = booted as LiveSystem
afterAll(async () => {
  if (skipped === '') await system.stop()
})

const CAP_DAC_READ_SEARCH = 1n << 2n
const CAP_NET_ADMIN = 1n << 12n
const CAP_SYS_PTRACE = 1n << 19n

const AUTHORITY = '/etc/keepseal/collector-ca.pem'
const TOKEN = '/var/lib/keepseal-agent/enrolment-token'
const ENROLMENT = `[collector]
url = "https://localhost:8443"
ca_file = "${AUTHORITY}"
token_file = "${TOKEN}"

[tpm]
tcti = "none"

[product]
vendor = "Example"
model = "Gateway"
hardware_revision = "A"
serial = "0001"
`

interface Device {
  readonly ueid: string
  readonly identity: string
  readonly liveness: string
}

interface Status {
  readonly ueid: string
  readonly running: boolean
  readonly status: { readonly connected: boolean; readonly lastReceiptAt: number | null } | null
}

interface Printed {
  readonly state: Readonly<Record<string, unknown>>
  readonly sections: Readonly<Record<string, { readonly by?: string; readonly content?: unknown }>>
}

describe.skipIf(skipped !== '')(`the agent's service under a live systemd${skipped}`, { timeout: 120_000 }, () => {
  const unit = (name: string): LiveUnit => (skipped === '' ? new LiveUnit(system, name) : ({} as LiveUnit))
  const service = unit('keepseal-agent.service')
  const helpers = unit('keepseal-measure@*.service')
  let operator: readonly string[]
  let ueid: string

  const keepseal = <T>(...words: readonly string[]): T =>
    JSON.parse(system.ask('env', ...operator, 'keepseal', ...words, '--json')) as T
  const devices = (): readonly Device[] => keepseal<{ items: Device[] }>('device', 'list').items
  const status = (): Status => JSON.parse(system.ask('keepseal-agent', 'status', '--json')) as Status
  /** What the agent measures, by its own user. */
  const measured = (...options: readonly string[]): Printed =>
    JSON.parse(system.askAs('keepseal-agent', 'keepseal-agent', 'once', '--print', '--json', ...options)) as Printed
  const reporting = async (): Promise<void> => {
    await vi.waitFor(
      () => {
        expect(service.show('ActiveState', 'StatusText')).toEqual({ ActiveState: 'active', StatusText: 'reporting' })
        expect(status()).toMatchObject({ running: true, status: { connected: true } })
      },
      { timeout: 60_000, interval: 500 },
    )
  }

  beforeAll(() => {
    system.write('etc/keepseal/collector.d/address.toml', '[http]\npublic_url = "https://localhost:8443"\n')
    system.install(builtPackage('collector', scratch()))
    system.ask('install', '-m', '0644', '/var/lib/keepseal-collector/keys/device-ca.pem', AUTHORITY)
    const token = ['keepseal-collector', 'api-token', 'create', '--role', 'operator', '--name', 'test']
    operator = [
      'KEEPSEAL_URL=https://localhost:8443',
      `KEEPSEAL_CA_FILE=${AUTHORITY}`,
      `KEEPSEAL_TOKEN=${system.askAs('keepseal-collector', ...token)}`,
    ]
    const product = ['--vendor', 'Example', '--model', 'Gateway', '--identity', 'software', '--approval', 'automatic']
    keepseal('product', 'create', ...product)
    system.install(builtPackage('agent', scratch()))
  }, 300_000)

  test('is started by the package, and waits for its enrolment without failing', () => {
    expect(service.show('Type', 'ActiveState', 'Result', 'NRestarts', 'WatchdogUSec', 'StatusText')).toEqual({
      Type: 'notify',
      ActiveState: 'active',
      Result: 'success',
      NRestarts: '0',
      WatchdogUSec: '5min',
      StatusText: expect.stringMatching(/^not enrolled, and no token lies ready/),
    })
  })

  test('runs as a user of its own, without capabilities, behind a filter of system calls', () => {
    const user = Number(system.ask('id', '-u', 'keepseal-agent'))
    expect(user).toBeGreaterThan(0)
    expect(service.privileges).toEqual({
      users: [user, user, user, user],
      effective: 0n,
      bounding: 0n,
      noNewPrivileges: true,
      seccomp: 2,
    })
  })

  test('enrols by itself with the token that lies ready, removes it, and reports', async () => {
    keepseal('token', 'create', '--product', 'Example/Gateway', '--output', '/root/token')
    system.write('etc/keepseal/agent.d/enrolment.toml', ENROLMENT)
    system.ask('install', '-o', 'keepseal-agent', '-m', '0400', '/root/token', TOKEN)
    service.do('restart')
    await reporting()
    ueid = status().ueid
    expect(system.run('test', '-e', TOKEN).status).toBe(1)
    await vi.waitFor(
      () => expect(devices()).toEqual([expect.objectContaining({ ueid, identity: 'software', liveness: 'fresh' })]),
      { timeout: 30_000, interval: 500 },
    )
    // Its own measurement has asked the helper, whose process is gone without a complaint.
    expect(helpers.journal()).toContain('Deactivated successfully')
  })

  test('has from the helper what it may not see itself', () => {
    const [withHelper, without] = [measured(), measured('--set', 'measure.socket=')]
    expect([withHelper.state['agent.helper'], without.state['agent.helper']]).toEqual(['used', 'absent'])
    for (const section of ['access', 'firewall']) {
      expect([section, withHelper.sections[section]?.by]).toEqual([section, 'helper'])
      expect(JSON.stringify(without.sections[section])).toContain('no-permission')
      expect(JSON.stringify(withHelper.sections[section])).not.toContain('no-permission')
    }
    expect(helpers.journal()).not.toMatch(/Failed with result|keepseal-measure: /)
  })

  test('is answered by a helper with three capabilities, which nobody else may ask', async () => {
    const connect = "require('node:net').connect('/run/keepseal/measure.sock').on('error', () => process.exit(9))"
    const asking = [
      '/usr/lib/keepseal/node',
      '--eval',
      `${connect}.on('connect', () => setTimeout(process.exit, 5000))`,
    ]
    expect(() => system.askAs('keepseal-collector', ...asking)).toThrow(/: 9: /)
    system.ask('systemd-run', '--quiet', '--uid=keepseal-agent', '--unit=asking', ...asking)
    // It waits for a question that does not come. Active it is from when its program has taken over.
    const pid = await vi.waitFor(
      () => {
        const { ActiveState, MainPID } = helpers.show('ActiveState', 'MainPID')
        expect(ActiveState).toBe('active')
        return Number(MainPID)
      },
      { timeout: 5000, interval: 50 },
    )
    const allowed = CAP_DAC_READ_SEARCH | CAP_NET_ADMIN | CAP_SYS_PTRACE
    expect(privilegesOf(system, pid)).toEqual({
      users: [0, 0, 0, 0],
      effective: allowed,
      bounding: allowed,
      noNewPrivileges: true,
      seccomp: 2,
    })
    system.ask('systemctl', 'stop', 'asking.service')
  })

  test('is the same device after a restart', async () => {
    const { pid } = service
    service.do('restart')
    await service.restartedAfter(pid)
    await reporting()
    expect([status().ueid, devices().map((each) => each.ueid)]).toEqual([ueid, [ueid]])
  })

  test('is ended and started again when it hangs, not while it works, and is the same device', async () => {
    service.dropIn('watchdog', 'WatchdogSec=5', 'RestartSec=1')
    service.do('restart')
    await reporting()
    const { pid } = service
    await new Promise((resolve) => setTimeout(resolve, 12_000))
    expect([service.pid, service.restarts]).toEqual([pid, 0])
    service.signal('SIGSTOP')
    await service.restartedAfter(pid)
    expect(service.journal()).toMatch(/Watchdog timeout \(limit 5s\)/)
    await reporting()
    expect([service.restarts, status().ueid, devices().length]).toEqual([1, ueid, 1])
  })

  test('stops in order and in time', () => {
    const begun = performance.now()
    service.do('stop')
    expect(performance.now() - begun).toBeLessThan(30_000)
    expect(service.show('Result', 'ExecMainCode', 'ExecMainStatus')).toEqual({
      Result: 'success',
      // CLD_EXITED: it was not killed.
      ExecMainCode: '1',
      ExecMainStatus: '0',
    })
  })

  test('was denied nothing that it tried, nor was its helper', () => {
    expect(service.journal()).toContain(`enrolled as ${ueid}`)
    expect(`${service.journal()}${helpers.journal()}`).not.toMatch(DENIED)
  })
})

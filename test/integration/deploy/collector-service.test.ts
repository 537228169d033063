import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { builtPackage, COLLECTOR_NEEDS } from '../../support/built-package.ts'
import { LiveSystem } from '../../support/live-system.ts'
import { DENIED, LiveUnit } from '../../support/live-unit.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

/** The collector's package under a systemd that runs: its service, its watchdog and its backups. Told in order. */

const scratch = useScratchDirectories('collector-service')
const booted = await LiveSystem.boot(COLLECTOR_NEEDS)
const skipped = 'obstacle' in booted ? ` (skipped: ${booted.obstacle})` : ''
const system = booted as LiveSystem
afterAll(async () => {
  if (skipped === '') await system.stop()
})

const MISTAKE = 'etc/keepseal/collector.d/mistake.toml'
const DATA = '/var/lib/keepseal-collector'
const BACKUPS = '/var/backups/keepseal-collector'

const healthy = (): boolean => system.get('http://127.0.0.1:9464/healthz') === '{"status":"ok"}'
/** Ports that something listens at, whatever the address. */
const listening = (): number[] =>
  system
    .ask('cat', '/proc/net/tcp', '/proc/net/tcp6')
    .split('\n')
    .flatMap((line) => {
      const [, port] = /^\s*\d+: \w+:(\w{4}) \S+ 0A /.exec(line) ?? []
      return port === undefined ? [] : [Number.parseInt(port, 16)]
    })

describe.skipIf(skipped !== '')(`the collector's service under a live systemd${skipped}`, { timeout: 120_000 }, () => {
  const service = skipped === '' ? new LiveUnit(system, 'keepseal-collector.service') : ({} as LiveUnit)

  beforeAll(() => {
    system.install(builtPackage('collector', scratch()))
  }, 180_000)

  test('is started by the package, and says that it is ready when everything listens', () => {
    service.do('restart')
    // At once: whoever is ordered after it may connect.
    expect(listening()).toEqual(expect.arrayContaining([8443, 8883, 9464]))
    expect(service.show('Type', 'ActiveState', 'Result', 'StatusText', 'WatchdogUSec')).toEqual({
      Type: 'notify',
      ActiveState: 'active',
      Result: 'success',
      StatusText: 'serving ingest, api, tracker, notify',
      WatchdogUSec: '2min',
    })
    expect(healthy()).toBe(true)
    expect(JSON.parse(system.get('http://127.0.0.1:9464/readyz') ?? '')).toMatchObject({ status: 'ready' })
  })

  test('runs as a user of its own, without capabilities, behind a filter of system calls', () => {
    const user = Number(system.ask('id', '-u', 'keepseal-collector'))
    expect(user).toBeGreaterThan(0)
    expect(service.privileges).toEqual({
      users: [user, user, user, user],
      effective: 0n,
      bounding: 0n,
      noNewPrivileges: true,
      seccomp: 2,
    })
  })

  test('has a system that is read-only but for its data, no homes, no devices and no other processes', () => {
    const mounts = system.ask('cat', `/proc/${service.pid}/mountinfo`).split('\n')
    const optionsAt = (path: string): string | undefined =>
      mounts.findLast((line) => line.split(' ')[4] === path)?.split(' ')[5]
    expect(optionsAt('/')).toMatch(/^ro\b/)
    expect(optionsAt(DATA)).toMatch(/^rw\b/)
    system.ask('touch', '/tmp/of-somebody-else')
    const seen = `/proc/${service.pid}/root`
    expect(system.ask('ls', `${seen}/tmp`)).toBe('')
    expect(system.ask('stat', '--format', '%a', `${seen}/home`, `${seen}/root`)).toBe('0\n0')
    expect(optionsAt('/dev')).toMatch(/^ro\b.*noexec/)
    expect(mounts.find((line) => line.split(' ')[4] === '/proc')).toMatch(/hidepid=(2|invisible).*subset=pid/)
  })

  test('keeps its keys from everybody else', () => {
    expect(system.ask('stat', '--format', '%a %U', DATA, `${DATA}/keys/signing-key.pem`).split('\n')).toEqual([
      '700 keepseal-collector',
      '600 keepseal-collector',
    ])
  })

  test('is started again when it was killed', async () => {
    service.dropIn('soon', 'RestartSec=1')
    const { pid } = service
    service.signal('SIGKILL')
    await service.restartedAfter(pid)
    expect([service.restarts, healthy()]).toEqual([1, true])
  })

  test('is ended and started again when it hangs, and not while it works', { timeout: 180_000 }, async () => {
    service.dropIn('watchdog', 'WatchdogSec=5')
    service.do('restart')
    const { pid } = service
    await new Promise((resolve) => setTimeout(resolve, 12_000))
    expect([service.pid, service.restarts]).toEqual([pid, 0])
    service.signal('SIGSTOP')
    await service.restartedAfter(pid)
    expect([service.restarts, healthy()]).toEqual([1, true])
    expect(service.journal()).toMatch(/Watchdog timeout \(limit 5s\)/)
  })

  test('does not start with a configuration that is wrong, says so, and heals when that is mended', async () => {
    system.write(MISTAKE, '[http]\nport = "many"\n')
    expect(system.run('systemctl', 'restart', service.name).status).not.toBe(0)
    const { ExecStartPre, Result } = service.show('ExecStartPre', 'Result')
    // What `keepseal-collector check-config` ends with for a configuration that is invalid.
    expect([Result, /status=(\d+)/.exec(ExecStartPre)?.[1]]).toEqual(['exit-code', '1'])
    expect(service.journal()).toMatch(/http\.port/)
    expect(listening()).not.toContain(8443)
    system.remove(MISTAKE)
    await service.restartedAfter(0)
    expect(healthy()).toBe(true)
  })

  test('is backed up by a service of its own, each day', () => {
    const backup = new LiveUnit(system, 'keepseal-collector-backup.service')
    backup.do('start')
    expect(backup.show('Result', 'ExecMainStatus', 'SystemCallErrorNumber')).toEqual({
      Result: 'success',
      ExecMainStatus: '0',
      SystemCallErrorNumber: '1',
    })
    const [file = '', ...others] = system.ask('find', BACKUPS, '-type', 'f').split('\n')
    expect([others, file]).toEqual([[], expect.stringMatching(/\/keepseal-[\d-]+T\d+Z\.backup$/)])
    expect(system.ask('stat', '--format', '%a %U', BACKUPS, file).split('\n')).toEqual([
      '700 keepseal-collector',
      '600 keepseal-collector',
    ])
    expect(system.ask('systemctl', 'list-timers', '--no-legend')).toContain('keepseal-collector-backup.timer')
    expect(backup.journal()).not.toMatch(DENIED)
  })

  test('stops in order, in time, and with what it had', async () => {
    const begun = performance.now()
    service.do('stop')
    expect(performance.now() - begun).toBeLessThan(60_000)
    expect(service.show('ActiveState', 'Result', 'ExecMainCode', 'ExecMainStatus')).toEqual({
      ActiveState: 'inactive',
      Result: 'success',
      // CLD_EXITED: it was not killed.
      ExecMainCode: '1',
      ExecMainStatus: '0',
    })
    await vi.waitFor(() => expect(listening()).not.toContain(8883))
    service.do('start')
    expect(healthy()).toBe(true)
  })

  test('was denied nothing that it tried', () => {
    expect(service.journal()).toContain('the collector is running')
    expect(service.journal()).not.toMatch(DENIED)
  })
})

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SOCKET } from '../../agent/measure/protocol.ts'
import { repository } from '../architecture/sources.ts'
import { AGENT_FLAGS } from '../bench/agent-flags.ts'

const pathOf = (name: string): string => join(repository, 'deploy', 'systemd', name)

/** Every value of every setting, in order, whatever its section. */
function settingsOf(name: string): ReadonlyMap<string, readonly string[]> {
  const settings = new Map<string, string[]>()
  for (const line of readFileSync(pathOf(name), 'utf8').split('\n')) {
    const [, key, value] = /^([A-Za-z]+)=(.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) settings.set(key, [...(settings.get(key) ?? []), value])
  }
  return settings
}

const analyses = spawnSync('systemd-analyze', ['security', '--help'], { encoding: 'utf8' }).stdout?.includes(
  '--offline',
)

describe('the unit of the privileged helper', () => {
  const service = settingsOf('keepseal-measure@.service')

  it.each([
    ['CapabilityBoundingSet', ['CAP_DAC_READ_SEARCH CAP_SYS_PTRACE CAP_NET_ADMIN']],
    ['NoNewPrivileges', ['yes']],
    ['RestrictAddressFamilies', ['AF_UNIX AF_NETLINK']],
    ['IPAddressDeny', ['any']],
    ['MemoryDenyWriteExecute', ['yes']],
    ['ProtectSystem', ['strict']],
    ['ReadOnlyPaths', ['/']],
    ['DevicePolicy', ['closed']],
  ])('has %s=%j', (setting, values) => {
    expect(service.get(setting)).toEqual(values)
  })

  it('starts the bundle with the flags that allow memory to be never both written and executed', () => {
    expect(service.get('ExecStart')?.[0]).toMatch(/ --jitless \S+\/keepseal-measure\.js$/)
  })

  it('hides nothing from the sensors', () => {
    const hiding = ['PrivateDevices', 'ProtectProc', 'ProcSubset', 'ProtectKernelModules', 'PrivateNetwork']
    expect(hiding.filter((setting) => service.has(setting))).toEqual([])
    expect([service.get('ProtectHome'), service.get('PrivateTmp')]).toEqual([['read-only'], ['no']])
  })

  it.skipIf(!analyses)(
    `is not exposed more than it has to be${analyses ? '' : ' (skipped: no systemd-analyze)'}`,
    () => {
      // 2.6 of 10: what is left is what it is for. A setting that is lost lifts it above 2.8.
      const command = ['security', '--offline=true', '--threshold=28', pathOf('keepseal-measure@.service')]
      expect(spawnSync('systemd-analyze', command).status).toBe(0)
    },
  )
})

/** systemd's own judgement, in tenths of its score: 0 is not exposed, 100 is. */
function isAtMost(unit: string, tenths: number): boolean {
  const command = ['security', '--offline=true', `--threshold=${tenths}`, pathOf(unit)]
  return spawnSync('systemd-analyze', command).status === 0
}

describe('the unit of the agent', () => {
  const service = settingsOf('keepseal-agent.service')

  it.each([
    ['Type', ['notify']],
    ['NotifyAccess', ['main']],
    ['WatchdogSec', ['300']],
    ['User', ['keepseal-agent']],
    ['CapabilityBoundingSet', ['']],
    ['AmbientCapabilities', ['']],
    ['NoNewPrivileges', ['yes']],
    ['DevicePolicy', ['closed']],
    ['DeviceAllow', ['/dev/tpmrm0 rw']],
    ['MemoryDenyWriteExecute', ['yes']],
    ['ProtectSystem', ['strict']],
    ['StateDirectoryMode', ['0700']],
    ['MemoryMax', ['224M']],
    ['TasksMax', ['32']],
  ])('has %s=%j', (setting, values) => {
    expect(service.get(setting)).toEqual(values)
  })

  it('starts the bundle with the flags that allow memory to be never both written and executed', () => {
    expect(service.get('ExecStart')?.[0]).toMatch(/ --jitless .*\/keepseal-agent\.js run --wait$/)
  })

  it('starts it with the flags under which its footprint is measured', () => {
    const words = service.get('ExecStart')?.[0]?.split(' ') ?? []
    expect(words).toEqual(expect.arrayContaining(AGENT_FLAGS))
  })

  it('hides nothing from the sensors, and not the TPM', () => {
    const hiding = [
      'PrivateDevices',
      'ProtectProc',
      'ProcSubset',
      'ProtectKernelModules',
      'PrivateNetwork',
      'PrivateUsers',
    ]
    expect(hiding.filter((setting) => service.has(setting))).toEqual([])
  })

  it.skipIf(!analyses)(`is exposed by 2.0 of 10 at most${analyses ? '' : ' (skipped: no systemd-analyze)'}`, () => {
    expect(isAtMost('keepseal-agent.service', 20)).toBe(true)
    // A threshold that everything passes would hold nothing.
    expect(isAtMost('keepseal-agent.service', 10)).toBe(false)
  })
})

describe('the units of the collector', () => {
  const service = settingsOf('keepseal-collector.service')

  it.each([
    ['Type', ['notify']],
    ['NotifyAccess', ['main']],
    ['WatchdogSec', ['120']],
    ['WatchdogSignal', ['SIGKILL']],
    ['TimeoutStartSec', ['900']],
    ['Restart', ['always']],
    ['User', ['keepseal-collector']],
    ['CapabilityBoundingSet', ['']],
    ['NoNewPrivileges', ['yes']],
  ])('has %s=%j', (setting, values) => {
    expect(service.get(setting)).toEqual(values)
  })

  it.each(readdirSync(pathOf('')).filter((name) => name.endsWith('.service')))(
    'has no program ended for a system call that is refused: %s',
    (name) => {
      expect(settingsOf(name).get('SystemCallErrorNumber')).toEqual(['EPERM'])
    },
  )

  it.skipIf(!analyses).each([
    ['keepseal-collector.service', 12],
    ['keepseal-collector-backup.service', 24],
  ])(`%s is not exposed more than by %i tenths${analyses ? '' : ' (skipped: no systemd-analyze)'}`, (unit, tenths) => {
    expect(isAtMost(unit, tenths)).toBe(true)
  })
})

describe('the socket of the privileged helper', () => {
  const socket = settingsOf('keepseal-measure.socket')

  it('is where the agent looks for it', () => {
    expect(socket.get('ListenStream')).toEqual([DEFAULT_SOCKET])
  })

  it.each([
    ['Accept', 'yes'],
    ['SocketUser', 'root'],
    ['SocketGroup', 'keepseal-agent'],
    ['SocketMode', '0660'],
    ['DirectoryMode', '0755'],
  ])('has %s=%s, as the agent trusts no other', (setting, value) => {
    expect(socket.get(setting)).toEqual([value])
  })
})

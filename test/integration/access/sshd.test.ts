import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readSshd } from '../../../agent/sensors/access/sshd.ts'
import { accessSensor } from '../../../agent/sensors/access.ts'
import { COMMANDS } from '../../../agent/sensors/commands.ts'
import { appended, GATEWAY, printing } from '../../support/access-tree.ts'
import { treeHost } from '../../support/host-tree.ts'
import { findingsBetween } from '../../support/section-findings.ts'

const [PROGRAM] = COMMANDS['sshd-effective'].paths
const directory = mkdtempSync(join(tmpdir(), 'keepseal-sshd-'))
const key = join(directory, 'host_key')
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const asRoot = process.geteuid?.() === 0 ? [] : ['--map-root-user']

/**
 * What the real server says of a configuration. The command with its fixed arguments, and a key and a directory, which
 * every system that runs the server has.
 */
function effective(config: string): string {
  const path = join(directory, 'sshd_config')
  writeFileSync(path, config)
  const script = 'mount -t tmpfs none /run && mkdir -m 755 /run/sshd && exec "$@"'
  const command = [PROGRAM, ...COMMANDS['sshd-effective'].args, '-h', key, '-f', path]
  const run = spawnSync('unshare', [...asRoot, '--mount', 'sh', '-c', script, 'sh', ...command], { encoding: 'latin1' })
  if (run.status !== 0) throw new Error(`sshd -T: ${run.error?.message ?? run.stderr}`)
  return run.stdout
}

const why = ((): string | undefined => {
  try {
    const made = spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    if (made.status !== 0) return 'no ssh-keygen'
    effective('')
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
})()

const oracle = describe.skipIf(why !== undefined)
const suffix = why === undefined ? '' : ` (skipped: ${why.trim()})`

/** These have defaults that depend on the version of the server. */
const BUILT_IN = ['Ciphers', 'MACs', 'KexAlgorithms', 'HostKeyAlgorithms', 'PubkeyAcceptedAlgorithms']
const DEPENDING: ReadonlySet<string> = new Set([...BUILT_IN, 'CASignatureAlgorithms', 'RequiredRSASize'])

async function settingsOf(config: string, said?: string) {
  const tree = { '/usr/sbin/sshd': '', '/etc/ssh/sshd_config': config, [join(directory, 'part.conf')]: PART }
  const reading = await readSshd(
    treeHost(tree, { run: printing(said === undefined ? {} : { 'sshd-effective': said }) }),
  )
  if (reading === undefined || 'missing' in reading.daemon.settings) throw new Error('not read')
  expect(reading.daemon.basis).toBe(said === undefined ? 'configuration' : 'effective')
  const settings = reading.daemon.settings.value.filter(({ name }) => !DEPENDING.has(name))
  return Object.fromEntries(settings.map(({ name, value }) => [name, value]))
}

const PART = 'PermitRootLogin yes\nMatch all\nX11Forwarding yes\n'

oracle(`our reading of sshd_config is that of sshd itself${suffix}`, () => {
  test.each([
    '',
    'PasswordAuthentication no\nPasswordAuthentication yes\nKbdInteractiveAuthentication=no\nUsePAM yes\n',
    'permitrootlogin = "without-password"\nchallengeresponseauthentication no # x\n',
    'PermitRootLogin forced-commands-only\nMaxAuthTries 3\nLogLevel verbose\nGatewayPorts clientspecified\n',
    'Port 2222\nPort 22\nListenAddress 127.0.0.1\nListenAddress [::1]:99\nAllowUsers b a@192.0.2.1\nAllowUsers c\n',
    'AuthenticationMethods publickey,password publickey,keyboard-interactive\nAuthorizedKeysFile /keys/%u .ssh/k\n',
    'AddressFamily inet\nX11Forwarding yes\nAllowTcpForwarding local\nPermitTunnel point-to-point\nAcceptEnv LANG LC_*\n',
    'Subsystem sftp internal-sftp -f AUTH -l INFO\nAuthorizedKeysCommand /bin/true %u\nAuthorizedKeysCommandUser nobody\n',
    'DisableForwarding yes\nPermitOpen a:1 b:2\nPermitListen none\nStrictModes no\nPermitUserEnvironment LANG\n',
    'TrustedUserCAKeys /etc/ssh/ca.pub\nAllowGroups "a b" c\nForceCommand /bin/x  y "z w"\nMatch User x\nPermitTTY no\n',
    `Include ${join(directory, 'part.conf')}\nPermitRootLogin no\nX11Forwarding no\n`,
  ])('%j', async (config) => {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'part.conf'), PART)
    expect(await settingsOf(config)).toEqual(await settingsOf(config, effective(config)))
  })
})

oracle(`what sshd itself says, at the collector${suffix}`, () => {
  const reading = async (config: string) => {
    const tree = { ...GATEWAY, '/etc/ssh/sshd_config': config }
    return accessSensor.measure(treeHost(tree, { run: printing({ 'sshd-effective': effective(config) }) }))
  }
  const safe = 'PasswordAuthentication no\nKbdInteractiveAuthentication no\n'

  test.each([
    ['PasswordAuthentication yes\n', 'access.ssh-password-login ssh sshd password login'],
    ['KbdInteractiveAuthentication yes\n', 'access.ssh-setting-changed ssh sshd password login'],
    ['UsePAM yes\nKbdInteractiveAuthentication yes\n', 'access.ssh-password-login ssh sshd password login'],
    ['X11Forwarding yes\n', 'access.ssh-setting-changed ssh sshd forwarding'],
    ['Ciphers aes128-ctr\n', 'access.ssh-setting-changed ssh sshd algorithms'],
  ])('%j before the approved settings is one finding', async (added, expected) => {
    expect(await findingsBetween('access', await reading(safe), await reading(added + safe))).toEqual([expected])
  })

  test('where it can be asked no more, one finding says that its algorithms are not known', async () => {
    const after = await accessSensor.measure(
      treeHost(appended({ ...GATEWAY, '/etc/ssh/sshd_config': '' }, { '/etc/ssh/sshd_config': safe }), {
        run: printing({}),
      }),
    )
    expect(await findingsBetween('access', await reading(safe), after)).toEqual([
      'access.ssh-setting-changed ssh sshd algorithms',
    ])
  })
})

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { saveIdentity } from '../../../agent/state/identity.ts'
import { identityMaterial, UEID } from '../../agent/state/identity-sample.ts'
import { repository } from '../../architecture/sources.ts'
import { copyTree, debianTree } from '../../support/debian-tree.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

/** Installs, upgrades, removes and purges the package in a system of its own, which debootstrap has made. */

const scratch = useScratchDirectories('deb-install')
const tree = process.arch === 'x64' || process.arch === 'arm64' ? debianTree('stable') : { obstacle: 'no Node for it' }
const NEEDS = ['systemd-standalone-sysusers', 'systemd-standalone-tmpfiles', 'libstdc++6']

let root = ''
const chroot = (...command: readonly string[]) =>
  spawnSync('chroot', [root, ...command], {
    encoding: 'utf8',
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  })

/** A system that has what the package depends on; or why there is none here. */
function prepare(): string | undefined {
  if (!('root' in tree)) return tree.obstacle
  root = copyTree(tree.root)
  if (existsSync('/etc/resolv.conf')) copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'))
  chroot('apt-get', 'update', '-qq')
  const { status } = chroot('apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...NEEDS)
  return status === 0 ? undefined : 'apt cannot install what the package needs'
}
const obstacle = prepare()
afterAll(() => {
  if (root !== '') rmSync(root, { recursive: true, force: true })
})

function build(version: string): string {
  const script = join(repository, 'deploy/deb/build.mjs')
  const parameters = ['agent', '--fast', '--version', version, '--out', scratch()]
  const { stdout, stderr } = spawnSync(process.execPath, [script, ...parameters], { encoding: 'utf8' })
  if (stderr !== '') throw new Error(stderr)
  return stdout.trim()
}

/** dpkg in the system, with a package of this one. */
function dpkg(action: string, file: string): { readonly status: number | null; readonly text: string } {
  const name = basename(file)
  if (file !== name) copyFileSync(file, join(root, name))
  const { status, stdout, stderr } = chroot('dpkg', action, file === name ? name : `/${name}`)
  return { status, text: `${stdout}${stderr}` }
}

const install = (file: string): void => expect(dpkg('--install', file)).toMatchObject({ status: 0 })

/** Mode, owner and content of everything that the agent keeps. */
function stateOf(): Record<string, string> {
  const state = join(root, 'var/lib/keepseal-agent')
  const names = readdirSync(state, { recursive: true, encoding: 'utf8' }).sort()
  return Object.fromEntries(
    names.map((name) => {
      const path = join(state, name)
      const entry = lstatSync(path)
      const content = entry.isSymbolicLink()
        ? readlinkSync(path)
        : entry.isFile()
          ? createHash('sha256').update(readFileSync(path)).digest('hex')
          : ''
      return [name, `${entry.mode.toString(8)} ${entry.uid}:${entry.gid} ${content}`]
    }),
  )
}

/** Everything with the product's name in it, outside of what apt and dpkg write down. */
function traces(): string[] {
  const { stdout } = spawnSync('find', [root, '-mindepth', '1', '-name', '*keepseal*', '-printf', '/%P\n'], {
    encoding: 'utf8',
  })
  const files = stdout
    .split('\n')
    .filter((path) => path !== '' && !/^\/keepseal-agent_.*\.deb$|^\/var\/log\//.test(path))
  const users = ['passwd', 'group', 'shadow', 'gshadow'].filter((name) =>
    readFileSync(join(root, 'etc', name), 'utf8').includes('keepseal'),
  )
  return [...files, ...users.map((name) => `user in /etc/${name}`)]
}

const skipped = obstacle === undefined ? '' : ` (skipped: ${obstacle})`

describe.skipIf(obstacle !== undefined)(`the package in a fresh Debian${skipped}`, () => {
  let older: string
  let newer: string

  beforeAll(() => {
    older = build('0.1.0')
    newer = build('0.2.0~test')
  }, 120_000)

  test('is installed, with a user of its own in the group of the TPM and a private state directory', () => {
    install(older)
    expect(chroot('id', '-nG', 'keepseal-agent').stdout.trim().split(' ').sort()).toEqual(['keepseal-agent', 'tss'])
    const { mode, uid } = lstatSync(join(root, 'var/lib/keepseal-agent'))
    expect([mode & 0o7777, String(uid)]).toEqual([0o700, chroot('id', '-u', 'keepseal-agent').stdout.trim()])
    expect(chroot('keepseal-agent', 'version')).toMatchObject({ status: 0, stdout: 'keepseal-agent 0.1.0\n' })
    for (const unit of [
      'multi-user.target.wants/keepseal-agent.service',
      'sockets.target.wants/keepseal-measure.socket',
    ]) {
      expect(() => lstatSync(join(root, 'etc/systemd/system', unit))).not.toThrow()
    }
  })

  test('may be configured again and again', () => {
    for (const _ of [1, 2])
      expect(chroot('/var/lib/dpkg/info/keepseal-agent.postinst', 'configure', '0.1.0').status).toBe(0)
  })

  test('keeps identity, outbox and configuration through upgrade and downgrade', async () => {
    const state = join(root, 'var/lib/keepseal-agent')
    await saveIdentity(state, identityMaterial())
    mkdirSync(join(state, 'outbox'), { mode: 0o700 })
    writeFileSync(join(state, 'outbox', '1'), 'a report that waits', { mode: 0o600 })
    chroot('chown', '-R', 'keepseal-agent:', '/var/lib/keepseal-agent')
    writeFileSync(join(root, 'etc/keepseal/agent.toml'), '[report]\ninterval_seconds = 600\n')
    const before = stateOf()
    for (const file of [newer, older, newer]) {
      install(file)
      expect(stateOf()).toEqual(before)
      expect(readFileSync(join(root, 'etc/keepseal/agent.toml'), 'utf8')).toContain('600')
      const status = chroot('keepseal-agent', 'status', '--json')
      expect(JSON.parse(status.stdout)).toMatchObject({ ueid: UEID })
    }
  })

  test('is whole again after an upgrade that was killed between unpacking and configuring', () => {
    const before = stateOf()
    expect(dpkg('--unpack', older).status).toBe(0)
    expect(stateOf()).toEqual(before)
    expect(chroot('dpkg', '--configure', '--pending').status).toBe(0)
    expect(stateOf()).toEqual(before)
    expect(chroot('keepseal-agent', 'version').stdout).toBe('keepseal-agent 0.1.0\n')
  })

  test('removed, it leaves the identity; installed again, it is the same device', () => {
    const before = stateOf()
    expect(dpkg('--remove', 'keepseal-agent').status).toBe(0)
    expect(existsSync(join(root, 'usr/lib/keepseal'))).toBe(false)
    expect(stateOf()).toEqual(before)
    install(older)
    expect(stateOf()).toEqual(before)
  })

  test('purged, it leaves nothing', () => {
    expect(traces()).not.toEqual([])
    expect(dpkg('--purge', 'keepseal-agent')).toMatchObject({ status: 0 })
    expect(traces()).toEqual([])
  })
})

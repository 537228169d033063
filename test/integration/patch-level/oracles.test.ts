import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createHost, type Host } from '../../../agent/sensors/host.ts'
import { findStaleProcesses } from '../../../agent/sensors/system/stale-processes.ts'
import { patchLevelSensor } from '../../../agent/sensors/patch-level.ts'
import { measureAll } from '../../../agent/sensors/registry.ts'
import type { PatchLevelContent, Updates } from '../../../shared/posture/sections/patch-level.ts'

const LISTS = '/var/lib/apt/lists'
const environment = { ...process.env, LC_ALL: 'C' }

const downloaded = existsSync(LISTS) ? readdirSync(LISTS).filter((name) => /Release$|Packages/.test(name)) : []
const hasApt =
  spawnSync('apt-get', ['--version']).error === undefined && downloaded.some((name) => name.includes('Packages'))

const run = (command: string, ...words: string[]): string =>
  execFileSync(command, words, {
    encoding: 'utf8',
    env: environment,
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  })

async function measure(host: Host) {
  const reading = (await measureAll(host, [patchLevelSensor])).get('patch-level')?.reading
  if (reading?.status !== 'measured') throw new Error('not measured')
  return { content: reading.content as PatchLevelContent, state: reading.state ?? {} }
}

describe.skipIf(!hasApt)(`apt on this machine${hasApt ? '' : ' (skipped: it has no downloaded lists)'}`, () => {
  let found: Promise<Updates> | undefined
  const updates = (): Promise<Updates> =>
    (found ??= measure(createHost()).then(({ content }) => {
      if ('missing' in content.updates) throw new Error(content.updates.missing)
      return content.updates.value
    }))

  test('apt list --upgradable names the same packages with the same versions', async () => {
    // openssl/oldstable-security 3.0.17-1 amd64 [upgradable from: 3.0.16-1]
    const lines = run('apt', 'list', '--upgradable').matchAll(/^(\S+?)\/\S+ (\S+) (\S+) \[upgradable from: (\S+)\]/gm)
    const theirs = [...lines].map(([, name, candidate, , installed]) => `${name} ${installed} ${candidate}`)
    const { pending, total, lists } = await updates()
    expect(lists.filter(({ status }) => status !== 'read')).toEqual([])
    expect(total).toBe(pending.length)
    expect(pending.map((one) => `${one.name} ${one.installed} ${one.candidate}`).sort()).toEqual(theirs.sort())
  })

  test('apt-get -s dist-upgrade takes the security updates from the same archives', async () => {
    // Inst openssl [3.0.16-1] (3.0.17-1 Debian-Security:12/oldstable-security [amd64])
    const lines = [...run('apt-get', '-s', 'dist-upgrade').matchAll(/^Inst (\S+) \[(\S+)\] \((\S+) ([^[]*)\[/gm)]
    const { pending } = await updates()
    for (const [, name, installed, candidate, archives = ''] of lines) {
      const ours = pending.find((one) => one.name === name && one.installed === installed)
      expect(ours?.candidate, name).toBe(candidate)
      if (/Security:|-security\b/.test(archives)) expect(ours?.security, name).toBe(true)
    }
    expect(lines.length).toBeLessThanOrEqual(pending.length)
  })
})

const hasNeedrestart = spawnSync('needrestart', ['--version']).error === undefined

describe.skipIf(!hasNeedrestart)(
  `needrestart on this machine${hasNeedrestart ? '' : ' (skipped: needrestart is not installed)'}`,
  () => {
    test('agrees on the running kernel', async () => {
      const said = run('needrestart', '-b', '-k', '-r', 'l')
      const { content } = await measure(createHost())
      const kernel = /^NEEDRESTART-KSTA: (\d)/m.exec(said)?.[1]
      // 0: unknown, 1: none newer, 2: an ABI compatible one, 3: another.
      if (kernel === '1') expect(content.kernel).toMatchObject({ value: { running: 'newest' } })
      if (kernel === '2' || kernel === '3') expect(content.kernel).toMatchObject({ value: { running: 'older' } })
    })

    test('names the same processes that run what is not there any more', async () => {
      const directory = mkdtempSync(join(homedir(), '.keepseal-stale-'))
      const program = join(directory, 'sleeper')
      cpSync('/bin/sleep', program)
      const child = spawn(program, ['60'], { stdio: 'ignore' })
      try {
        await once(child, 'spawn')
        rmSync(directory, { recursive: true })
        // It also names what runs out of memory, which no update replaces: #320 uses obsolete binary /memfd:x.
        // [main] #319 uses obsolete binary /usr/sbin/sshd, [main] #319 uses deleted /lib/x.so
        const said = spawnSync('needrestart', ['-b', '-v', '-l', '-r', 'l'], { encoding: 'utf8', env: environment })
        const theirs = [
          ...`${said.stdout}${said.stderr}`.matchAll(
            /#(\d+) uses (?:obsolete|deleted|non-existing) (?!binary \/memfd:)/g,
          ),
        ]
        const ours = findStaleProcesses(createHost())?.stale.map(({ pid }) => pid) ?? []
        expect(ours).toContain(String(child.pid))
        const alive = theirs.map(([, pid = '']) => pid).filter((pid) => existsSync(`/proc/${pid}`))
        expect(new Set(ours)).toEqual(new Set(alive))
      } finally {
        child.kill()
      }
    })
  },
)

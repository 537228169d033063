import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createRunner, type RunnerOptions } from '../../../agent/measure/run-command.ts'
import { COMMANDS, type SystemCommand } from '../../../agent/sensors/commands.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('run-command')

/** Runs something in the place of one of the commands, and hears what is told about it. */
async function run(over: Partial<SystemCommand>, options: RunnerOptions = {}) {
  const told: string[] = []
  const command: SystemCommand = { paths: ['/bin/sh'], args: [], maxBytes: 4096, timeoutMs: 5000, ...over }
  const runner = createRunner({
    commands: { ...COMMANDS, 'nft-ruleset': command },
    tell: (message) => void told.push(message),
    ...options,
  })
  return { result: await runner('nft-ruleset'), told }
}
const shell = (script: string, over: Partial<SystemCommand> = {}, options: RunnerOptions = {}) =>
  run({ args: ['-c', script], ...over }, options)

describe('a command that is run', () => {
  test('answers with what it printed, a character for each byte', async () => {
    const { result, told } = await shell("printf 'a\\303\\244\\n'; echo no >&2")
    expect(result).toEqual({ status: 'found', value: 'a\u00c3\u00a4\n' })
    expect(told).toEqual([])
  })

  test('has nothing of our environment', async () => {
    process.env['KEEPSEAL_TEST_SECRET'] = 'secret'
    const { result } = await run({ paths: ['/usr/bin/env'] })
    delete process.env['KEEPSEAL_TEST_SECRET']
    expect(result).toEqual({ status: 'found', value: 'LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n' })
  })

  test('reads nothing, is in the root directory, and leads a group of its own', async () => {
    const { result } = await shell('cat; pwd; test "$(ps -o pgid= $$ | tr -d " ")" = $$ && echo leads')
    expect(result).toEqual({ status: 'found', value: '/\nleads\n' })
  })

  test('is called by the name in the table, where that is a link to a program with many names', async () => {
    const { result } = await shell('echo $0', {}, { find: () => ({ status: 'trusted', path: '/bin/sh' }) })
    expect(result).toMatchObject({ value: '/bin/sh\n' })
    const named = await run(
      { paths: ['/usr/sbin/iptables-legacy-save'], args: ['-c', 'cat /proc/$$/cmdline'] },
      { find: () => ({ status: 'trusted', path: '/bin/sh' }) },
    )
    expect(named.result).toMatchObject({ value: expect.stringMatching(/^\/usr\/sbin\/iptables-legacy-save\0/) })
  })

  test('is not asked of a shell: what looks like a command in its arguments is none', async () => {
    const { result } = await run({ paths: ['/bin/echo'], args: ['$(id)', ';', 'id'] })
    expect(result).toEqual({ status: 'found', value: '$(id) ; id\n' })
  })
})

describe('a command has no result', () => {
  test('when it fails, though it printed something', async () => {
    const { result, told } = await shell('echo half; exit 3')
    expect(result).toEqual({ status: 'unreadable' })
    expect(told).toHaveLength(1)
  })

  test('when a signal ended it', async () => {
    expect((await shell('echo half; kill -9 $$')).result).toEqual({ status: 'unreadable' })
  })

  test('when it prints too much', async () => {
    const { result, told } = await run({ paths: ['/usr/bin/yes'] })
    expect(result).toEqual({ status: 'too-large' })
    expect(told).toHaveLength(1)
  })

  test('and one that prints just as much as it may has one', async () => {
    expect((await shell('head -c 4096 /dev/zero')).result.status).toBe('found')
    expect((await shell('head -c 4097 /dev/zero')).result).toEqual({ status: 'too-large' })
  })

  test('when it takes too long, and all that it started ends with it', async () => {
    const file = join(scratch(), 'pid')
    const started = performance.now()
    // The one in the background holds the pipe open, whatever becomes of the shell.
    const { result } = await shell(`sleep 300 & echo $! >${file}; wait`, { timeoutMs: 300 })
    expect(result).toEqual({ status: 'unreadable' })
    expect(performance.now() - started).toBeLessThan(3000)
    await sleep(100)
    const pid = readFileSync(file, 'utf8').trim()
    expect(spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).stdout).not.toMatch(/^[RS]/)
  })

  test('when something keeps its output open after its end', async () => {
    const { result } = await shell('sleep 300 & echo done', { timeoutMs: 300 })
    expect(result).toEqual({ status: 'unreadable' })
  })

  test('where it is not installed', async () => {
    expect((await run({ paths: ['/usr/sbin/keepseal-none', '/sbin/keepseal-none'] })).result).toEqual({
      status: 'absent',
    })
  })

  test('where others could have put something in its place, and the next place is not tried', async () => {
    const mark = join(scratch(), 'ran')
    const own = join(scratch(), 'nft')
    writeFileSync(own, `#!/bin/sh\ntouch ${mark}\n`)
    chmodSync(own, 0o777)
    const { result, told } = await run({ paths: [own, '/bin/true'] })
    expect(result).toEqual({ status: 'unreadable' })
    expect(told).toHaveLength(1)
    expect(existsSync(mark)).toBe(false)
  })

  test('where it is no program for this machine', async () => {
    const own = join(scratch(), 'nft')
    writeFileSync(own, 'neither a script nor a binary')
    chmodSync(own, 0o644)
    const { result } = await run({ paths: [own] }, { find: (path) => ({ status: 'trusted', path }) })
    expect(result).toEqual({ status: 'no-permission' })
  })
})

test('every command of the table is named by absolute paths, bounded, and only reads', () => {
  for (const { paths, maxBytes, timeoutMs } of Object.values(COMMANDS)) {
    expect(paths.every((path) => /^\/(usr\/)?s?bin\/[a-z0-9-]+$/.test(path))).toBe(true)
    expect(maxBytes).toBeLessThanOrEqual(8 * 1024 * 1024)
    expect(timeoutMs).toBeLessThanOrEqual(5000)
  }
})

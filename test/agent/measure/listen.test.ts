import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { exchange } from '../../../agent/measure/client/exchange.ts'
import { listen } from '../../../agent/measure/listen.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('listen')

/** Gives back what it was asked, from a process that has the connection as its standard input. */
const ECHO = ['/bin/cat'] as const

async function listening(path: string, over: Partial<Parameters<typeof listen>[0]> = {}): Promise<string[]> {
  const told: string[] = []
  const server = await listen({ path, server: ECHO, tell: (message) => void told.push(message), ...over })
  onTestFinished(() => void server.close())
  return told
}

describe('the listener', () => {
  test('gives each connection to a process of its own, with all that was said before', async () => {
    const path = join(scratch(), 'measure.sock')
    await listening(path)
    const answers = await Promise.all([exchange(path, 'sections'), exchange(path, 'firmware-log')])
    expect(answers.map(({ status }) => status)).toEqual(['answered', 'answered'])
  })

  test('lets nobody else connect, and members of a group where one is named', async () => {
    const path = join(scratch(), 'measure.sock')
    const mode = (): number => statSync(path).mode & 0o777
    await listening(path)
    expect(mode()).toBe(0o600)
    const other = join(scratch(), 'measure.sock')
    await listening(other, { group: `${process.getgid?.()}` })
    expect(statSync(other).mode & 0o777).toBe(0o660)
    expect(statSync(other).gid).toBe(process.getgid?.())
  })

  test('takes the place of a socket that nothing listens at', async () => {
    const path = join(scratch(), 'measure.sock')
    // What a process leaves that is killed.
    const program = `require('node:net').createServer().listen(process.argv[1],()=>process.kill(process.pid,'SIGKILL'))`
    spawnSync(process.execPath, ['-e', program, path])
    expect(await exchange(path, 'sections')).toMatchObject({ status: 'absent' })
    await listening(path)
    expect(await exchange(path, 'sections')).toMatchObject({ status: 'answered' })
  })

  test('ends what serves a connection for too long, even where that takes no signal', async () => {
    const path = join(scratch(), 'measure.sock')
    const deaf = ['/bin/sh', '-c', 'trap "" TERM; while :; do sleep 1; done'] as const
    const told = await listening(path, { server: deaf, lifetimeMs: 200 })
    const ended = () =>
      new Promise((resolve) =>
        connect({ path })
          .on('error', () => undefined)
          .once('close', resolve)
          .resume(),
      )
    await Promise.all(Array.from({ length: 4 }, ended))
    await ended()
    // Each was served, and the fifth not refused for those before.
    expect(told).toEqual([])
  })

  test('serves four connections at once, and no fifth', async () => {
    const path = join(scratch(), 'measure.sock')
    const told = await listening(path)
    const open = Array.from({ length: 4 }, () => connect({ path }))
    onTestFinished(() => open.forEach((connection) => connection.destroy()))
    await Promise.all(open.map((one) => new Promise((resolve) => one.once('connect', resolve))))
    expect(await exchange(path, 'sections', 2000)).toMatchObject({ reason: 'no-answer' })
    expect(told).toHaveLength(1)
    open.forEach((connection) => connection.destroy())
    await expect.poll(async () => (await exchange(path, 'sections')).status).toBe('answered')
  })
})

describe('the listener refuses', () => {
  test('a place where others could put their own', async () => {
    const directory = scratch()
    chmodSync(directory, 0o777)
    await expect(listening(join(directory, 'measure.sock'))).rejects.toThrow()
  })

  test('a place where something else is', async () => {
    const path = join(scratch(), 'file')
    writeFileSync(path, 'kept')
    await expect(listening(path)).rejects.toThrow()
    expect(existsSync(path)).toBe(true)
  })

  test('the place of another that listens', async () => {
    const path = join(scratch(), 'measure.sock')
    const other = createServer().listen({ path })
    onTestFinished(() => void other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    await expect(listening(path)).rejects.toThrow()
    expect(existsSync(path)).toBe(true)
  })

  test('a group that there is not', async () => {
    await expect(listening(join(scratch(), 'measure.sock'), { group: 'no-such-group' })).rejects.toThrow()
  })
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { logReader, type LogReaderOptions } from '../../../agent/attest/read-log.ts'
import type { LogContent } from '../../../agent/measure/answer.ts'
import { absent, refused } from '../../../agent/measure/client/asked.ts'
import type { Helper } from '../../../agent/measure/client/helper.ts'
import { LOGS } from '../../../agent/measure/protocol.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('read-log')
const MIB = 1024 * 1024

const without: Pick<Helper, 'log'> = { log: async () => absent('none') }
const saying = (log: LogContent): Pick<Helper, 'log'> => ({
  log: async () => ({ status: 'answered', answer: { boot: new Uint8Array(16), root: '', cpuMs: 0, log } }),
})

function reading(file: string, over: Partial<LogReaderOptions> = {}) {
  const told: string[] = []
  const note = (text: string) => void told.push(text)
  const log = { debug: note, info: note, warn: note, error: note }
  const options = { probe: 'measurement-list', title: 'list', file, helper: without, log, ...over } as const
  return { read: logReader(options), told }
}

describe('the reader of a log', () => {
  test('gives the file as it is now', async () => {
    const file = join(scratch(), 'list')
    const { read, told } = reading(file)
    expect(await read()).toBeNull()
    writeFileSync(file, 'one')
    expect(await read()).toEqual(new Uint8Array(Buffer.from('one')))
    writeFileSync(file, new Uint8Array(600_000).fill(1))
    expect((await read())?.length).toBe(600_000)
    expect(told).toEqual([])
  })

  test('says once what keeps it from reading', async () => {
    const { read, told } = reading(scratch())
    for (let n = 0; n < 3; n++) expect(await read()).toBeNull()
    expect(told).toHaveLength(1)
  })

  test.each([
    ['measurement-list', 16 * MIB],
    ['firmware-log', 2 * MIB],
  ] as const)('takes no more of the %s than is sent', async (probe, bytes) => {
    const file = join(scratch(), 'list')
    writeFileSync(file, new Uint8Array(bytes))
    const { read, told } = reading(file, { probe })
    expect((await read())?.length).toBe(bytes)
    writeFileSync(file, new Uint8Array(bytes + 1))
    expect(await read()).toBeNull()
    expect(told).toHaveLength(1)
  })

  test('reads nothing where no file is configured, or it is empty', async () => {
    const file = join(scratch(), 'list')
    writeFileSync(file, '')
    for (const path of ['', file]) expect(await reading(path).read()).toBeNull()
  })
})

describe('a log that the agent may not read', () => {
  const denied = async (): Promise<never> => {
    throw Object.assign(new Error('denied'), { code: 'EACCES' })
  }
  const { path } = LOGS['measurement-list']

  test('comes from the helper', async () => {
    const content = Uint8Array.of(1, 2, 3)
    const { read, told } = reading(path, { read: denied, helper: saying({ status: 'found', content }) })
    expect(await read()).toEqual(content)
    expect(told).toEqual([])
  })

  test('is nothing where the helper finds none, or an empty one', async () => {
    for (const log of [{ status: 'absent' }, { status: 'found', content: new Uint8Array() }] as const) {
      const { read, told } = reading(path, { read: denied, helper: saying(log) })
      expect(await read()).toBeNull()
      expect(told).toEqual([])
    }
  })

  test.each<[string, Pick<Helper, 'log'>]>([
    ['there is no helper', without],
    ['its answer is refused', { log: async () => refused('late', '') }],
    ['the helper may not read it either', saying({ status: 'no-permission' })],
    ['it is too large', saying({ status: 'too-large' })],
  ])('is not sent where %s, which is told once', async (_, helper) => {
    const { read, told } = reading(path, { read: denied, helper })
    for (let n = 0; n < 2; n++) expect(await read()).toBeNull()
    expect(told).toHaveLength(1)
  })

  test('and is not the one that the helper reads is not asked for: it would be another one', async () => {
    const helper = { log: async () => expect.unreachable() }
    const { read, told } = reading('/elsewhere', { read: denied, helper })
    expect(await read()).toBeNull()
    expect(told).toHaveLength(1)
  })
})

import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensurePrivateDirectory, readPrivateFile, switchDirectory, writeDurably } from '../../../agent/state/files.ts'
import { utf8 } from '../../../shared/bytes/bytes.ts'
import { errorCodeOf } from '../../support/failure.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('files')
const read = (path: string): string => readFileSync(path, 'utf8')

describe('a file that is written durably', () => {
  test('is private whatever the umask, replaces the old one, and leaves nothing beside it', async () => {
    const directory = scratch()
    const path = join(directory, 'secret')
    const before = process.umask(0)
    try {
      await writeDurably(path, utf8('one'))
      await writeDurably(path, utf8('two'))
    } finally {
      process.umask(before)
    }
    expect(read(path)).toBe('two')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(directory)).toEqual(['secret'])
  })

  test('is written although an earlier attempt died in the middle', async () => {
    const path = join(scratch(), 'secret')
    writeFileSync(`${path}.new`, 'torn')
    await writeDurably(path, utf8('whole'))
    expect(read(path)).toBe('whole')
  })

  test('is refused where it cannot be, with nothing left behind', async () => {
    const directory = scratch()
    mkdirSync(join(directory, 'target', 'occupied'), { recursive: true })
    expect(await errorCodeOf(() => writeDurably(join(directory, 'target'), utf8('x')))).toBe('state.unwritable')
    expect(readdirSync(directory)).toEqual(['target'])
  })

  const isRoot = process.geteuid?.() === 0
  test.runIf(isRoot)('belongs to the owner of its directory when root writes it', async () => {
    const directory = scratch()
    spawnSync('chown', ['65534:65534', directory])
    await writeDurably(join(directory, 'secret'), utf8('x'))
    await switchDirectory(join(directory, 'link'), new Map([['a', utf8('a')]]))
    const owners = ['secret', 'link', 'link/a'].map((name) => statSync(join(directory, name)).uid)
    expect(owners).toEqual([65534, 65534, 65534])
  })
})

describe('a private file', () => {
  test('that is absent is no error', async () => {
    expect(await readPrivateFile(join(scratch(), 'none'), 10)).toBeUndefined()
  })

  test.each([0o640, 0o604, 0o620, 0o602])('with mode %o is refused', async (mode) => {
    const path = join(scratch(), 'secret')
    writeFileSync(path, 'x')
    chmodSync(path, mode)
    expect(await errorCodeOf(() => readPrivateFile(path, 10))).toBe('state.insecure-permissions')
  })

  test('that is too large, or no file, is refused', async () => {
    const directory = scratch()
    writeFileSync(join(directory, 'large'), '12345', { mode: 0o600 })
    expect(await errorCodeOf(() => readPrivateFile(join(directory, 'large'), 4))).toBe('state.unreadable')
    expect(await errorCodeOf(() => readPrivateFile(directory, 4))).toBe('state.unreadable')
  })

  test('lies in a directory that nobody else may enter', async () => {
    const directory = join(scratch(), 'a', 'b')
    await ensurePrivateDirectory(directory)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    chmodSync(directory, 0o750)
    expect(await errorCodeOf(() => ensurePrivateDirectory(directory))).toBe('state.insecure-permissions')
  })
})

const canMount = (): boolean => {
  const directory = scratch()
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', directory]).status !== 0) return false
  return spawnSync('umount', [directory]).status === 0
}

describe.runIf(canMount())('on a full disk (skipped where no tmpfs can be mounted)', () => {
  let disk = ''
  beforeAll(() => {
    disk = scratch()
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=0700', 'tmpfs', disk])
  })
  afterAll(() => void spawnSync('umount', [disk]))

  test('nothing is changed, and nothing of the attempt stays', async () => {
    const path = join(disk, 'file')
    await writeDurably(path, utf8('old'))
    expect(await errorCodeOf(() => writeDurably(path, new Uint8Array(128 * 1024)))).toBe('state.disk-full')
    expect(read(path)).toBe('old')
    expect(readdirSync(disk)).toEqual(['file'])
  })

  test('a directory is switched whole or not at all', async () => {
    const link = join(disk, 'identity')
    await switchDirectory(link, new Map([['a', utf8('old')]]))
    const before = readdirSync(disk)
    const files = new Map([
      ['a', utf8('new')],
      ['b', new Uint8Array(128 * 1024)],
    ])
    expect(await errorCodeOf(() => switchDirectory(link, files))).toBe('state.disk-full')
    expect(read(join(link, 'a'))).toBe('old')
    expect(readdirSync(disk)).toEqual(before)
  })
})

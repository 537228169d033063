import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Reading } from '../../../agent/sensors/sensor.ts'
import type { SocketsContent } from '../../../shared/posture/sections/sockets.ts'
import { bundle } from '../../support/bundle.ts'
import type { PrintedSection } from './measure-program.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0
// Readable for nobody, unlike the scratch directories of other tests.
const directory = mkdtempSync(join(tmpdir(), 'keepseal-unprivileged-'))
let program: string

beforeAll(async () => {
  chmodSync(directory, 0o755)
  program = await bundle(new URL('measure-program.ts', import.meta.url), directory)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Without root, this very user stands for nobody. */
function measure(user: number | undefined): Readonly<Record<string, PrintedSection>> {
  const identity = user === undefined ? {} : { uid: user, gid: user }
  const printed = execFileSync(process.execPath, [program], {
    ...identity,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    cwd: '/',
  })
  return JSON.parse(printed) as Readonly<Record<string, PrintedSection>>
}

describe(`this machine, measured without root${isRoot ? '' : ' (as whoever runs the tests)'}`, () => {
  let unprivileged: ReturnType<typeof measure>
  beforeAll(() => {
    unprivileged = measure(isRoot ? NOBODY : undefined)
  })

  test('has a status for every section, and none that failed', () => {
    for (const [id, { reading }] of Object.entries(unprivileged)) expect(reading.status, id).not.toBe('failed')
  })

  test('tells of every refusal in what it says of the section that it happened to', () => {
    for (const [id, { reading, refused }] of Object.entries(unprivileged)) {
      const said = JSON.stringify(reading)
      const [ofProcesses, others] = [refused.filter(isOfProcess), refused.filter((path) => !isOfProcess(path))]
      if (others.length > 0) expect(said, `${id}: ${others.slice(0, 5).join(' ')}`).toContain('no-permission')
      // Of single processes the number is told, as the rest of what depends on the moment in the state.
      if (ofProcesses.length > 0) expect(said, `${id}: ${ofProcesses[0]}`).toMatch(/no-permission|unseen/)
    }
  })

  test.skipIf(!isRoot)('is refused something, and where it is not, it finds what root finds', () => {
    const privileged = measure(0)
    expect(unprivileged['sockets']?.refused.length).toBeGreaterThan(0)
    for (const [id, { reading, refused }] of Object.entries(unprivileged)) {
      if (refused.length === 0) expect(contentOf(reading), id).toEqual(contentOf(privileged[id]?.reading))
    }
  })

  test.skipIf(!isRoot)('names no listener without an owner where its owner is only hidden', () => {
    const { reading } = unprivileged['sockets'] as PrintedSection
    if (reading.status !== 'measured') throw new Error(reading.status)
    const { owners, listeners } = reading.content as SocketsContent
    expect(owners).toBe('no-permission')
    expect(listeners.filter(({ owner }) => owner === 'none')).toEqual([])
  })
})

const isOfProcess = (path: string): boolean => /^\/proc\/\d+\//.test(path)

const contentOf = (reading: Reading | undefined) => (reading?.status === 'measured' ? reading.content : reading)

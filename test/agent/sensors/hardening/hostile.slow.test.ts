import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseMountinfo } from '../../../../agent/sensors/hardening/mounts.ts'
import { readPrograms } from '../../../../agent/sensors/hardening/programs.ts'
import { createHost } from '../../../../agent/sensors/host.ts'
import { mountLine } from '../../../support/hardening-trees.ts'
import { ownedByRoot, writeTree } from '../../../support/host-tree.ts'

const absent = { missing: 'absent' } as const

test('a directory of 100,000 files is named as too large, and is not read again', () => {
  const root = writeTree({ '/usr/local/bin': { directory: true }, '/usr/bin/su': { mode: 0o4755 } })
  for (let index = 0; index < 100_000; index++) symlinkSync('x', join(root, `usr/local/bin/${index}`))
  const host = ownedByRoot(createHost({ root }))
  const costs = [0, 1].map(() => {
    const before = host.cpuMs()
    const { unread, setId } = readPrograms(host, absent)
    expect(unread).toEqual([{ path: '/usr/local/bin', why: 'too-large' }])
    expect(setId).toHaveLength(1)
    return host.cpuMs() - before
  })
  expect(Math.max(...costs)).toBeLessThan(500)
  expect(costs[1]).toBeLessThan(50)
}, 120_000)

test('50,000 mounts are read in a moment', () => {
  const lines = Array.from({ length: 50_000 }, (_, index) => mountLine(`/run/x${index}`, 'tmpfs', 'rw,nosuid'))
  const before = process.cpuUsage()
  const { mounts, malformed } = parseMountinfo([...lines, mountLine('/tmp', 'tmpfs', 'rw,noexec')].join(''))
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(1500)
  expect([mounts.size, malformed, mounts.get('/tmp')?.options]).toEqual([50_001, 0, ['noexec']])
})

import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ProgressFile } from '../../../agent/state/progress.ts'
import { countStart } from '../../../agent/state/starts.ts'
import { treeHost, type Tree } from '../../support/host-tree.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { UEID } from './identity-sample.ts'

const scratch = useScratchDirectories('starts')
const SILENT = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const owner = { ueid: UEID, collectorId: new Uint8Array(16).fill(1) }
const boot = (digit: string): Tree => ({
  '/proc/sys/kernel/random/boot_id': `${digit.repeat(8)}-1111-1111-1111-111111111111\n`,
})

async function start(path: string, tree: Tree) {
  const progress = await ProgressFile.open(path, owner, () => undefined)
  return countStart(progress, treeHost(tree), SILENT)
}

test('starts are counted over restarts, and anew in each boot', async () => {
  const path = join(scratch(), 'progress.json')
  expect(await start(path, boot('a'))).toBe(0)
  expect(await start(path, boot('a'))).toBe(1)
  expect(await start(path, boot('a'))).toBe(2)
  expect(await start(path, boot('b'))).toBe(0)
  expect(await start(path, boot('b'))).toBe(1)
})

test('where boots cannot be told apart, no number is told', async () => {
  expect(await start(join(scratch(), 'progress.json'), {})).toBeNull()
})

test('a count that cannot be kept is no reason not to start', async () => {
  expect(await start('/proc/nowhere/progress.json', boot('a'))).toBe(0)
})

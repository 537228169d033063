import { accessSync, chmodSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { certificate, clock } from '../../../agent/doctor/time.ts'
import { stateDirectory } from '../../../agent/doctor/storage.ts'
import { saveIdentity } from '../../../agent/state/identity.ts'
import { treeHost } from '../../support/host-tree.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import { identityMaterial } from '../state/identity-sample.ts'

const scratch = useScratchDirectories('doctor-time')
const DAY = 86_400

const contextOf = (directory: string, now: number) => ({
  config: loadAgentConfig({ set: [`state.directory=${directory}`] }, {}).values,
  host: { ...treeHost({}), now: () => now },
})

/** A device whose certificate began an hour ago and ends in a year. */
async function enrolled(): Promise<string> {
  const directory = scratch()
  await saveIdentity(directory, identityMaterial())
  return directory
}

describe('the check of the certificate', () => {
  const today = Math.floor(Date.now() / 1000)
  it.each([
    ['is good with a new one', today, 'good'],
    ['warns of one that should have been renewed', today + 250 * DAY, 'warning'],
    ['fails with one that has expired', today + 366 * DAY, 'failed'],
  ])('%s', async (_, now, status) => {
    const { remedy, ...result } = await certificate.run(contextOf(await enrolled(), now))
    expect(result.status).toBe(status)
    expect(remedy === undefined).toBe(status === 'good')
  })

  it('does not know before the enrolment', async () => {
    expect(await certificate.run(contextOf(scratch(), today))).toMatchObject({ status: 'unknown' })
  })
})

describe('the check of the clock', () => {
  it('warns of a clock that begins in 1970, enrolled or not', async () => {
    for (const directory of [scratch(), await enrolled()]) {
      expect(await clock.run(contextOf(directory, 60))).toMatchObject({ status: 'warning' })
    }
  })

  it('warns of a clock that is before the certificate of this device', async () => {
    const beforehand = Math.floor(Date.now() / 1000) - DAY
    expect(await clock.run(contextOf(await enrolled(), beforehand))).toMatchObject({ status: 'warning' })
    expect(await clock.run(contextOf(await enrolled(), beforehand + 2 * DAY))).toMatchObject({ status: 'good' })
  })
})

describe('the check of the state directory', () => {
  it('is good where it can be written to, and unknown before it is made', async () => {
    const directory = scratch()
    expect(await stateDirectory.run(contextOf(directory, 0))).toMatchObject({ status: 'good' })
    expect(await stateDirectory.run(contextOf(join(directory, 'none'), 0))).toMatchObject({ status: 'unknown' })
  })

  const isRoot = process.getuid?.() === 0
  it.skipIf(isRoot)(`does not call good what it may not write to${isRoot ? ' (skipped: root may)' : ''}`, async () => {
    const directory = join(scratch(), 'state')
    mkdirSync(directory)
    chmodSync(directory, 0o500)
    expect(() => accessSync(directory, constants.W_OK)).toThrow()
    expect(await stateDirectory.run(contextOf(directory, 0))).toMatchObject({ status: 'unknown' })
  })
})

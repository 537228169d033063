import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { loadAgentConfig } from '../../../agent/config/load.ts'
import { CHECKS, tpmResult } from '../../../agent/doctor/checks.ts'
import { treeHost } from '../../support/host-tree.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('doctor')

test.each([
  ['firmware-log', 'tpm.firmware_log_file'],
  ['ima-log', 'tpm.ima_log_file'],
])('%s is good where the file can be read, and a warning where there is none', async (id, option) => {
  const check = CHECKS.find((each) => each.id === id)
  const file = join(scratch(), 'log')
  const run = async (value: string) => {
    const { values: config } = loadAgentConfig({ set: [`${option}=${value}`] }, {})
    return check?.run({ config, host: treeHost({}) })
  }
  expect(await run(file)).toMatchObject({ status: 'warning' })
  expect(await run('')).toMatchObject({ status: 'warning' })
  writeFileSync(file, 'a log')
  expect(await run(file)).toEqual({ status: 'good', detail: file })
})

test.each([
  ['is good as it should be', { lockoutCounter: 0, inLockout: false }, 'good'],
  ['warns of failed passwords', { lockoutCounter: 3, inLockout: false }, 'warning'],
  ['warns of a lockout', { lockoutCounter: 32, inLockout: true }, 'warning'],
])('the TPM %s', (_, state, status) => {
  const tpm = {
    manufacturer: 'IFX',
    vendorString: '',
    firmwareVersion: [7, 85] as const,
    endorsementPasswordSet: false,
  }
  expect(tpmResult({ ...tpm, ...state }, '/dev/tpmrm0')).toMatchObject({ status })
})

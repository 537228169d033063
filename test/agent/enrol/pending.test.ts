import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { enrolmentKeys } from '../../../agent/enrol/pending.ts'
import { random } from '../../../shared/crypto/node.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const scratch = useScratchDirectories('pending')

test('an enrolment that is begun again has the same keys, another one has others', async () => {
  const path = join(scratch(), 'pending.json')
  const keys = await enrolmentKeys(path, random)
  const again = await enrolmentKeys(path, random)
  expect(Buffer.from(again.deviceKeySeed)).toEqual(Buffer.from(keys.deviceKeySeed))
  expect(Buffer.from(again.attestationKeySeed)).toEqual(Buffer.from(keys.attestationKeySeed))
  expect(again.tlsKey).toBe(keys.tlsKey)
  const other = await enrolmentKeys(join(scratch(), 'pending.json'), random)
  expect(Buffer.from(other.deviceKeySeed)).not.toEqual(Buffer.from(keys.deviceKeySeed))
})

test('damaged keys are made anew: nothing depends on them yet', async () => {
  const path = join(scratch(), 'pending.json')
  const keys = await enrolmentKeys(path, random)
  writeFileSync(path, readFileSync(path).subarray(0, 100))
  const made = await enrolmentKeys(path, random)
  expect(Buffer.from(made.deviceKeySeed)).not.toEqual(Buffer.from(keys.deviceKeySeed))
  expect((await enrolmentKeys(path, random)).tlsKey).toBe(made.tlsKey)
})

import { expect, test } from 'vitest'
import { firstKeyExpiry } from '../../../../agent/sensors/update-channel/key-expiry.ts'
import type { Keyring, UpdateChannel, UpdateSource } from '../../../../shared/posture/sections/update-channel.ts'

const keyring = (path: string, trustedForAll: boolean, ...expires: (number | undefined)[]): Keyring => ({
  path,
  trustedForAll,
  status: 'read',
  keys: expires.map((one) => ({ fingerprint: 'A'.repeat(40), ...(one === undefined ? {} : { expires: one }) })),
})

const source = (...signedBy: string[]): UpdateSource => ({
  id: signedBy.join(),
  uris: [],
  transports: [],
  signatures: 'default',
  signedBy,
  settings: [],
})

const channel = (sources: UpdateSource[], ...keyrings: Keyring[]): UpdateChannel => ({
  manager: 'apt',
  signatures: 'enforced',
  sources,
  keyrings,
  settings: [],
  automatic: { state: 'none', settings: [] },
  malformed: 0,
  unreadable: [],
  truncated: false,
})

test('of one source the key that lasts longest counts, and of several sources the first to have none', () => {
  const keyrings = [keyring('/a', false, 10, 30), keyring('/b', false, 20), keyring('/c', false, 5)]
  expect(firstKeyExpiry([channel([source('/a')], ...keyrings)])).toBe(30)
  expect(firstKeyExpiry([channel([source('/a'), source('/b')], ...keyrings)])).toBe(20)
  expect(firstKeyExpiry([channel([source('/a', '/b', '/c')], ...keyrings)])).toBe(30)
})

test('a key that never expires keeps its source', () => {
  expect(firstKeyExpiry([channel([source('/a')], keyring('/a', false, 10, undefined))])).toBeUndefined()
})

test('a source that names no key relies on those for all, and so does a manager without sources', () => {
  const keyrings = [keyring('/all', true, 40), keyring('/a', false, 10)]
  expect(firstKeyExpiry([channel([source()], ...keyrings)])).toBe(40)
  expect(firstKeyExpiry([channel([], ...keyrings)])).toBe(40)
})

test('an expired key that no source needs is not told', () => {
  expect(firstKeyExpiry([channel([source('/b')], keyring('/a', true, 1), keyring('/b', false, 50))])).toBe(50)
})

test('without known keys there is nothing to tell', () => {
  expect(firstKeyExpiry([])).toBeUndefined()
  expect(firstKeyExpiry([channel([source('fingerprint:A')], keyring('/a', true, 1))])).toBeUndefined()
})

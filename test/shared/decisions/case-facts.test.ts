import { expect, test } from 'vitest'
import { hash } from '../../../shared/crypto/node.ts'
import { factsDigest } from '../../../shared/decisions/cases/facts.ts'

test('the digest of facts does not depend on the order in which they are written, and on each of them', () => {
  const digest = factsDigest({ cause: 'boot.pcr-changed', units: 2 }, hash)
  expect(factsDigest({ units: 2, cause: 'boot.pcr-changed' }, hash)).toBe(digest)
  expect(factsDigest({ units: 3, cause: 'boot.pcr-changed' }, hash)).not.toBe(digest)
})

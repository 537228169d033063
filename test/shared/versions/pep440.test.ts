import { expect, test } from 'vitest'
import { compareVersions, orderingOf } from '../../../shared/versions/compare.ts'

// PEP 440, "Summary of permitted suffixes and relative ordering", with one of each kind.
const ASCENDING = [
  '0.9',
  '1.dev0',
  '1.0.dev456',
  '1.0a1',
  '1.0a2.dev456',
  '1.0a12.dev456',
  '1.0a12',
  '1.0b1.dev456',
  '1.0b2',
  '1.0b2.post345.dev456',
  '1.0b2.post345',
  '1.0rc1.dev456',
  '1.0rc1',
  '1.0',
  '1.0+abc.5',
  '1.0+abc.7',
  '1.0+5',
  '1.0.post456.dev34',
  '1.0.post456',
  '1.0.15',
  '1.1.dev1',
  '1.10',
  '1!0.1',
]

test('PEP 440: versions have the order of its own list', () => {
  for (const [at, older] of ASCENDING.entries()) {
    for (const newer of ASCENDING.slice(at + 1)) {
      expect(compareVersions('pep440', older, newer), `${older} ${newer}`).toBe('older')
      expect(compareVersions('pep440', newer, older), `${newer} ${older}`).toBe('newer')
    }
  }
})

test.each([
  ['1.0', '1'],
  ['1.0-rc1', '1.0c1'],
  ['v1.0.0-alpha', '1a0'],
  ['1.0-1', '1.0.post1'],
  ['1.0-r4', '1.0.post4'],
])('PEP 440: %s and %s are spellings of one version', (a, b) => expect(compareVersions('pep440', a, b)).toBe('equal'))

test.each(['', 'latest', '1.1.1w', '1..2', '1.0 beta', '-1', `1.${'0.'.repeat(300)}1`])(
  'PEP 440: %j is no version',
  (text) => expect(orderingOf('pep440').parse(text)).toBeUndefined(),
)

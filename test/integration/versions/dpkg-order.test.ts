import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { compareVersions } from '../../../shared/versions/compare.ts'
import { versions } from '../../support/versions.ts'

const hasDpkg = spawnSync('dpkg', ['--version']).status === 0
const PAIRS = 20_000
const environment = { ...process.env, LC_ALL: 'C' }

/** Half of the pairs differ in one character at most: where versions are close, rules differ most. */
const pair = fc.oneof(
  fc.tuple(versions.dpkg, versions.dpkg),
  fc
    .tuple(versions.dpkg, fc.nat(), fc.constantFrom('', '0', '1', '.', '~', '+', 'a', '-'))
    .map(([a, at, text]): [string, string] => {
      const index = 1 + (at % a.length)
      return [a, a.slice(0, index) + text + a.slice(index + 1)]
    })
    .filter(([, b]) => compareVersions('dpkg', b, b) === 'equal'),
)

/**
 * What dpkg itself thinks of all pairs, in one process: for each there is an installed package with the first version,
 * and two unpacked ones that depend on it being older than, or equal to, the second. dpkg tells which it could set up.
 */
function askDpkg(pairs: readonly (readonly [string, string])[]): ('older' | 'equal' | 'newer')[] {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-dpkg-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of ['info', 'updates', 'triggers', 'parts']) mkdirSync(join(directory, name))
  const record = (name: string, state: string, rest: string): string =>
    `Package: ${name}\nStatus: install ok ${state}\nMaintainer: x\nArchitecture: all\nDescription: x\n${rest}\n\n`
  const records = pairs.flatMap(([a, b], index) => [
    record(`p${index}`, 'installed', `Version: ${a}`),
    record(`lt${index}`, 'unpacked', `Version: 1\nDepends: p${index} (<< ${b})`),
    record(`eq${index}`, 'unpacked', `Version: 1\nDepends: p${index} (= ${b})`),
  ])
  writeFileSync(join(directory, 'status'), records.join(''))
  writeFileSync(join(directory, 'available'), '')
  const { stdout } = spawnSync(
    'dpkg',
    [`--admindir=${directory}`, '--no-act', '--abort-after=1000000', '--configure', '--pending'],
    { encoding: 'utf8', env: environment, maxBuffer: 1 << 28 },
  )
  const done = new Set([...stdout.matchAll(/^Setting up (\S+) /gm)].map(([, name]) => name))
  return pairs.map((_, index) => (done.has(`lt${index}`) ? 'older' : done.has(`eq${index}`) ? 'equal' : 'newer'))
}

describe.skipIf(!hasDpkg)(`dpkg's own order${hasDpkg ? '' : ' (skipped: dpkg is not on this machine)'}`, () => {
  test(`is ours on ${PAIRS} pairs`, () => {
    const pairs = fc.sample(pair, { numRuns: PAIRS, seed: 20260101 })
    const theirs = askDpkg(pairs)
    const wrong = pairs.filter(([a, b], index) => compareVersions('dpkg', a, b) !== theirs[index])
    expect(wrong).toEqual([])
    // A way of asking that always gave the same answer would agree with anything.
    for (const answer of ['older', 'equal', 'newer'] as const) {
      expect(theirs.filter((one) => one === answer).length, answer).toBeGreaterThan(PAIRS / 50)
    }
  })

  test('is what dpkg --compare-versions says of the same pairs', () => {
    const pairs = fc.sample(pair, { numRuns: 100, seed: 7 })
    const script = 'while read -r a b; do dpkg --compare-versions "$a" lt "$b" && echo older || echo "not older"; done'
    const input = pairs.map((one) => `${one.join(' ')}\n`).join('')
    const said = execFileSync('sh', ['-c', script], { input, encoding: 'utf8', env: environment }).trim().split('\n')
    expect(said).toEqual(pairs.map(([a, b]) => (compareVersions('dpkg', a, b) === 'older' ? 'older' : 'not older')))
  })
})

import { describe, expect, it } from 'vitest'
import { version } from '../../shared/version.ts'
import { manifest, programs, reachable, readSource, sourceFiles } from './sources.ts'

const MAX_LINES = 300
const PRODUCT = ['shared', 'agent', 'collector', 'deploy']

describe('source files', () => {
  it(`have at most ${MAX_LINES} lines`, () => {
    const lengths = PRODUCT.flatMap(sourceFiles).map((file) => [file, readSource(file).split('\n').length - 1] as const)
    expect(lengths.filter(([, lines]) => lines > MAX_LINES)).toEqual([])
  })

  it('are all reached from a program or a test', () => {
    const all = [...PRODUCT, 'test'].flatMap(sourceFiles)
    const isRoot = (file: string): boolean => file.endsWith('.test.ts') || file.endsWith('.mjs')
    // The scripts in deploy/ load these from dist/, after they have compiled them.
    const compiledPrograms = [
      'deploy/preview/main.ts',
      'deploy/simulator/main.ts',
      'deploy/manual/main.ts',
      'test/bench/main.ts',
      'test/bench/footprint/apart.ts',
      'test/screenshots/main.ts',
    ]
    // The build of the pages begins at their document, which names the first, and at the script of the public page.
    const pages = ['collector/web/main.tsx', 'collector/web/verify/main.ts']
    const loadedByVitest = ['test/support/properties.ts', 'test/support/web-fleet-folder.ts', 'test/container/built.ts']
    const reached = reachable([...programs, ...compiledPrograms, ...pages, ...loadedByVitest, ...all.filter(isRoot)])
    expect(all.filter((file) => !reached.has(file))).toEqual([])
  })
})

describe('the version', () => {
  it('is the same in the manifest and in the programs', () => {
    expect(version).toBe(manifest.version)
  })
})

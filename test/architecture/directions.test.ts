import { describe, expect, it } from 'vitest'
import { codeOf, importsOf, packageOf, readSource, sourceFiles, type Import } from './sources.ts'

/** `file -> target` for each import of a folder that breaks a rule. */
function offences(folder: string, breaks: (found: Import, file: string) => boolean): string[] {
  return sourceFiles(folder).flatMap((file) =>
    importsOf(file)
      .filter((found) => breaks(found, file))
      .map(({ target }) => `${file} -> ${target}`),
  )
}

const within =
  (...folders: string[]) =>
  ({ target, isFile }: Import): boolean =>
    !isFile || folders.some((folder) => target.startsWith(`${folder}/`))

describe('import directions', () => {
  it.each([
    ['shared', ['shared']],
    ['agent', ['agent', 'shared']],
    ['collector', ['collector', 'shared']],
    ['deploy', ['deploy', 'agent', 'collector', 'shared']],
  ])('%s imports from %j alone', (folder, allowed) => {
    const isAllowed = within(...allowed)
    expect(offences(folder, (found) => !isAllowed(found))).toEqual([])
  })

  it('lets pages and programs of the collector know nothing of each other', () => {
    const isAllowed = within('collector/web', 'shared')
    expect(offences('collector/web', (found) => !isAllowed(found))).toEqual([])
    const isPage = ({ target, isFile }: Import): boolean => isFile && target.startsWith('collector/web/')
    expect(offences('collector', (found, file) => isPage(found) && !file.startsWith('collector/web/'))).toEqual([])
  })

  it.each(['shared', 'agent', 'collector'])('%s loads no module that these rules cannot follow', (folder) => {
    const unclear = /\brequire\(|\bcreateRequire\b|\bimport\(\s*[^'\s]/
    expect(sourceFiles(folder).filter((file) => unclear.test(codeOf(readSource(file))))).toEqual([])
  })
})

/** The one place of shared/ that is for Node and not for browsers. */
const forNode = (file: string): boolean => /^shared\/crypto\/node(-[a-z]+)?\.ts$/.test(file)

describe('shared code is pure', () => {
  it('needs nothing of Node, but for the crypto seam', () => {
    expect(offences('shared', ({ target }, file) => target.startsWith('node:') && !forNode(file))).toEqual([])
    expect(offences('shared', ({ target }, file) => forNode(file) && /^node:(?!crypto$)/.test(target))).toEqual([])
  })

  it('does not lead a browser to the crypto seam of Node', () => {
    const isSeam = ({ target, isFile }: Import): boolean => isFile && forNode(target)
    expect(offences('shared', (found, file) => isSeam(found) && !forNode(file))).toEqual([])
  })

  it('uses these packages alone', () => {
    const used = sourceFiles('shared').flatMap((file) => importsOf(file).map(packageOf))
    expect([...new Set(used)].filter((name) => name !== undefined).sort()).toEqual(['cbor-x', 'smol-toml', 'valibot'])
  })

  it.each([
    ['clock', /\bDate\.now\b|\bnew Date\(\)|\bperformance\.|\bDate\(\)/],
    ['randomness', /\bMath\.random\b|\bgetRandomValues\b|\brandomUUID\b/],
    ['process or environment', /\bprocess\s*[.[]|\bglobalThis\b/],
    ['network', /\bfetch\(|\bnew WebSocket\b|\bXMLHttpRequest\b/],
    ['timer', /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/],
    ['Buffer of Node', /\bBuffer\b/],
    ['console', /\bconsole\./],
  ])('has no %s of its own', (_, pattern) => {
    const found = sourceFiles('shared').filter((file) => pattern.test(codeOf(readSource(file))))
    expect(found).toEqual([])
  })
})

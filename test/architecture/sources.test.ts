import { describe, expect, it } from 'vitest'
import { codeOf, importsOf } from './sources.ts'

const targets = (source: string): string[] => importsOf('shared/a/b.ts', source).map(({ target }) => target)

describe('imports as the rules of this folder see them', () => {
  it.each([
    ['a default', "import x from 'a'"],
    ['names', "import { x, type Y } from 'a'"],
    ['names on several lines', "import {\n  x,\n  y,\n} from 'a'"],
    ['a default and names', "import x, { y } from 'a'"],
    ['a namespace', "import * as x from 'a'"],
    ['nothing but the effect', "import 'a'"],
    ['a re-export', "export { x } from 'a'"],
    ['everything re-exported', "export * from 'a'"],
    ['a call', "const x = await import('a')"],
    ['a call within a line', "  return (await import('a')).default"],
  ])('sees %s', (_, source) => {
    expect(importsOf('shared/a/b.ts', source)).toEqual([{ target: 'a', isFile: false, typeOnly: false }])
  })

  it('tells types, which are gone after compilation', () => {
    expect(importsOf('shared/a/b.ts', "import type { X } from 'a'")).toEqual([
      { target: 'a', isFile: false, typeOnly: true },
    ])
  })

  it('resolves files from where they are imported', () => {
    expect(
      targets("import { x } from '../c.ts'\nimport { y } from './d.ts'\nimport { z } from '../../agent/e.ts'"),
    ).toEqual(['shared/c.ts', 'shared/a/d.ts', 'agent/e.ts'])
  })

  it('sees what is started by its place', () => {
    expect(targets(`const program = new URL('${'program.ts'}', import.meta.url)`)).toEqual(['shared/a/program.ts'])
  })

  it('takes no comment for code', () => {
    expect(targets("// import x from 'a'\n/**\n * import('b')\n */\nconst y = 1 // import('c')")).toEqual([])
    expect(codeOf("const url = 'https://example.com' // why")).toBe("const url = 'https://example.com'")
  })
})

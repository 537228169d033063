import { describe, expect, it } from 'vitest'
import { codeOf, importsOf, packageOf, reachable, readSource, sourceFiles } from './sources.ts'

const files = [...reachable(['agent/main.ts'], ({ typeOnly }) => !typeOnly)]
const imports = files.flatMap((file) => importsOf(file).filter(({ typeOnly }) => !typeOnly))

const helperFiles = [...reachable(['agent/measure/main.ts'], ({ typeOnly }) => !typeOnly)]
const helperImports = helperFiles.flatMap((file) => importsOf(file).filter(({ typeOnly }) => !typeOnly))

describe('what the agent brings onto a gateway', () => {
  it('is these packages and no other', () => {
    const packages = new Set(imports.map(packageOf).filter((name) => name !== undefined))
    // One more is one more to audit, to license and to update on every gateway: a decision, not an accident.
    expect([...packages].sort()).toEqual([
      '@noble/ed25519',
      'cbor-x',
      'koffi',
      'mqtt',
      'mqtt-packet',
      'smol-toml',
      'valibot',
    ])
  })

  it('loads the native binding on demand alone, so that a gateway without a TPM pays nothing for it', () => {
    const loading = files.filter((file) => /^import .*'koffi'/m.test(codeOf(readSource(file))))
    expect(loading).toEqual([])
  })

  it('starts no other program', () => {
    expect(imports.filter(({ target }) => target === 'node:child_process')).toEqual([])
  })

  it('runs under --jitless, which has neither fetch nor WebAssembly', () => {
    const needing = [...sourceFiles('agent'), ...sourceFiles('shared')].filter((file) =>
      /\bfetch\(|\bWebAssembly\b/.test(codeOf(readSource(file))),
    )
    expect(needing).toEqual([])
  })
})

describe('what the privileged helper brings onto a gateway', () => {
  it('is these packages and no other', () => {
    const packages = new Set(helperImports.map(packageOf).filter((name) => name !== undefined))
    expect([...packages].sort()).toEqual(['cbor-x', 'valibot'])
  })

  it('has no way to a network, and of other programs starts those of the table and itself', () => {
    const modules = (name: string) => helperImports.filter(({ target }) => target === name).length
    for (const name of ['node:http', 'node:https', 'node:tls', 'node:dgram', 'node:dns']) expect(modules(name)).toBe(0)
    const starting = helperFiles.filter((file) => importsOf(file).some(({ target }) => target === 'node:child_process'))
    expect(starting.sort()).toEqual(['agent/measure/listen.ts', 'agent/measure/run-command.ts'])
  })

  it('writes no file', () => {
    const writing = helperFiles.filter((file) =>
      /\b(write|append|copy|rename|mkdir|mkdtemp|truncate|symlink|link|rm|rmdir)\w*(Sync|File)\(|node:fs\/promises|createWriteStream/.test(
        codeOf(readSource(file)),
      ),
    )
    expect(writing).toEqual([])
  })
})

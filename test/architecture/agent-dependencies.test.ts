import { describe, expect, it } from 'vitest'
import { codeOf, importsOf, packageOf, reachable, readSource, sourceFiles } from './sources.ts'

const files = [...reachable(['agent/main.ts'], ({ typeOnly }) => !typeOnly)]
const imports = files.flatMap((file) => importsOf(file).filter(({ typeOnly }) => !typeOnly))

describe('what the agent brings onto a gateway', () => {
  it('is these packages and no other', () => {
    const packages = new Set(imports.map(packageOf).filter((name) => name !== undefined))
    // One more is one more to audit, to license and to update on every gateway: a decision, not an accident.
    expect([...packages].sort()).toEqual(['@noble/ed25519', 'cbor-x', 'koffi', 'mqtt', 'smol-toml', 'valibot'])
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

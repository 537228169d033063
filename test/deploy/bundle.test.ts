import { spawnSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { version } from '../../shared/version.ts'

interface Metafile {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly entryPoint?: string
        readonly imports: readonly { readonly path: string }[]
        readonly inputs: Readonly<Record<string, unknown>>
      }
    >
  >
}

const script = new URL('../../deploy/bundle/build-agent.mjs', import.meta.url).href
const { buildAgent } = (await import(script)) as { buildAgent: (directory: string) => Promise<Metafile> }

// Outside of the repository: nothing of its node_modules can be found from there.
const directory = mkdtempSync(join(tmpdir(), 'keepseal-bundle-'))
let bundle: Metafile['outputs'][string]

beforeAll(async () => {
  const { outputs } = await buildAgent(directory)
  const found = Object.values(outputs).find(({ entryPoint }) => entryPoint === 'agent/main.ts')
  if (found === undefined) throw new Error('no bundle was written')
  bundle = found
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function run(...parameters: string[]): string {
  const program = join(directory, 'keepseal-agent.js')
  return spawnSync(process.execPath, ['--jitless', program, ...parameters], { encoding: 'utf8', timeout: 20_000 })
    .stdout
}

/** The name of the package that an input of the bundle belongs to. */
function packageOf(input: string): string | undefined {
  const [, path] = input.split(/(?:^|.*\/)node_modules\//)
  return path?.split('/', path.startsWith('@') ? 2 : 1).join('/')
}

describe('the bundled agent', () => {
  it('starts with the flags that it is shipped with', () => {
    expect(run('version')).toBe(`keepseal-agent ${version}\n`)
  })

  it('needs nothing but Node', () => {
    const needed = new Set(bundle.imports.map(({ path }) => path.replace(/^node:/, '')))
    expect([...needed].filter((name) => !builtinModules.includes(name))).toEqual([])
  })

  it('contains these packages and no other', () => {
    const packages = new Set(Object.keys(bundle.inputs).map(packageOf))
    packages.delete(undefined)
    expect([...packages].sort()).toEqual([
      '@noble/ed25519',
      // mqtt and what its client needs
      'abort-controller',
      'bl',
      'cbor-x',
      'event-target-shim',
      'inherits',
      'koffi',
      'lru-cache',
      'mqtt',
      'mqtt-packet',
      'process',
      'process-nextick-args',
      'readable-stream',
      'rfdc',
      'safe-buffer',
      'smol-toml',
      'string_decoder',
      'valibot',
    ])
  })

  it('finds the native binding beside itself, and nowhere else', () => {
    // Where nothing listens: how far it gets tells whether the binding was found.
    const doctor = (): string => run('doctor', '--json', '--set', 'tpm.tcti=swtpm:host=127.0.0.1,port=1')
    const binding = join(directory, `koffi-${process.platform}-${process.arch}.node`)
    expect(doctor()).not.toContain('koffi has no binary')
    renameSync(binding, `${binding}.away`)
    expect(doctor()).toContain('koffi has no binary')
  })
})

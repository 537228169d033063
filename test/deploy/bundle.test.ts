import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
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
const { buildAgent } = (await import(script)) as {
  buildAgent: (directory: string) => Promise<{ readonly agent: Metafile; readonly helper: Metafile }>
}

// Outside of the repository: nothing of its node_modules can be found from there.
const directory = mkdtempSync(join(tmpdir(), 'keepseal-bundle-'))
type Bundle = Metafile['outputs'][string]
let bundle: Bundle
let helper: Bundle

function bundleOf({ outputs }: Metafile, entry: string): Bundle {
  const found = Object.values(outputs).find(({ entryPoint }) => entryPoint === entry)
  if (found === undefined) throw new Error('no bundle was written')
  return found
}

beforeAll(async () => {
  const metafiles = await buildAgent(directory)
  bundle = bundleOf(metafiles.agent, 'agent/main.ts')
  helper = bundleOf(metafiles.helper, 'agent/measure/main.ts')
})

afterAll(() => rmSync(directory, { recursive: true, force: true }))

function start(name: string, ...parameters: string[]) {
  const command = ['--jitless', join(directory, name), ...parameters]
  return spawnSync(process.execPath, command, {
    encoding: 'utf8',
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

const run = (...parameters: string[]): string => start('keepseal-agent.js', ...parameters).stdout

const needsBeyondNode = ({ imports }: Bundle): string[] =>
  [...new Set(imports.map(({ path }) => path.replace(/^node:/, '')))].filter((name) => !builtinModules.includes(name))

function packagesIn({ inputs }: Bundle): string[] {
  const packages = new Set(Object.keys(inputs).map(packageOf))
  packages.delete(undefined)
  return [...packages].sort() as string[]
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

  it('tells the digests of what it was started from', () => {
    const digest = (file: string) => ({
      value: createHash('sha256')
        .update(readFileSync(join(directory, file)))
        .digest('hex'),
    })
    const printed = run('once', '--print', '--json', '--config', '/dev/null', '--set', 'tpm.tcti=none')
    const { sections } = JSON.parse(printed) as { sections: { agent: { content: object } } }
    expect(sections.agent.content).toMatchObject({
      version,
      form: 'one-file',
      program: digest('keepseal-agent.js'),
      binding: digest(`koffi-${process.platform}-${process.arch}.node`),
      replaced: { value: false },
      runtime: { version: process.version, flags: expect.arrayContaining(['--jitless']) as unknown },
    })
  })

  it('needs nothing but Node', () => {
    expect(needsBeyondNode(bundle)).toEqual([])
  })

  it('contains these packages and no other', () => {
    expect(packagesIn(bundle)).toEqual([
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

  it('speaks to a device file itself where there is no native binding', () => {
    const binding = join(directory, `koffi-${process.platform}-${process.arch}.node`)
    if (existsSync(binding)) renameSync(binding, `${binding}.away`)
    const printed = run('doctor', '--json', '--set', 'tpm.tcti=device:/dev/null')
    expect(printed).toContain('an answer of 0 bytes')
    expect(printed).not.toContain('koffi has no binary')
  })
})

describe('the bundled helper', () => {
  it('starts with the flags that it is shipped with', () => {
    expect(start('keepseal-measure.js', '--version').stdout).toBe(`keepseal-measure ${version}\n`)
  })

  it('needs nothing but Node, and nothing of it that speaks to a network', () => {
    expect(needsBeyondNode(helper)).toEqual([])
    const modules = new Set(helper.imports.map(({ path }) => path.replace(/^node:/, '')))
    // node:net is its Unix socket.
    expect([...modules].filter((name) => /^(http|https|http2|tls|dgram|dns)(\/|$)/.test(name))).toEqual([])
  })

  it('contains these packages and no other: neither MQTT nor a binding to a TPM', () => {
    expect(packagesIn(helper)).toEqual(['cbor-x', 'valibot'])
    const files = Object.keys(helper.inputs).filter((path) => /^agent\/(?!measure|sensors)|^shared\/cose/.test(path))
    expect(files).toEqual([])
  })

  it.each([
    ['a word', ['now']],
    ['a relative path', ['--listen', 'measure.sock']],
    ['a group without a listener', ['--group', 'root']],
    ['standard input that is no connection', []],
  ])('refuses %s as a wrong use', (_, parameters) => {
    const { status, stdout } = start('keepseal-measure.js', ...parameters)
    expect([status, stdout]).toEqual([2, ''])
  })
})

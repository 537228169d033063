import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { repository } from '../architecture/sources.ts'
import { useScratchDirectories } from '../support/scratch.ts'

const scratch = useScratchDirectories('artefact')

function node(...parameters: readonly string[]) {
  return spawnSync(process.execPath, [...parameters], { encoding: 'utf8' })
}

/** A copy of what an artefact is made from, somewhere else on this machine. */
function copyOfSources(lockKeys: readonly string[]): string {
  const root = join(scratch(), 'another', 'place')
  const wanted = [
    'agent',
    'shared',
    'tsconfig.base.json',
    'deploy/bundle',
    'package.json',
    'package-lock.json',
    ...lockKeys,
  ]
  for (const path of [...wanted, 'node_modules/esbuild', 'node_modules/@esbuild', 'node_modules/@koromix']) {
    cpSync(join(repository, path), join(root, path), { recursive: true })
  }
  return root
}

/** Makes an artefact from the sources in `root`. */
function make(root: string, ...parameters: readonly string[]) {
  const out = join(scratch(), 'artefact')
  const made = node(join(root, 'deploy/bundle/artefact.mjs'), '--out', out, ...parameters)
  return { out, ...made }
}

const contentsOf = (directory: string): ReadonlyMap<string, string> =>
  new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'base64')]))

interface Sbom {
  readonly bomFormat: string
  readonly components: readonly { readonly purl: string; readonly hashes: readonly { readonly content: string }[] }[]
}
const sbomOf = (directory: string) => JSON.parse(readFileSync(join(directory, 'sbom.cdx.json'), 'utf8')) as Sbom

let first: string
beforeAll(() => {
  const made = make(repository)
  expect(made.stderr).toBe('')
  first = made.out
})

describe('the artefact', () => {
  it('has the same bytes when it is made from the same source in another folder', () => {
    const lockKeys = sbomOf(first).components.map(({ purl }) => {
      const [, name = ''] = /^pkg:npm\/(.*)@/.exec(purl) ?? []
      return `node_modules/${decodeURIComponent(name)}`
    })
    const second = make(copyOfSources(lockKeys))
    expect(second.stderr).toBe('')
    expect(contentsOf(second.out)).toEqual(contentsOf(first))
  })

  it('tells nothing of the folder that it was made in', () => {
    for (const name of ['keepseal-agent.js', 'keepseal-measure.js', 'sbom.cdx.json']) {
      expect(readFileSync(join(first, name), 'utf8')).not.toContain(repository)
    }
  })

  it('lists every package that is inside, with the digest of its archive', () => {
    const { bomFormat, components } = sbomOf(first)
    expect(bomFormat).toBe('CycloneDX')
    const names = components.map(({ purl }) => purl.replace(/@[^@]*$/, ''))
    expect(names).toEqual(expect.arrayContaining(['pkg:npm/mqtt', 'pkg:npm/koffi', 'pkg:npm/%40noble/ed25519']))
    expect(names.filter((name) => name.startsWith('pkg:npm/%40koromix/koffi-'))).toHaveLength(1)
    expect(components.every(({ hashes }) => /^[0-9a-f]{128}$/.test(hashes[0]?.content ?? ''))).toBe(true)
    expect(new Set(names).size).toBe(names.length)
  })

  it('has digests that sha256sum checks', () => {
    expect(spawnSync('sha256sum', ['--check', '--quiet', '--strict', 'SHA256SUMS'], { cwd: first }).status).toBe(0)
  })

  it('is refused for a target that there is none of, and with a Node where there is none', () => {
    const refused = [
      ['--target', 'mips'],
      ['--target', 'riscv64', '--runtime'],
      ['--goal', 'amd64'],
    ]
    expect(refused.map((parameters) => make(repository, ...parameters).status)).toEqual([70, 70, 2])
  })
})

/** ELF header: e_machine (gABI). The interpreter tells nothing of a shared object, its needed libraries do. */
const MACHINES = { amd64: 62, arm64: 183, armhf: 40, riscv64: 243, 'amd64-musl': 62, 'arm64-musl': 183 }

const fetched = make(repository, '--target', process.arch === 'arm64' ? 'amd64' : 'arm64')
const offline = fetched.status !== 0 && /npm/.test(fetched.stderr)

describe('the artefact of another machine', () => {
  it.skipIf(offline).each(Object.entries(MACHINES))(
    `has the binding of %s${offline ? ' (skipped: npm cannot fetch it)' : ''}`,
    (target, machine) => {
      const { out, stderr } = make(repository, '--target', target)
      expect(stderr).toBe('')
      const bindings = readdirSync(out).filter((name) => name.endsWith('.node'))
      expect(bindings).toHaveLength(1)
      const binding = readFileSync(join(out, bindings[0] ?? ''))
      expect([binding.subarray(0, 4).toString('latin1'), binding.readUInt16LE(18)]).toEqual(['\x7fELF', machine])
      expect(binding.includes('libc.musl-') || binding.includes('libc.so\0')).toBe(target.endsWith('-musl'))
    },
  )
})

describe('the artefact for every processor', () => {
  it('has no compiled file, and lists none', () => {
    const { out, stderr } = make(repository, '--target', 'any')
    expect(stderr).toBe('')
    expect(readdirSync(out).filter((name) => name.endsWith('.node'))).toEqual([])
    expect(readFileSync(join(out, 'TARGET'), 'utf8')).toMatch(/ any\n$/)
    expect(sbomOf(out).components.filter(({ purl }) => purl.includes('koromix/koffi-'))).toEqual([])
    expect(node('--jitless', join(out, 'keepseal-agent.js'), '--version').stdout).toMatch(/^keepseal-agent /)
  })

  it('is refused a Node of its own', () => {
    expect(make(repository, '--target', 'any', '--runtime').stderr).toContain('no Node for any')
  })
})

describe('the signature', () => {
  const sign = join(repository, 'deploy/bundle/sign.mjs')

  function signed() {
    const directory = scratch()
    const artefact = join(directory, 'artefact')
    cpSync(first, artefact, { recursive: true })
    expect(node(sign, 'keygen', join(directory, 'maker')).status).toBe(0)
    expect(node(sign, 'sign', artefact, join(directory, 'maker.key.pem')).status).toBe(0)
    return { artefact, key: join(directory, 'maker.pub.pem'), secret: join(directory, 'maker.key.pem') }
  }

  it('is checked by the command, and by openssl', () => {
    const { artefact, key, secret } = signed()
    expect(node(sign, 'verify', artefact, key).status).toBe(0)
    expect(statSync(secret).mode & 0o077).toBe(0)
    const files = ['-in', join(artefact, 'SHA256SUMS'), '-sigfile', join(artefact, 'SHA256SUMS.sig')]
    expect(spawnSync('openssl', ['pkeyutl', '-verify', '-rawin', '-pubin', '-inkey', key, ...files]).status).toBe(0)
  })

  it.each<[string, (artefact: string) => void]>([
    ['a changed program', (artefact) => writeFileSync(join(artefact, 'keepseal-agent.js'), 'x')],
    ['a file too many', (artefact) => writeFileSync(join(artefact, 'koffi-linux-any.node'), 'x')],
    ['a missing file', (artefact) => rmSync(join(artefact, 'keepseal-measure.js'))],
    ['a changed list', (artefact) => writeFileSync(join(artefact, 'SHA256SUMS'), '')],
    [
      'a directory with a file',
      (artefact) => {
        mkdirSync(join(artefact, 'node_modules'))
        writeFileSync(join(artefact, 'node_modules', 'koffi'), 'x')
      },
    ],
  ])('does not hold with %s', (_, tamper) => {
    const { artefact, key } = signed()
    tamper(artefact)
    expect(node(sign, 'verify', artefact, key).status).toBe(1)
  })

  it("does not hold with another maker's key", () => {
    const { artefact } = signed()
    expect(node(sign, 'verify', artefact, signed().key).status).toBe(1)
  })
})

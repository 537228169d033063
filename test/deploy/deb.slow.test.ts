import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { repository } from '../architecture/sources.ts'
import { useScratchDirectories } from '../support/scratch.ts'

const scratch = useScratchDirectories('deb')
const run = (command: string, ...parameters: readonly string[]) => spawnSync(command, parameters, { encoding: 'utf8' })
const dpkg = run('dpkg-deb', '--version').status === 0
const lintian = run('lintian', '--version').status === 0

function build(...parameters: readonly string[]): string {
  const script = join(repository, 'deploy/deb/build.mjs')
  const { stdout, stderr } = run(process.execPath, script, ...parameters, '--system-node', '--fast', '--out', scratch())
  expect(stderr).toBe('')
  return stdout.trim()
}

/** Mode, owner and path of everything in a package. */
const contentsOf = (file: string): ReadonlyMap<string, string> =>
  new Map(
    run('dpkg-deb', '--contents', file)
      .stdout.split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [mode = '', owner = '', , , , path = ''] = line.split(/\s+/)
        return [path.slice(1), `${mode} ${owner}`]
      }),
  )

describe.skipIf(!dpkg)(`the packages for Debian${dpkg ? '' : ' (skipped: no dpkg-deb)'}`, () => {
  let agent: string
  let collector: string
  beforeAll(() => {
    agent = build('agent')
    collector = build('collector')
  }, 180_000)

  it('are the same bytes when they are made again', () => {
    expect(readFileSync(build('agent')).equals(readFileSync(agent))).toBe(true)
  })

  it('are made for other processors on this one', () => {
    for (const target of ['arm64', 'armhf', 'riscv64']) {
      expect(run('dpkg-deb', '--field', build('agent', '--target', target), 'Architecture').stdout.trim()).toBe(target)
    }
  })

  it('bring what the agent needs, all of it owned by root and writable by nobody else', () => {
    const contents = contentsOf(agent)
    for (const path of [
      '/usr/lib/keepseal/keepseal-agent.js',
      '/usr/lib/keepseal/keepseal-measure.js',
      '/usr/lib/keepseal/package.json',
      '/usr/lib/keepseal/node',
      '/usr/bin/keepseal-agent',
      '/usr/sbin/keepseal-measure',
      '/etc/keepseal/agent.toml',
      '/etc/keepseal/agent.d/',
      '/usr/lib/sysusers.d/keepseal-agent.conf',
      '/usr/lib/tmpfiles.d/keepseal-agent.conf',
      '/lib/udev/rules.d/60-keepseal-agent.rules',
      '/lib/systemd/system/keepseal-agent.service',
      '/lib/systemd/system/keepseal-measure.socket',
      '/lib/systemd/system/keepseal-measure@.service',
      '/usr/share/doc/keepseal-agent/sbom.cdx.json',
      '/usr/share/man/man1/keepseal-agent.1.gz',
      '/usr/share/man/man5/keepseal-agent.toml.5.gz',
      '/usr/share/man/man8/keepseal-measure.8.gz',
      '/usr/share/bash-completion/completions/keepseal-agent',
      '/usr/share/zsh/vendor-completions/_keepseal-agent',
      '/usr/share/fish/vendor_completions.d/keepseal-agent.fish',
    ]) {
      expect([path, contents.has(path)]).toEqual([path, true])
    }
    for (const file of [agent, collector]) {
      const open = [...contentsOf(file).entries()].filter(
        ([, entry]) => !entry.endsWith(' root/root') || (!entry.startsWith('l') && /^.....w|^........w/.test(entry)),
      )
      expect(open).toEqual([])
    }
    expect(run('dpkg-deb', '--info', agent, 'conffiles').stdout).toBe('/etc/keepseal/agent.toml\n')
  })

  it('bring of the collector what it runs with: no tests, no compiler, nothing of the agent', () => {
    const paths = [...contentsOf(collector).keys()]
    const modules = '/usr/lib/keepseal-collector/node_modules/'
    expect(paths).toContain(`${modules}better-sqlite3/build/Release/better_sqlite3.node`)
    expect(paths).toContain('/usr/lib/keepseal-collector/dist/collector/ingest/verify/worker.js')
    expect(paths).toContain('/usr/lib/keepseal-collector/dist/web/index.html')
    expect(paths).toContain('/usr/share/man/man1/keepseal-device.1.gz')
    expect(paths).toContain('/usr/share/bash-completion/completions/keepseal')
    const unwanted = [
      `${modules}typescript/`,
      `${modules}koffi/vendor/`,
      `${modules}vitest/`,
      `${modules}better-sqlite3/deps/`,
    ]
    const unread = /dist\/agent|\.tsbuildinfo$|\.d\.ts$|\.musl\.node$|\/musl_|\/koffi\/.*\.(cc|hh)$/
    expect(paths.filter((path) => unwanted.includes(path) || unread.test(path))).toEqual([])
    // By which it tells the service manager that it is ready and lives on.
    expect(paths.filter((path) => path.endsWith('/koffi.node'))).toHaveLength(1)
    // What makes the reading of CBOR faster, for this C library.
    expect(paths.some((path) => path.endsWith('.glibc.node'))).toBe(true)
  })

  it('bring a collector that starts from where it was unpacked', () => {
    const root = scratch()
    expect(run('dpkg-deb', '--extract', collector, root).status).toBe(0)
    const main = join(root, 'usr/lib/keepseal-collector/dist/collector/main.js')
    const configuration = ['--set', `data.directory=${join(root, 'data')}`]
    const { status, stderr } = run(process.execPath, main, 'migrate', ...configuration)
    expect([status, stderr]).toEqual([0, ''])
  })

  it.skipIf(!lintian).each(['agent', 'collector'])(
    `have no error by lintian: the %s${lintian ? '' : ' (skipped: no lintian)'}`,
    (name) => {
      const file = name === 'agent' ? agent : collector
      const { status, stdout } = run('lintian', '--fail-on', 'error', '--tag-display-limit', '0', file)
      expect(stdout.split('\n').filter((line) => line.startsWith('E:'))).toEqual([])
      expect(status).toBe(0)
    },
    300_000,
  )
})

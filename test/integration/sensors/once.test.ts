import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { SECTION_IDS } from '../../../shared/posture/sections.ts'
import type { PackagesContent } from '../../../shared/posture/sections/packages.ts'
import type { SystemContent } from '../../../shared/posture/sections/system.ts'
import { useScratchDirectories } from '../../support/scratch.ts'

const script = new URL('../../../deploy/bundle/build-agent.mjs', import.meta.url).href
const { buildAgent } = (await import(script)) as { buildAgent: (directory: string) => Promise<unknown> }
const scratch = useScratchDirectories('once')

interface Printed {
  readonly sections: Readonly<Record<string, { readonly status: string; readonly content?: unknown }>>
}

const run = (command: string, ...words: string[]): string =>
  execFileSync(command, words, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'ignore'],
  })

const hasDpkg = spawnSync('dpkg-query', ['--version']).error === undefined

describe('keepseal-agent once --print --json, as it is shipped', () => {
  let printed: Printed
  beforeAll(async () => {
    const directory = scratch()
    await buildAgent(directory)
    const program = join(directory, 'keepseal-agent.js')
    const options = ['once', '--print', '--json', '--config', '/dev/null', '--set', 'tpm.tcti=none']
    printed = JSON.parse(run(process.execPath, '--jitless', program, ...options)) as Printed
  })

  /** The schema is the section's own, which a test of the sensors holds. */
  const contentOf = <T>(id: string): T => printed.sections[id]?.content as T

  test('prints every section', () => {
    expect(Object.keys(printed.sections).sort()).toEqual([...SECTION_IDS].sort())
    expect(Object.values(printed.sections).map(({ status }) => status)).not.toContain('failed')
  })

  test.skipIf(!hasDpkg)('prints each package that dpkg-query lists, in its state, and no other', () => {
    const fields = ['Package', 'Architecture', 'Version', 'source:Package', 'source:Version', 'db:Status-Status']
    const listed = run('dpkg-query', '-W', '-f', `${fields.map((field) => `\${${field}}`).join(' ')}\n`)
    const { packages } = contentOf<PackagesContent>('packages')
    const ours = packages.map(({ name, architecture, version, source = name, sourceVersion = version, state }) =>
      [name, architecture, version, source, sourceVersion, state ?? 'installed'].join(' '),
    )
    const theirs = listed.trim().split('\n')
    expect(ours.sort()).toEqual(theirs.filter((line) => !/ (?:config-files|not-installed)$/.test(line)).sort())
  })

  test('prints the kernel that uname names', () => {
    const { kernel } = contentOf<SystemContent>('system')
    expect(kernel.release).toEqual({ value: run('uname', '-r').trim() })
    expect([{ value: run('uname', '-m').trim() }, { missing: 'absent' }]).toContainEqual(kernel.machine)
  })
})

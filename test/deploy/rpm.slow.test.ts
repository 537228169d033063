import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository } from '../architecture/sources.ts'
import { useScratchDirectories } from '../support/scratch.ts'

const scratch = useScratchDirectories('rpm')
const run = (command: string, ...parameters: readonly string[]) => spawnSync(command, parameters, { encoding: 'utf8' })
const rpmbuild = run('rpmbuild', '--version').status === 0
const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }

/** What systemd-rpm-macros defines on systems with rpm; Debian has no such package. */
const MACROS = {
  _unitdir: '/usr/lib/systemd/system',
  _sysusersdir: '/usr/lib/sysusers.d',
  _tmpfilesdir: '/usr/lib/tmpfiles.d',
  _udevrulesdir: '/usr/lib/udev/rules.d',
  'systemd_post()': ':',
  'systemd_preun()': ':',
  'systemd_postun_with_restart()': ':',
  dist: '.test',
}

describe.skipIf(!rpmbuild)(`the package for rpm${rpmbuild ? '' : ' (skipped: no rpmbuild)'}`, () => {
  it('is built of the artefact, with what the agent needs, owned by root and writable by nobody else', () => {
    const [artefact, top] = [scratch(), scratch()]
    const made = run(process.execPath, join(repository, 'deploy/bundle/artefact.mjs'), '--out', artefact)
    expect([made.status, made.stderr]).toEqual([0, ''])
    const macros = {
      ...MACROS,
      _topdir: top,
      keepseal_repository: repository,
      keepseal_artefact: artefact,
    }
    const defines = Object.entries(macros).flatMap(([name, value]) => ['--define', `${name} ${value}`])
    const spec = join(repository, 'deploy/rpm/keepseal-agent.spec')
    const built = run('rpmbuild', '-bb', '--nodeps', '--without', 'runtime', ...defines, spec)
    expect([built.status, built.status === 0 ? '' : built.stderr]).toEqual([0, ''])

    const name = readdirSync(join(top, 'RPMS'), { recursive: true, encoding: 'utf8' }).find((each) =>
      each.endsWith('.rpm'),
    )
    const query = (format: string): readonly string[] =>
      run('rpm', '-qp', '--qf', format, join(top, 'RPMS', name ?? 'nothing'))
        .stdout.trim()
        .split('\n')
    expect(query('%{NAME} %{VERSION}')).toEqual([`keepseal-agent ${version}`])
    const files = query('[%{FILENAMES} %{FILEMODES:perms} %{FILEUSERNAME}\n]').map((line) => line.split(' '))
    const paths = files.map(([path]) => path)
    expect(paths).toEqual(
      expect.arrayContaining([
        '/usr/lib/keepseal/keepseal-agent.js',
        '/usr/bin/keepseal-agent',
        '/usr/sbin/keepseal-measure',
        '/etc/keepseal/agent.toml',
        '/usr/lib/systemd/system/keepseal-agent.service',
        '/usr/lib/systemd/system/keepseal-measure@.service',
        '/usr/lib/udev/rules.d/60-keepseal-agent.rules',
      ]),
    )
    expect(files.filter(([, mode = '', owner]) => owner !== 'root' || (mode[0] !== 'l' && /w.*w/.test(mode)))).toEqual(
      [],
    )
    expect(query('[%{REQUIRENAME}\n]')).toContain('nodejs')
    // No dependency on what only looks like a library of the system.
    expect(query('[%{REQUIRENAME}\n]').filter((each) => /koffi|libtss/.test(each))).toEqual([])

    const root = scratch()
    const unpacked = run('sh', '-c', `cd ${root} && rpm2cpio ${join(top, 'RPMS', name ?? '')} | cpio -idm --quiet`)
    expect(unpacked.status).toBe(0)
    expect(readFileSync(join(root, 'usr/bin/keepseal-agent'), 'utf8')).toBe(
      '#!/bin/sh\nexec /usr/lib/keepseal/node --jitless /usr/lib/keepseal/keepseal-agent.js "$@"\n',
    )
  }, 180_000)
})

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { repository } from '../architecture/sources.ts'

const folder = join(repository, 'deploy', 'deb')
const scripts = ['agent', 'collector'].flatMap((name) =>
  ['postinst', 'prerm', 'postrm'].map((script) => join(folder, name, script)),
)

describe('the maintainer scripts', () => {
  it.each(scripts)('%s is a script of the plain shell, and ends at the first error', (script) => {
    expect(spawnSync('sh', ['-n', script]).status).toBe(0)
    expect(readFileSync(script, 'utf8')).toMatch(/^#!\/bin\/sh\n(#.*\n)*set -e\n/)
  })

  it.each(['agent', 'collector'])('of the %s delete its state on purge alone', (name) => {
    const script = readFileSync(join(folder, name, 'postrm'), 'utf8')
    const [before = '', purge = ''] = script.split('if [ "$1" = purge ]; then')
    expect(before).not.toMatch(/\brm\b/)
    expect(purge).toContain(`rm -rf /var/lib/keepseal-${name}`)
    expect(readFileSync(join(folder, name, 'prerm'), 'utf8')).not.toMatch(/\brm\b/)
  })
})

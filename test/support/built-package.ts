import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { COLLECTOR_RUNTIME } from '../../deploy/bundle/collector-runtime.mjs'
import { repository } from '../architecture/sources.ts'

const major = (version: string): string => version.replace(/^v/, '').split('.')[0] ?? ''

/** The addon of SQLite is compiled here for this very Node: with another one than is shipped, the system brings its own. */
const bringsNode = major(process.version) === major(COLLECTOR_RUNTIME.version)

/** What apt has to install before the collector's package. */
export const COLLECTOR_NEEDS: readonly string[] = bringsNode ? [] : ['nodejs']

/** Makes the package for Debian, as quickly as it goes; answers with its path. Throws with what was wrong. */
export function builtPackage(name: 'agent' | 'collector', directory: string): string {
  const script = join(repository, 'deploy/deb/build.mjs')
  const node = name === 'collector' && !bringsNode ? ['--system-node'] : []
  const parameters = [name, '--fast', ...node, '--out', directory]
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...parameters], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout.trim()
}

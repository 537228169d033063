import { cpSync, existsSync, mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { unpackPackage } from '../../deploy/bundle/npm-package.mjs'
import { COLLECTOR_RUNTIME } from '../../deploy/bundle/collector-runtime.mjs'
import { ownTarget } from '../../deploy/bundle/targets.mjs'
import { copyTree, debianTree } from '../support/debian-tree.ts'
import { run } from '../vm/run.ts'
import type { Engine } from './engine.ts'

const IMAGES = join(import.meta.dirname, 'images')
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt'

/** What is pulled elsewhere, made here under the same names: of Debian's packages, and Node of npm's. */
export function makeNodeImage(engine: Engine): void {
  withTree((root) => {
    const runtime = COLLECTOR_RUNTIME.packages[ownTarget()]
    if (runtime === undefined) throw new Error('npm has no Node for this machine')
    const local = join(root, 'usr', 'local')
    // With its headers: the SQLite addon is compiled where nothing else than npm's registry can be reached.
    unpackPackage({ ...runtime, version: COLLECTOR_RUNTIME.version }, local, ['bin', 'include'])
    const npm = npmDirectory()
    cpSync(npm, join(local, 'lib', 'node_modules', 'npm'), { recursive: true, verbatimSymlinks: true })
    for (const name of ['npm', 'npx']) {
      symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(local, 'bin', name))
    }
    const changes = ['ENV npm_config_nodedir=/usr/local', 'CMD ["node"]']
    if (existsSync(AUTHORITIES)) {
      // A machine may reach the registry by a proxy that has an authority of its own.
      mkdirSync(dirname(join(root, AUTHORITIES)), { recursive: true })
      cpSync(AUTHORITIES, join(root, AUTHORITIES), { dereference: true })
      changes.push(`ENV NODE_EXTRA_CA_CERTS=${AUTHORITIES}`)
    }
    engine.import(root, 'docker.io/library/node:22-bookworm-slim', changes)
  })
}

/** The broker and the database of compose.yaml. */
export function makeNeighbourImages(engine: Engine): void {
  withTree((root) => engine.import(root, 'docker.io/library/debian:bookworm-slim', ['CMD ["bash"]']))
  const images = { postgres: 'postgres:17-bookworm', mosquitto: 'eclipse-mosquitto:2.0' }
  for (const [file, name] of Object.entries(images)) {
    engine.build(IMAGES, join(IMAGES, `${file}.Containerfile`), `docker.io/library/${name}`)
  }
}

/** npm's own package, of which this machine's Node has one. */
function npmDirectory(): string {
  const [command = ''] = run('sh', ['-c', 'command -v npm']).trim().split('\n')
  return dirname(dirname(realpathSync(command)))
}

function withTree(use: (root: string) => void): void {
  const minimal = debianTree('bookworm')
  if (!('root' in minimal)) throw new Error(minimal.obstacle)
  const root = copyTree(minimal.root)
  try {
    use(root)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

// The package keepseal-collector: the compiled programs, what of node_modules they use, and Node.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { repository } from '../bundle/build-agent.mjs'
import { unpackPackage } from '../bundle/npm-package.mjs'
import { makeSbom } from '../bundle/sbom.mjs'
import { COLLECTOR_RUNTIME } from '../bundle/collector-runtime.mjs'
import { ownTarget } from '../bundle/targets.mjs'
import { launcher, makePackage, put, putFile, putManual, putUnits } from './package.mjs'

const HOME = 'usr/lib/keepseal-collector'

/** The agent's alone, and what others would like to have for developing. */
const NOT_WANTED = /^node_modules\/(@noble\/ed25519|@?typescript|@types\/)/

/** What koffi is compiled from, which is done already. */
const BINDING = /\/node_modules\/koffi\/(doc|lib|vendor|cnoke\.cjs|.*(\.(cc|hh|inc|def|S|asm)|CMakeLists\.txt)$)/

/** What of better-sqlite3 is there to compile it, which is done already. */
const ADDON = /\/better-sqlite3\/(deps|src|binding\.gyp|build\/(?!Release(\/better_sqlite3\.node)?$))/

/** Keys of the lock file that the collector is shipped with: nothing for developing, nothing for another machine. */
function shippedPackages() {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'))
  return Object.keys(packages).filter(
    (key) => key !== '' && packages[key].dev !== true && !NOT_WANTED.test(key) && existsSync(join(repository, key)),
  )
}

/** What no program reads: types, maps, tests, and what versions control and linters keep. */
const UNREAD =
  /\.(d\.[cm]?ts|tsbuildinfo|map|md|markdown|ya?ml)$|\/\.[^/]+$|^\/(tests?|benchmarks?|examples?|integration|scripts)(\/|$)/

/** Debian has glibc: an addon that npm brings for musl as well is never loaded. */
const OTHER_LIBC = /\.musl\.node$|\/musl_\w+(\/|$)/

/** Of a package what is in it itself: packages within it are in the list by themselves. */
function copyPackage(root, key) {
  const source = join(repository, key)
  cpSync(source, join(root, HOME, key), {
    recursive: true,
    filter: (path) => {
      const inside = path.slice(source.length)
      if (inside.includes('/node_modules') || UNREAD.test(inside)) return false
      return ![ADDON, BINDING, OTHER_LIBC].some((unwanted) => unwanted.test(path))
    },
  })
}

/**
 * For this machine's processor alone, as the addon of SQLite is compiled here. The runtime has to be of the major
 * version that it was compiled for. Answers with the path of the package.
 */
export async function buildCollectorPackage({ runtime, version, out, fast }) {
  const target = ownTarget()
  const node = COLLECTOR_RUNTIME.packages[target]
  const major = (text) => text.replace(/^v/, '').split('.')[0]
  if (runtime && node === undefined) throw new Error(`npm has no Node for ${target}: use the system's`)
  if (runtime && major(process.version) !== major(COLLECTOR_RUNTIME.version)) {
    throw new Error(
      `the addon of SQLite was compiled for ${process.version}, and the package would bring ${COLLECTOR_RUNTIME.version}: build it with that`,
    )
  }
  const lockKeys = shippedPackages()
  const work = mkdtempSync(join(tmpdir(), 'keepseal-deb-'))
  try {
    const root = join(work, 'root')
    for (const part of ['collector', 'shared']) {
      cpSync(join(repository, 'dist', part), join(root, HOME, 'dist', part), {
        recursive: true,
        filter: (path) => !/\.(d\.ts|tsbuildinfo|map)$/.test(path),
      })
    }
    const pages = join(repository, 'dist', 'web')
    if (!existsSync(join(pages, 'index.html'))) throw new Error('the pages are not built: npm run build')
    cpSync(pages, join(root, HOME, 'dist', 'web'), { recursive: true })
    put(
      root,
      `${HOME}/package.json`,
      `${JSON.stringify({ name: 'keepseal-collector', version, type: 'module', private: true })}\n`,
    )
    for (const key of lockKeys) copyPackage(root, key)
    const runtimePackage = runtime ? { ...node, version: COLLECTOR_RUNTIME.version, license: 'MIT' } : undefined
    if (runtimePackage === undefined) symlinkSync('/usr/bin/node', join(root, HOME, 'node'))
    else {
      unpackPackage(runtimePackage, join(work, 'node'), ['bin/node'])
      cpSync(join(work, 'node', 'bin', 'node'), join(root, HOME, 'node'))
    }
    const start = (program) => launcher(`/${HOME}/node`, [], `/${HOME}/dist/collector/${program}`)
    put(root, 'usr/bin/keepseal-collector', start('main.js'), 0o755)
    put(root, 'usr/bin/keepseal', start('cli/client/main.js'), 0o755)
    const files = 'deploy/deb/collector'
    putFile(root, `${HOME}/backup`, `${files}/backup`, 0o755)
    putFile(root, 'etc/keepseal/collector.toml', `${files}/collector.toml`)
    for (const directory of ['etc/keepseal/collector.d', 'etc/keepseal/ek-roots'])
      mkdirSync(join(root, directory), { recursive: true })
    putFile(root, 'usr/lib/sysusers.d/keepseal-collector.conf', `${files}/sysusers.conf`)
    putFile(root, 'usr/lib/tmpfiles.d/keepseal-collector.conf', `${files}/tmpfiles.conf`)
    putUnits(root, [
      'keepseal-collector.service',
      'keepseal-collector-backup.service',
      'keepseal-collector-backup.timer',
    ])
    const doc = 'usr/share/doc/keepseal-collector'
    putFile(root, `${doc}/operations.md`, 'docs/operations.md')
    for (const name of ['acl', 'mosquitto.conf'])
      putFile(root, `${doc}/examples/mosquitto/${name}`, `deploy/mosquitto/${name}`)
    const sbom = { repository, name: 'keepseal-collector', version, lockKeys, native: [], runtime: runtimePackage }
    put(root, `${doc}/sbom.cdx.json`, makeSbom(sbom))
    await putManual(root, 'collector')
    const needs = 'systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles'
    const own = `nodejs (>= ${major(process.version)}), nodejs (<< ${Number(major(process.version)) + 1}~)`
    const depends = runtime ? `libc6 (>= 2.28), libstdc++6, ${needs}` : `libc6 (>= 2.28), libstdc++6, ${own}, ${needs}`
    return makePackage({
      root,
      out,
      source: 'collector',
      name: 'keepseal-collector',
      version,
      architecture: target,
      depends,
      fast,
    })
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

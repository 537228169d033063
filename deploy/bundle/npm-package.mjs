// Files out of packages that npm would not install here, because they are for another processor. Each is fetched by
// npm itself, once, and used only when it has the digest that was pinned.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cacheDirectory = () => join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'keepseal', 'packages')

const digestOf = (path) => `sha512-${createHash('sha512').update(readFileSync(path)).digest('base64')}`

/** The archive of a package, whose digest is `integrity`. Throws where it cannot be had, or is another one. */
function archiveOf({ name, version, integrity }) {
  const cache = cacheDirectory()
  const kept = join(cache, `${name.replace('/', '-')}-${version}.tgz`)
  if (existsSync(kept) && digestOf(kept) === integrity) return kept
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'fetch-'))
  try {
    const printed = execFileSync('npm', ['pack', '--silent', '--pack-destination', work, `${name}@${version}`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: work,
    })
    const fetched = join(work, printed.trim().split('\n').at(-1))
    const digest = digestOf(fetched)
    if (digest !== integrity) throw new Error(`${name}@${version} has the digest ${digest}, and not ${integrity}`)
    renameSync(fetched, kept)
    return kept
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

/** The content of one file of a package. */
export function fileOfPackage(wanted, path) {
  const member = `package/${path}`
  return execFileSync('tar', ['-xzOf', archiveOf(wanted), member], { maxBuffer: 512 * 1024 * 1024 })
}

/** Unpacks `paths` of a package into `directory`. */
export function unpackPackage(wanted, directory, paths) {
  mkdirSync(directory, { recursive: true })
  const members = paths.map((path) => `package/${path}`)
  execFileSync('tar', [
    '-xzf',
    archiveOf(wanted),
    '-C',
    directory,
    '--strip-components=1',
    '--no-same-owner',
    ...members,
  ])
}

/** Version and digest that the lock file has for a package. */
export function lockedPackage(repository, name) {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'))
  const { version, integrity } = packages[`node_modules/${name}`]
  return { name, version, integrity }
}

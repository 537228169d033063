import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** A system as its installer left it, without anything running in it; or why there is none here. */
export type DebianTree = { readonly root: string } | { readonly obstacle: string }

const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'keepseal', 'trees')
const OPTIONS = ['--variant=minbase']
/** Twelve times what it takes on a quick line: beyond that it hangs. */
const TIMEOUT_MS = 360_000

/**
 * The minimal system of `suite`, made once by debootstrap from where this machine's apt takes its packages, and kept.
 * Nothing may change it: see `copyTree`.
 */
export function debianTree(suite: string): DebianTree {
  if (process.getuid?.() !== 0) return { obstacle: 'debootstrap wants to be root' }
  if (spawnSync('debootstrap', ['--version']).error !== undefined) return { obstacle: 'debootstrap is not installed' }
  const mirror = aptMirror()
  if (mirror === undefined) return { obstacle: 'apt has no source here' }
  return kept(`${suite}-${stampOf([suite, mirror, ...OPTIONS])}`, (unfinished) => {
    const made = spawnSync('debootstrap', [...OPTIONS, suite, unfinished, mirror], {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
      env: { ...process.env, LC_ALL: 'C' },
    })
    return made.status === 0 ? undefined : `debootstrap of ${suite}: ${firstError(made.stdout, mirror)}`
  })
}

/** `debianTree` with further packages, which apt installs into a copy of it; kept as well, and not to be changed. */
export function furnishedTree(suite: string, packages: readonly string[]): DebianTree {
  const plain = debianTree(suite)
  if (!('root' in plain)) return plain
  return kept(`${basename(plain.root)}-${stampOf(packages)}`, (unfinished) => {
    copyInto(plain.root, unfinished)
    const names = join(unfinished, 'etc/resolv.conf')
    if (existsSync('/etc/resolv.conf')) copyFileSync('/etc/resolv.conf', names)
    for (const words of [['update'], ['install', '-y', '--no-install-recommends', ...packages]]) {
      const { status, stderr } = spawnSync('chroot', [unfinished, 'apt-get', '-qq', ...words], {
        encoding: 'utf8',
        timeout: TIMEOUT_MS,
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
      })
      if (status !== 0) return `apt-get ${words[0]}: ${firstError(stderr, aptMirror())}`
    }
    rmSync(names, { force: true })
    return undefined
  })
}

const stampOf = (words: readonly string[]): string =>
  createHash('sha256').update(words.join('\n')).digest('hex').slice(0, 12)

/** What apt or debootstrap complained of, without where this machine takes its packages from. */
function firstError(output: string | null, mirror: string | undefined): string {
  const error = /^E: .*$/m.exec(output ?? '')?.[0] ?? 'it took too long, or failed without a word'
  return mirror === undefined ? error : error.replaceAll(mirror, 'the mirror')
}

/** The tree of that name, which `make` fills if there is none yet; or what stood in its way. */
function kept(name: string, make: (unfinished: string) => string | undefined): DebianTree {
  const root = join(CACHE, name)
  if (existsSync(root)) return { root }
  mkdirSync(CACHE, { recursive: true })
  const unfinished = mkdtempSync(join(CACHE, 'unfinished-'))
  const obstacle = make(unfinished)
  if (obstacle !== undefined) {
    rmSync(unfinished, { recursive: true, force: true })
    return { obstacle }
  }
  rmSync(join(unfinished, 'var/cache/apt/archives'), { recursive: true, force: true })
  try {
    renameSync(unfinished, root)
  } catch {
    // Another process was quicker.
    rmSync(unfinished, { recursive: true, force: true })
  }
  return { root }
}

/** The first source of this machine's apt that is no list of security updates alone. */
function aptMirror(): string | undefined {
  const texts = ['/etc/apt', '/etc/apt/sources.list.d'].flatMap((directory) =>
    existsSync(directory)
      ? readdirSync(directory)
          .filter((name) => /\.(?:list|sources)$/.test(name))
          .map((name) => readFileSync(join(directory, name), 'utf8'))
      : [],
  )
  const uris = texts.flatMap((text) => [...text.matchAll(/^(?:URIs: *|deb +(?:\[[^\]]*\] +)?)(\S+)/gm)])
  return uris.map(([, uri]) => uri).find((uri) => uri !== undefined && /\/debian\/?$/.test(uri))
}

/** A copy that may be changed, with modes, owners, links and times as they are. The caller removes it. */
export function copyTree(root: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'keepseal-machine-'))
  copyInto(root, directory)
  return directory
}

function copyInto(root: string, directory: string): void {
  const copied = spawnSync('cp', ['-a', '--reflink=auto', `${root}/.`, directory], { encoding: 'utf8' })
  if (copied.status !== 0) throw new Error(copied.stderr)
}

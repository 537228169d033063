import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

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
  const stamp = createHash('sha256')
    .update([suite, mirror, ...OPTIONS].join('\n'))
    .digest('hex')
    .slice(0, 12)
  const root = join(CACHE, `${suite}-${stamp}`)
  if (existsSync(root)) return { root }
  mkdirSync(CACHE, { recursive: true })
  const unfinished = mkdtempSync(join(CACHE, 'unfinished-'))
  const made = spawnSync('debootstrap', [...OPTIONS, suite, unfinished, mirror], {
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
    env: { ...process.env, LC_ALL: 'C' },
  })
  if (made.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true })
    const [line = 'it took too long'] = (made.stdout ?? '').match(/^E: .*$/m) ?? []
    return { obstacle: `debootstrap of ${suite}: ${line.replaceAll(mirror, 'the mirror')}` }
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
  const copied = spawnSync('cp', ['-a', '--reflink=auto', `${root}/.`, directory], { encoding: 'utf8' })
  if (copied.status !== 0) throw new Error(copied.stderr)
  return directory
}

import { spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { copyTree, debianTree } from './debian-tree.ts'

/** A package that apt would bring to a newer version. */
export interface Upgrade {
  readonly name: string
  readonly installed: string
  readonly candidate: string
}

/** One entry of a changelog (deb-changelog(5)). */
export interface ChangelogEntry {
  readonly source: string
  readonly version: string
  readonly text: string
}

/** A Debian system that has not got its security updates yet; apt and dpkg work in it. */
export class OutdatedTree {
  readonly root: string

  private constructor(root: string) {
    this.root = root
  }

  /** Or why there is none here. */
  static make(suite: string): OutdatedTree | { readonly obstacle: string } {
    const tree = debianTree(suite)
    if (!('root' in tree)) return tree
    const made = new OutdatedTree(copyTree(tree.root))
    const obstacle = made.#knowUpdates()
    if (obstacle === undefined) return made
    made.remove()
    return { obstacle }
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  run(...command: readonly string[]): string {
    const { status, stdout, stderr } = this.#chroot(command)
    if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr.slice(-500)}`)
    return stdout
  }

  /** What `apt-get upgrade` would do, by what it says itself. */
  upgrades(...options: readonly string[]): readonly Upgrade[] {
    const lines = this.run('apt-get', '-s', ...options, 'upgrade').matchAll(/^Inst (\S+) \[(\S+)\] \((\S+) /gm)
    return [...lines].map(([, name = '', installed = '', candidate = '']) => ({ name, installed, candidate }))
  }

  upgrade(): void {
    this.run('apt-get', '-y', '-qq', '-o', 'Dpkg::Options::=--force-confold', 'upgrade')
  }

  /** What the candidate's maintainers wrote, newest first, from the package itself. */
  changelogOf({ name, candidate }: Upgrade): readonly ChangelogEntry[] {
    const directory = `/root/changelogs/${name}`
    mkdirSync(join(this.root, directory), { recursive: true })
    const fetch = `cd ${directory} && apt-get -qq download ${name}=${candidate} && dpkg-deb -x *.deb .`
    this.run('sh', '-c', fetch)
    const documents = join(this.root, directory, 'usr/share/doc')
    const files = readdirSync(documents, { recursive: true, encoding: 'utf8' })
    // A native package has no changelog but its own.
    const file = ['changelog.Debian.gz', 'changelog.gz']
      .flatMap((wanted) => files.filter((each) => each.endsWith(`/${wanted}`)))
      .find((each) => existsSync(join(documents, each)))
    if (file === undefined) return []
    return entriesOf(gunzipSync(readFileSync(join(documents, file))).toString('utf8'))
  }

  #chroot(command: readonly string[]) {
    return spawnSync('chroot', [this.root, ...command], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      timeout: 240_000,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive', HOME: '/root' },
    })
  }

  #knowUpdates(): string | undefined {
    if (existsSync('/etc/resolv.conf')) copyFileSync('/etc/resolv.conf', join(this.root, 'etc/resolv.conf'))
    const codename = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync(join(this.root, 'etc/os-release'), 'utf8'))?.[1]
    const sources = join(this.root, 'etc/apt/sources.list')
    const mirror = /^deb (\S+?)\/debian\/? /m.exec(readFileSync(sources, 'utf8'))?.[1]
    if (codename === undefined || mirror === undefined) return 'its sources are not of the usual form'
    appendFileSync(sources, `deb ${mirror}/debian-security ${codename}-security main\n`)
    const { status } = this.#chroot(['apt-get', 'update', '-qq'])
    if (status !== 0) return 'apt cannot read the security updates'
    return this.upgrades().length === 0 ? 'nothing in it is out of date' : undefined
  }
}

function entriesOf(text: string): readonly ChangelogEntry[] {
  const entries: ChangelogEntry[] = []
  for (const part of text.split(/^(?=[a-z0-9][a-z0-9+.-]* \([^)]+\) )/m)) {
    const [, source, version] = /^(\S+) \(([^)]+)\)/.exec(part) ?? []
    if (source !== undefined && version !== undefined) entries.push({ source, version, text: part })
  }
  return entries
}

// A binary package from a tree of files, by dpkg-deb: the same tree gives the same bytes.
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { repository } from '../bundle/build-agent.mjs'
import { manualFiles } from '../manual/make.mjs'

/** Of the package's contents, whenever it is made: 2026-11-26. */
const SOURCE_DATE = 1_795_651_200
const RELEASE_DATE = '2026-11-26'
const CHANGELOG_DATE = 'Thu, 26 Nov 2026 00:00:00 +0000'

/** Puts a file there, with exactly this mode, whatever the umask of who builds. */
export function put(root, path, content, mode = 0o644) {
  const target = join(root, path)
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, content)
  chmodSync(target, mode)
}

export const putFile = (root, path, source, mode) => put(root, path, readFileSync(join(repository, source)), mode)

/** What is started by its name; npm packages mark much more as executable. */
const STARTED = /^usr\/s?bin\/|^usr\/lib\/[^/]+\/(node|backup)$/

/** Directories and files as everybody may see them, without the umask of who builds. */
function setModes(root, directory = '') {
  chmodSync(join(root, directory), 0o755)
  for (const entry of readdirSync(join(root, directory), { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) setModes(root, path)
    else if (entry.isFile()) chmodSync(join(root, path), STARTED.test(path) ? 0o755 : 0o644)
  }
}

/** KiB on disk, as dpkg-gencontrol counts: each file rounded up, each directory one. */
function installedSize(directory) {
  return readdirSync(directory).reduce((sum, name) => {
    const entry = lstatSync(join(directory, name))
    if (entry.isDirectory()) return sum + 1 + installedSize(join(directory, name))
    return sum + (entry.isFile() ? Math.ceil(entry.size / 1024) : 1)
  }, 0)
}

function documentation(root, name, version, source) {
  const doc = `usr/share/doc/${name}`
  const changelog = `${name} (${version}) stable; urgency=medium

  * See the project's own history.

 -- Keepseal <packages@keepseal.invalid>  ${CHANGELOG_DATE}
`
  // The header of gzip has no time and no name in it here.
  put(root, `${doc}/changelog.gz`, gzipSync(changelog, { level: 9 }))
  putFile(root, `${doc}/copyright`, `${source}/copyright`)
  putFile(root, `usr/share/lintian/overrides/${name}`, `${source}/lintian-overrides`)
}

function md5sums(root) {
  const files = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('/DEBIAN'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.startsWith('etc/'))
    .sort()
  return execFileSync('md5sum', ['--', ...files], { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
}

/**
 * Makes `out`/NAME_VERSION_ARCHITECTURE.deb of the files in `root`, with control files from deploy/deb/SOURCE. `fast`:
 * for tests, larger.
 */
export function makePackage({ root, out, source, name, version, architecture, depends, fast = false }) {
  const folder = `deploy/deb/${source}`
  documentation(root, name, version, folder)
  setModes(root)
  const size = installedSize(root)
  const values = { VERSION: version, ARCHITECTURE: architecture, INSTALLED_SIZE: String(size), DEPENDS: depends }
  const control = readFileSync(join(repository, folder, 'control'), 'utf8')
  put(
    root,
    'DEBIAN/control',
    control.replaceAll(/@([A-Z_]+)@/g, (_, key) => values[key]),
  )
  putFile(root, 'DEBIAN/conffiles', `${folder}/conffiles`)
  for (const script of ['postinst', 'prerm', 'postrm']) putFile(root, `DEBIAN/${script}`, `${folder}/${script}`, 0o755)
  put(root, 'DEBIAN/md5sums', md5sums(root))
  chmodSync(join(root, 'DEBIAN'), 0o755)
  if (!existsSync(out)) mkdirSync(out, { recursive: true })
  const file = join(out, `${name}_${version}_${architecture}.deb`)
  const compression = fast ? ['-Zgzip', '-z1'] : ['-Zxz']
  execFileSync('dpkg-deb', ['--root-owner-group', ...compression, '--build', root, file], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, SOURCE_DATE_EPOCH: String(SOURCE_DATE) },
  })
  return file
}

/** A command that runs a program of JavaScript with the package's own Node. */
export const launcher = (node, flags, program) => `#!/bin/sh\nexec ${[node, ...flags, program].join(' ')} "$@"\n`

export function putUnits(root, units) {
  for (const unit of units) putFile(root, `lib/systemd/system/${unit}`, `deploy/systemd/${unit}`)
}

/** Manual pages, and completion for shells: what the command tables of the package's programs say. */
export async function putManual(root, name) {
  for (const { path, content } of await manualFiles(name, RELEASE_DATE)) {
    if (path.startsWith('usr/share/man/')) put(root, `${path}.gz`, gzipSync(content, { level: 9 }))
    else put(root, path, content)
  }
}

export function copyTo(root, path, source, mode) {
  const target = join(root, path)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(source, target)
  chmodSync(target, mode)
}

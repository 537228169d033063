// Brings a fresh machine to the point where the project builds and runs. Uses nothing but Node itself, because it
// runs before any package is installed. Each step is skipped when its result is there already.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { aptCommand, hasApt, missingSystemPackages } from './system-packages.mjs'

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

const MINIMUM_NODE = [20, 19]
/** The embedded database ends newer ones: collector/store/sqlite-runtime.ts. */
const NEWEST_MAJOR = 22
const say = (text) => process.stdout.write(`${text}\n`)

/** Runs a command to its end; a line of progress every ten seconds tells that it is alive. */
function run(title, command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const started = Date.now()
    const child = spawn(command, args, { cwd: repository, stdio: ['ignore', 'pipe', 'pipe'], ...options })
    const output = []
    child.stdout.on('data', (chunk) => output.push(chunk))
    child.stderr.on('data', (chunk) => output.push(chunk))
    const progress = setInterval(() => say(`  ${title} … ${Math.round((Date.now() - started) / 1000)} s`), 10_000)
    child.once('error', (error) => {
      clearInterval(progress)
      reject(error)
    })
    child.once('close', (code) => {
      clearInterval(progress)
      if (code === 0) return resolve(Date.now() - started)
      say(Buffer.concat(output).toString('utf8').split('\n').slice(-30).join('\n'))
      reject(new Error(`${command} ${args.join(' ')} ended with exit code ${code}`))
    })
  })
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  const isOld = major < MINIMUM_NODE[0] || (major === MINIMUM_NODE[0] && minor < MINIMUM_NODE[1])
  if (!isOld && major <= NEWEST_MAJOR) return
  say(`Keepseal needs Node.js ${MINIMUM_NODE.join('.')} to ${NEWEST_MAJOR}, this is ${process.versions.node}.`)
  say(`  next: install Node.js ${NEWEST_MAJOR} and run the command again`)
  process.exit(2)
}

const SERVICE_POLICY = '/usr/sbin/policy-rc.d'

/**
 * While it runs, packages that are installed start none of their services: the tests want the programs of sshd or
 * PostgreSQL, and start their own. invoke-rc.d(8).
 */
async function withoutServices(action) {
  if (existsSync(SERVICE_POLICY)) return action()
  writeFileSync(SERVICE_POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return await action()
  } finally {
    rmSync(SERVICE_POLICY)
  }
}

/** Installs what is missing as root on a Debian-like system; elsewhere prints the command and goes on. */
async function installSystemPackages(purposes) {
  const missing = missingSystemPackages(purposes)
  if (missing.length === 0) return
  const names = missing.map((entry) => entry.name).join(', ')
  if (!hasApt() || process.getuid?.() !== 0) {
    say(`Not installed: ${names}. What needs them is left out. As root:`)
    say(`  ${hasApt() ? aptCommand(missing).join(' ') : `install ${names} with this system's package manager`}`)
    return
  }
  say(`Installing ${names}`)
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  try {
    // First the lists: package names differ between Debian releases, and a fresh machine has no lists yet.
    await run('package lists', 'apt-get', ['update'], options)
    const [command, ...args] = aptCommand(missing)
    await withoutServices(() => run('system packages', command, args, options))
  } catch (error) {
    say(`  ${error.message}; going on without them`)
  }
}

/** better-sqlite3 takes two minutes to compile: its addon is kept per (version, Node ABI, platform). */
function addonCache() {
  const lock = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'))
  const version = lock.packages['node_modules/better-sqlite3'].version
  const name = `better-sqlite3-${version}-abi${process.versions.modules}-${process.platform}-${process.arch}.node`
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
  return {
    cached: join(cache, 'keepseal', name),
    installed: join(repository, 'node_modules', 'better-sqlite3', 'build', 'Release', 'better_sqlite3.node'),
  }
}

/** True when the addon at `path` loads in this Node: a cache entry from another C library must not be trusted. */
function loads(path) {
  const probe = spawnSync(process.execPath, ['-e', `process.dlopen({exports:{}}, ${JSON.stringify(path)})`])
  return probe.status === 0
}

async function installNpmPackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(repository, 'package-lock.json')))
    .update(`${process.versions.modules} ${process.platform} ${process.arch}`)
    .digest('hex')
  const stamp = join(repository, 'node_modules', '.keepseal-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const { cached, installed } = addonCache()
  if (existsSync(cached) && loads(cached)) {
    say('Installing npm packages')
    await run('npm packages', 'npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'])
    mkdirSync(dirname(installed), { recursive: true })
    copyFileSync(cached, installed)
  } else {
    say('Installing npm packages; compiling the SQLite addon takes about two minutes, once')
    await run('npm packages', 'npm', ['ci', '--no-audit', '--no-fund'])
    mkdirSync(dirname(cached), { recursive: true })
    copyFileSync(installed, `${cached}.${process.pid}`)
    renameSync(`${cached}.${process.pid}`, cached)
  }
  writeFileSync(stamp, wanted)
}

async function build() {
  await run('compiling', process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc'), '-b'])
  await run('building the pages', process.execPath, [join('deploy', 'bundle', 'build-web.mjs')])
}

/** `purposes`: of 'preview', 'test' and 'bench', which decide the system packages that are wanted. */
export async function prepare(purposes) {
  checkNode()
  await installSystemPackages(purposes)
  await installNpmPackages()
  await build()
}

/** Runs the preparation and ends the process with a plain message when it fails. */
export async function prepareOrExit(...purposes) {
  try {
    await prepare(purposes)
  } catch (error) {
    say(`The preparation failed: ${error.message}`)
    process.exit(70)
  }
}

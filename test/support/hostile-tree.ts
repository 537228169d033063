import { closeSync, lstatSync, mkdirSync, openSync, rmSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { createHost } from '../../agent/sensors/host.ts'
import { measureAll } from '../../agent/sensors/registry.ts'
import { socketTable } from './proc-net.ts'
import { vanishingHost, watchedHost, type Asked } from './watched-host.ts'

export const SOCKETS = 60_000
const SOURCE_LINES = 10_000
const STATUS_BYTES = 50 * 1024 * 1024
const ENTRIES = 100_000

const FIRST_PID = 1
const OTHERS = 40

/** Newline, escape, a byte that is no UTF-8, a direction override, and a backslash, as a byte string. */
const EVIL_NAME = 'a\n\u001b[31m\u00ff\u00e2\u0080\u00aeb\\c'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

/** Writes into `root` a system that does all it can to be measured wrongly, slowly or not at all. */
export function writeHostileTree(root: string): void {
  const write = (path: string, content: string | Uint8Array): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  write('etc/os-release', bytes(`ID=debian\nNAME="${EVIL_NAME.replaceAll('\n', '')}"\nVERSION_ID=12\n`))
  write('etc/apt/sources.list', sourceLines())
  write('proc/cmdline', bytes(`ro ${EVIL_NAME} ${'x'.repeat(4000)}`))
  write('proc/version', bytes(EVIL_NAME))
  write('proc/uptime', '1.00 1.00\n')
  write('proc/sys/kernel/random/boot_id', '11111111-1111-1111-1111-111111111111\n')
  write('proc/sys/kernel/osrelease', bytes(EVIL_NAME))
  write('proc/net/udp', `${'x'.repeat(100)}\n${socketTable([])}`)
  write('var/lib/dpkg/status', '')
  writeStatus(join(root, 'var/lib/dpkg/status'))
  writeManySockets(root)
}

/** A system with sixty thousand sockets, which forty processes hold. */
export function writeManySockets(root: string): void {
  mkdirSync(join(root, 'proc', 'net'), { recursive: true })
  writeFileSync(join(root, 'proc', 'net', 'tcp'), tcpTable())
  writeProcesses(root)
}

/** Half of them listen on ports of their own, and each has an owner. */
const tcpTable = (): string =>
  socketTable(
    Array.from({ length: SOCKETS }, (_, index) => ({
      local: `${(index + 0x0100_0000).toString(16).padStart(8, '0').toUpperCase()}:${(index % 30_000).toString(16).padStart(4, '0').toUpperCase()}`,
      state: index % 2 === 0 ? '0A' : '01',
      inode: 100_000 + index,
    })),
  )

const sourceLines = (): string =>
  Array.from({ length: SOURCE_LINES }, (_, index) =>
    index % 100 === 0 ? `deb [trusted=yes ${'['.repeat(50)}\n` : `deb http://mirror-${index}.example stable main\n`,
  ).join('')

/** Ends in the middle of a record. */
function writeStatus(path: string): void {
  const file = openSync(path, 'w')
  let size = 0
  for (let number = 0; size < STATUS_BYTES;) {
    let part = ''
    for (let end = number + 1000; number < end; number++) {
      part += `Package: package-${number}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\nDescription: x\n\n`
    }
    size += writeSync(file, part.slice(0, STATUS_BYTES - size))
  }
  closeSync(file)
}

function writeProcesses(root: string): void {
  for (let pid = FIRST_PID; pid < FIRST_PID + OTHERS; pid++) {
    const directory = join(root, 'proc', String(pid))
    mkdirSync(join(directory, 'fd'), { recursive: true })
    symlinkSync(bytes(`/usr/bin/${EVIL_NAME}-${pid} (deleted)`), join(directory, 'exe'))
    writeFileSync(join(directory, 'comm'), bytes(`${EVIL_NAME}\n`))
    writeFileSync(join(directory, 'cmdline'), bytes(`${EVIL_NAME}\0`))
    writeFileSync(join(directory, 'stat'), bytes(`${pid} (${EVIL_NAME}) ) S 1`))
    writeFileSync(join(directory, 'maps'), bytes(`1-2 r-xp 0 08:01 42 /usr/lib/${EVIL_NAME} (deleted)\n`))
  }
  for (let index = 0; index < SOCKETS; index++) {
    symlinkSync(
      `socket:[${100_000 + index}]`,
      join(root, 'proc', String(FIRST_PID + (index % OTHERS)), 'fd', String(index)),
    )
  }
}

/** Every directory that any sensor lists on this system, as it is now. Single processes are left out: they take long. */
async function listedDirectories(root: string): Promise<readonly string[]> {
  const found = new Set<string>()
  const host = vanishingHost(createHost({ root, byteOrder: 'LE' }), /^\/proc\/\d+\//)
  const told = ({ action, path }: Asked): void => {
    if (action === 'readDirectory' || action === 'readEntries') found.add(path)
  }
  await measureAll(watchedHost(host, told))
  return [...found].filter((path) => !/^\/proc\/\d/.test(path))
}

/**
 * Puts links that lead to themselves, to each other and above the root into every directory that a sensor lists, also
 * into those that it lists because of the first ones.
 */
export async function plantLoops(root: string): Promise<number> {
  const planted = new Set<string>()
  for (let round = 0; round < 2; round++) {
    for (const directory of [...(await listedDirectories(root)), '/proc/1', '/proc/1/fd']) {
      const at = insideOf(root, directory)
      if (at === undefined || planted.has(at)) continue
      planted.add(at)
      mkdirSync(at, { recursive: true })
      for (const [name, target] of Object.entries(LINKS)) {
        if (lstatSync(join(at, name), { throwIfNoEntry: false }) === undefined) symlinkSync(target, join(at, name))
      }
    }
  }
  return planted.size
}

const LINKS = {
  loop: 'loop',
  'loop.list': 'loop.conf',
  'loop.conf': 'loop.list',
  up: '../../../../../..',
  'here.d': '.',
} as const

/** Makes every directory that a sensor lists, but for /proc, one of a hundred thousand files, and /proc one of processes. */
export async function fillDirectories(root: string): Promise<number> {
  const big = join(root, 'big')
  mkdirSync(big)
  for (let index = 0; index < ENTRIES; index++) writeFileSync(join(big, `${index}.list`), '')
  for (let pid = 100_000; pid < 100_000 + ENTRIES; pid++) mkdirSync(join(root, 'proc', String(pid)))
  let filled = 0
  // The deepest first: what lies above becomes a link only when all below is done.
  const byDepth = [...(await listedDirectories(root))].sort((a, b) => b.split('/').length - a.split('/').length)
  for (const directory of byDepth) {
    const at = insideOf(root, directory)
    if (at === undefined || directory.startsWith('/proc') || at === root) continue
    rmSync(at, { recursive: true, force: true })
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync('/big', at)
    filled++
  }
  return filled
}

/** Where the directory is to be made. Undefined if a link is on the way, which could lead out of the tree. */
function insideOf(root: string, directory: string): string | undefined {
  let at = root
  for (const name of directory.split('/').filter((part) => part !== '')) {
    at = join(at, name)
    const stats = lstatSync(at, { throwIfNoEntry: false })
    if (stats !== undefined && !stats.isDirectory()) return undefined
  }
  return at.startsWith(root) ? at : undefined
}

import type { TimeServer } from '../../../shared/posture/sections/operations.ts'
import { printableWord } from '../text.ts'
import { redactAddress } from '../update-channel/address.ts'
import { linesOf, wordsOf, type Configuration } from './configuration.ts'

const FILES = ['/etc/chrony/chrony.conf', '/etc/chrony.conf'] as const
const MAX_FILES = 64

const KINDS: Readonly<Record<string, TimeServer['kind']>> = {
  server: 'server',
  pool: 'pool',
  peer: 'peer',
  refclock: 'reference-clock',
}

/** What chrony.conf(5) says: sources, and where more is to be read. */
export interface ChronyFile {
  readonly servers: readonly TimeServer[]
  /** Other files; with a wildcard only in the ending, as `include /etc/chrony.d/*.conf`. */
  readonly includes: readonly string[]
  /** Directories of files that end in .conf, and in .sources. */
  readonly directories: readonly (readonly [path: string, ending: string])[]
}

/** Directives are not case-sensitive; a comment begins with one of four characters. */
export function parseChrony(text: string): ChronyFile {
  const servers: TimeServer[] = []
  const includes: string[] = []
  const directories: [string, string][] = []
  for (const line of linesOf(text, /^[#!;%]/)) {
    const [keyword = '', ...words] = wordsOf(line)
    const directive = keyword.toLowerCase()
    const [first] = words
    if (first === undefined) continue
    if (Object.hasOwn(KINDS, directive)) servers.push(source(KINDS[directive] as TimeServer['kind'], words))
    else if (directive === 'include') includes.push(first)
    else if (directive === 'confdir') directories.push(...words.map((path) => [path, '.conf'] as [string, string]))
    else if (directive === 'sourcedir') directories.push(...words.map((path) => [path, '.sources'] as [string, string]))
  }
  return { servers, includes, directories }
}

function source(kind: TimeServer['kind'], words: readonly string[]): TimeServer {
  const [address = ''] = words
  // A reference clock is told by its driver and what that is given: `refclock PPS /dev/pps0`.
  const shown = kind === 'reference-clock' ? printableWord(words.slice(0, 2).join(':'), 512) : redactAddress(address)
  return { service: 'chrony', kind, address: shown, nts: words.slice(1).some((word) => word.toLowerCase() === 'nts') }
}

/** What DHCP names is in /run, and differs from unit to unit. */
const isOfUnit = (path: string): boolean => path.startsWith('/run/') || path.startsWith('/var/run/')

export function readChrony(files: Configuration): readonly TimeServer[] {
  const pending: string[] = FILES.filter((path) => files.host.stat(path).status !== 'absent')
  const seen = new Set<string>()
  const servers: TimeServer[] = []
  for (let path = pending.shift(); path !== undefined; path = pending.shift()) {
    if (seen.has(path) || isOfUnit(path)) continue
    if (seen.size >= MAX_FILES) {
      files.truncated = true
      break
    }
    seen.add(path)
    const found = parseChrony(files.find(path) ?? '')
    servers.push(...found.servers)
    pending.push(...found.includes.flatMap((one) => files.expand(one)))
    for (const [directory, ending] of found.directories) {
      if (!isOfUnit(`${directory}/`)) pending.push(...files.parts(directory, ending))
    }
  }
  return servers
}

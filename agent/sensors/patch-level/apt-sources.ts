import { MAX_SOURCES } from '../../../shared/posture/sections/update-channel.ts'
import { ChannelFiles } from '../update-channel/files.ts'
import type { SourceEntry } from '../apt/source.ts'
import { parseDeb822Sources, parseOneLineSources } from '../apt/sources-list.ts'
import type { Host } from '../host.ts'

/** One component of an enabled source of binary packages, by the names of the files that apt downloads for it. */
export interface EnabledList {
  /** Beginning of the names of its lists; what follows is the architecture, or nothing in a flat archive. */
  readonly prefix: string
  /** Beginning of the names of its release file: InRelease or Release follow. */
  readonly release: string
}

/** sources.list(5): files that apt takes notice of. */
const SOURCE_NAME = /^[A-Za-z0-9._-]+\.(?:list|sources)$/
const ETC = '/etc/apt'

/** Paths of all sources, or undefined if they cannot be listed. */
export function sourceFiles(host: Host): string[] | undefined {
  const files = new ChannelFiles(host)
  const parts = files.parts(`${ETC}/sources.list.d`, SOURCE_NAME)
  return files.unreadable.length > 0 ? undefined : [`${ETC}/sources.list`, ...parts]
}

export interface EnabledLists {
  readonly lists: readonly EnabledList[]
  /** Lists beyond the bound. */
  readonly beyond: number
  /** A file of sources is there and could not be read: what its lists are is not known. */
  readonly isPartial: boolean
}

export function enabledLists(host: Host, paths: readonly string[], architecture: string): EnabledLists {
  const files = new ChannelFiles(host)
  const lists = new Map<string, EnabledList>()
  for (const path of paths) {
    const parse = path.endsWith('.sources') ? parseDeb822Sources : parseOneLineSources
    for (const entry of parse(files.text(path)).entries) {
      for (const list of listsOf(entry, architecture)) lists.set(list.prefix, list)
    }
  }
  return {
    lists: [...lists.values()].slice(0, MAX_SOURCES),
    beyond: Math.max(0, lists.size - MAX_SOURCES),
    isPartial: files.unreadable.length > 0,
  }
}

function* listsOf({ types, uris, suites, components }: SourceEntry, architecture: string): Generator<EnabledList> {
  if (!types.includes('deb')) return
  for (const uri of uris) {
    for (const suiteText of suites) {
      const base = uri.endsWith('/') ? uri : `${uri}/`
      // sources.list(5), $(ARCH).
      const suite = suiteText.replaceAll('$(ARCH)', architecture)
      if (suite.endsWith('/')) {
        const release = listName(base + (suite === '/' ? '' : suite))
        yield { prefix: `${release}Packages`, release }
        continue
      }
      const release = listName(`${base}dists/${suite}/`)
      for (const component of components) {
        yield { prefix: `${release}${listName(`${component}/`)}binary-`, release }
      }
    }
  }
}

const SPECIAL = '\\|{}[]<>"^~_=!@#$%^&*'

/** How apt makes a file name of a URI (apt-pkg, URItoFileName): without scheme and user, slashes as underscores. */
function listName(uri: string): string {
  const [, authority = '', path = ''] = /^[A-Za-z0-9+.-]+:(?:\/\/([^/]*))?(.*)$/s.exec(uri) ?? ['', '', uri]
  const host = authority.slice(authority.lastIndexOf('@') + 1)
  let name = ''
  for (const character of host + path) {
    const code = character.charCodeAt(0)
    const isPlain = code > 0x20 && code < 0x7f && !SPECIAL.includes(character)
    name += isPlain ? character : `%${code.toString(16).padStart(2, '0')}`
  }
  return name.replaceAll('/', '_')
}

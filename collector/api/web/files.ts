import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'

/** One built file, in memory with what was made of it ahead. */
export interface WebFile {
  readonly type: string
  readonly etag: string
  readonly raw: Buffer
  /** By content coding (RFC 9110 section 8.4.1); the build leaves out what would not be smaller. */
  readonly encoded: Readonly<Partial<Record<'br' | 'gzip', Buffer>>>
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * Everything that the build has made, by its path: what is not in here is not served, whatever a request says. Empty
 * where nothing was built.
 */
function readWebFiles(directory: string): ReadonlyMap<string, WebFile> {
  const files = new Map<string, WebFile>()
  if (!existsSync(directory)) return files
  for (const path of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const type = TYPES[extname(path)]
    if (type === undefined) continue
    const raw = readFileSync(join(directory, path))
    const etag = `"${createHash('sha256').update(raw).digest('base64url').slice(0, 22)}"`
    const read = (suffix: string): Buffer | undefined =>
      existsSync(join(directory, path + suffix)) ? readFileSync(join(directory, path + suffix)) : undefined
    const [br, gzip] = [read('.br'), read('.gz')]
    files.set(`/${path}`, { type, etag, raw, encoded: { ...(br && { br }), ...(gzip && { gzip }) } })
  }
  return files
}

/** Where the build puts the pages: dist/web, which is beside the compiled programs. */
const BUILT = [['web'], ['dist', 'web']].map((path) => join(import.meta.dirname, '..', '..', '..', ...path))

/** `directory`: where they are, if not where the build puts them. */
export function findWebFiles(directory?: string): ReadonlyMap<string, WebFile> {
  const candidates = directory === undefined ? BUILT : [directory]
  return candidates.map(readWebFiles).find((each) => each.size > 0) ?? new Map<string, WebFile>()
}

/** Path of a script whose name in the build is this one; undefined where nothing was built. */
export const scriptNamed = (files: ReadonlyMap<string, WebFile>, name: string): string | undefined =>
  [...files.keys()].find((path) => path.startsWith(`/assets/${name}-`) && path.endsWith('.js'))

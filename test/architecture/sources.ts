import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The sources as text: which files there are, and what imports what. Paths are relative to the repository. */

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** All source files below a folder, sorted. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(tsx?|mjs)$/.test(file))
    .map((file) => join(folder, file))
    .sort()
}

export const readSource = (file: string): string => readFileSync(join(repository, file), 'utf8')

/** Without comments, as far as lines tell: those that begin as one, and what follows `// ` on a line of code. */
export function codeOf(source: string): string {
  return source
    .split('\n')
    .map((line) => (/^\s*(\/\/|\/\*|\*)/.test(line) ? '' : line.replace(/\s\/\/\s.*$/, '')))
    .join('\n')
}

export interface Import {
  /** A path relative to the repository for a file of this project, else the name as it is written. */
  readonly target: string
  readonly isFile: boolean
  /** Gone after compilation. */
  readonly typeOnly: boolean
}

const FROM =
  /^(?:import|export)\s+(type\s+)?(?:[\w$]+\s*,?\s*)?(?:\*\s*(?:as\s+[\w$]+)?|\{[^{}]*\})?\s*from\s+'([^']+)'/gm
const BARE = /^import\s+()'([^']+)'/gm
const DYNAMIC = /(typeof\s+)?\bimport\(\s*'([^']+)'\s*\)/g
/** What a program opens or starts by its place beside itself. */
const BESIDE = /()\bnew URL\(\s*'([^':]+)',\s*import\.meta\.url\s*\)/g

export function importsOf(file: string, source: string = readSource(file)): Import[] {
  const code = codeOf(source)
  return [FROM, BARE, DYNAMIC, BESIDE].flatMap((pattern) =>
    [...code.matchAll(pattern)].map((match): Import => {
      const [, type, specifier = ''] = match
      const isFile = specifier.startsWith('.') || pattern === BESIDE
      const place = isFile ? relative(repository, resolve(repository, dirname(file), specifier)) : specifier
      const source = place.replace(/\.js$/, '.ts')
      // What is started when it is compiled has the name that it has then.
      const target = pattern === BESIDE && existsSync(join(repository, source)) ? source : place
      return { target, isFile, typeOnly: type !== undefined && type !== '' }
    }),
  )
}

/** Every file that `roots` lead to, the roots included. Throws where an import leads to no file. */
export function reachable(roots: readonly string[], follow: (found: Import) => boolean = () => true): Set<string> {
  const seen = new Set<string>()
  const waiting = [...roots]
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (seen.has(file)) continue
    if (!existsSync(join(repository, file))) throw new Error(`${file} does not exist`)
    seen.add(file)
    if (!/\.(tsx?|mjs)$/.test(file)) continue
    for (const found of importsOf(file)) if (found.isFile && follow(found)) waiting.push(found.target)
  }
  return seen
}

/** The package of an import that is neither a file nor part of Node. */
export function packageOf({ target, isFile }: Import): string | undefined {
  if (isFile || target.startsWith('node:')) return undefined
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/')
}

interface Manifest {
  readonly version: string
  readonly bin: Readonly<Record<string, string>>
}

export const manifest = JSON.parse(readSource('package.json')) as Manifest

/** The sources of the programs that package.json installs. */
export const programs = Object.values(manifest.bin).map((path) => path.replace(/^dist\//, '').replace(/\.js$/, '.ts'))

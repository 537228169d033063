// The dashboard, for the collector to serve: dist/web, with the digest of its content in each name, and compressed ahead.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'vite'

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const COMPRESSED = ['.js', '.css', '.svg', '.html']
const SMALLEST = 512

/**
 * cbor-x finds out whether it may make functions of text, by trying. It may not under the policy of the pages, which
 * would tell of it each time.
 */
const withoutEval = {
  name: 'without-eval',
  transform(code, id) {
    if (!/[\\/]cbor-x[\\/]/.test(id) || !code.includes("new Function('')")) return undefined
    return { code: code.replace("new Function('')", "throw new Error('no eval')"), map: null }
  },
}

/** Builds into `directory`, in place of what was there. Sources maps are left out: the sources are in the repository. */
export async function buildWeb(directory = join(repository, 'dist', 'web')) {
  await build({
    configFile: false,
    root: join(repository, 'collector', 'web'),
    base: '/',
    logLevel: 'warn',
    plugins: [withoutEval],
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: directory,
      emptyOutDir: true,
      target: 'es2022',
      // Nothing inline: the policy of the pages allows no such thing.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: {
        input: {
          index: join(repository, 'collector', 'web', 'index.html'),
          verify: join(repository, 'collector', 'web', 'verify', 'main.ts'),
        },
      },
    },
  })
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    const path = join(directory, file)
    if (!COMPRESSED.includes(extname(file)) || statSync(path).size < SMALLEST) continue
    const raw = readFileSync(path)
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length } }
    writeFileSync(`${path}.br`, brotliCompressSync(raw, quality))
    writeFileSync(`${path}.gz`, gzipSync(raw, { level: 9 }))
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildWeb()

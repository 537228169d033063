import { join } from 'node:path'
import { build } from 'esbuild'

/**
 * Bundles a TypeScript file into one that Node runs by itself, as the agent is shipped: for tests that need a process
 * of their own. Returns the path of the bundle in `directory`.
 */
export async function bundle(entry: URL, directory: string): Promise<string> {
  const outfile = join(directory, 'bundle.mjs')
  await build({
    entryPoints: [entry.pathname],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    logLevel: 'error',
    external: ['koffi'],
    banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  })
  return outfile
}

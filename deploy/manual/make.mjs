// Manual pages and completions, out of the sources as they are: nothing of it is kept that could differ from them.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { repository } from '../bundle/build-agent.mjs'

/** Files of the package `name`, agent or collector: `{ path, content }`, of the release of `date`. */
export async function manualFiles(name, date) {
  // Within the repository, so that the packages that the programs use are found from there.
  const parent = join(repository, '.cache')
  mkdirSync(parent, { recursive: true })
  const directory = mkdtempSync(join(parent, 'manual-'))
  try {
    const outfile = join(directory, 'manual.mjs')
    await build({
      absWorkingDir: repository,
      entryPoints: ['deploy/manual/main.ts'],
      outfile,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'warning',
    })
    const { agentFiles, collectorFiles } = await import(pathToFileURL(outfile).href)
    return name === 'agent' ? agentFiles(date) : collectorFiles(date)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

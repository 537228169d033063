// `npm run build:artefact -- [--target NAME] [--runtime] [--key PRIVATE-KEY.pem] [--out DIRECTORY]`: the agent as it is
// handed to who builds an image, for any target on any machine. The same source gives the same bytes: nothing in it
// tells when, where or by whom it was made.
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildAgent, repository } from './build-agent.mjs'
import { fileOfPackage, lockedPackage } from './npm-package.mjs'
import { lockKeysOf, makeSbom } from './sbom.mjs'
import { signArtefact, writeSums } from './sign.mjs'
import { ownTarget, RUNTIME_VERSION, targetOf } from './targets.mjs'

const versionOf = (root) => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version

/** Writes the artefact into `directory`, in place of what was there. `runtime`: with Node of its own. */
export async function makeArtefact(directory, { target, runtime = false, key } = {}) {
  const { platform, runtime: node } = targetOf(target)
  if (runtime && node === undefined)
    throw new Error(`npm has no Node for ${target} that is new enough: use the system's`)
  const metafiles = await buildAgent(directory, { target })
  const version = versionOf(repository)
  const runtimePackage = runtime ? { ...node, version: RUNTIME_VERSION, license: 'MIT' } : undefined
  if (runtimePackage !== undefined) {
    writeFileSync(join(directory, 'node'), fileOfPackage(runtimePackage, 'bin/node'), { mode: 0o755 })
    writeFileSync(join(directory, 'node.LICENSE'), fileOfPackage(runtimePackage, 'LICENSE'))
  }
  const sbom = makeSbom({
    repository,
    name: 'keepseal-agent',
    version,
    lockKeys: lockKeysOf(Object.values(metafiles)),
    native: platform === undefined ? [] : [lockedPackage(repository, `@koromix/koffi-${platform}`)],
    runtime: runtimePackage,
  })
  writeFileSync(join(directory, 'sbom.cdx.json'), sbom)
  writeFileSync(join(directory, 'TARGET'), `keepseal-agent ${version} ${target}${runtime ? ' with runtime' : ''}\n`)
  writeSums(directory)
  if (key !== undefined) signArtefact(directory, key)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    const { values } = parseArgs({
      options: {
        target: { type: 'string', default: ownTarget() },
        runtime: { type: 'boolean', default: false },
        key: { type: 'string' },
        out: { type: 'string' },
      },
    })
    const { target, runtime, key } = values
    const name = `keepseal-agent-${versionOf(repository)}-${target}${runtime ? '-runtime' : ''}`
    const directory = values.out ?? join(repository, 'dist', 'artefact', name)
    mkdirSync(directory, { recursive: true })
    await makeArtefact(directory, { target, runtime, key })
    chmodSync(directory, 0o755)
    process.stdout.write(`${directory}${key === undefined ? ': not signed (--key signs it)' : ': signed'}\n`)
  } catch (error) {
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error.code?.startsWith('ERR_PARSE_ARGS') === true ? 2 : 70
  }
}

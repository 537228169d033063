// `npm run build:agent`: the agent as it is shipped, one file of JavaScript with the native binding beside it:
// dist/bundle/keepseal-agent.js and dist/bundle/koffi-{platform}.node; and its privileged helper, keepseal-measure.js.
// No node_modules, no compiler on the gateway.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { fileOfPackage, lockedPackage } from './npm-package.mjs'
import { ownTarget, targetOf } from './targets.mjs'

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** CommonJS packages within the bundle ask for `require` and `__dirname`, which an ES module does not have. */
const BANNER =
  "import{createRequire as __createRequire}from'node:module';" +
  'const require=__createRequire(import.meta.url),__dirname=import.meta.dirname;'

/** Parts of mqtt.js that connections over TCP and TLS never reach: its WebSocket, SOCKS and timer-thread ways. */
const UNUSED = /^(ws|socks|worker-timers|cbor-extract)$/

/** An unused part that is reached after all must not look like one that works. */
const leaveOutUnused = {
  name: 'leave-out-unused',
  setup(plugin) {
    plugin.onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }))
    plugin.onLoad({ filter: /.*/, namespace: 'unused' }, ({ path }) => ({
      contents: `const fail = () => { throw new Error('${path} is not part of this program') }
        module.exports = new Proxy({}, { get: (_, name) => (name === '__esModule' ? false : fail) })`,
    }))
  },
}

/**
 * mqtt.js tells `debug` all that it does, credentials and payloads included, for whoever sets DEBUG. And `debug` loads
 * a package by name from wherever this machine has one.
 */
const silence = {
  name: 'silence',
  setup(plugin) {
    plugin.onResolve({ filter: /^debug$/ }, ({ path }) => ({ path, namespace: 'silence' }))
    plugin.onLoad({ filter: /.*/, namespace: 'silence' }, () => ({
      contents: 'module.exports = () => () => undefined',
    }))
  },
}

/** koffi looks for its binary in packages of their own; here it lies beside the bundle. */
const bindingBeside = {
  name: 'binding-beside',
  setup(plugin) {
    plugin.onLoad({ filter: /[\\/]koffi[\\/]src[\\/]koffi[\\/]src[\\/]static\.js$/ }, () => ({
      contents: `import { createRequire } from 'node:module'
        const load = createRequire(import.meta.url)
        export const loadStatic = (platform) => load('./koffi-' + platform + '.node')`,
    }))
  },
}

/** koffi's binary for a target: as npm has installed it here, or out of its package. */
function bindingOf(target) {
  const { platform, folder } = targetOf(target)
  const name = `@koromix/koffi-${platform}`
  const installed = join(repository, 'node_modules', name, folder, 'koffi.node')
  return existsSync(installed)
    ? readFileSync(installed)
    : fileOfPackage(lockedPackage(repository, name), `${folder}/koffi.node`)
}

/**
 * Writes the bundle into `directory`, in place of what was there. `target`: a name of targets.mjs; this machine's
 * without one. Answers with the metafiles of esbuild.
 */
export async function buildAgent(directory, { target = ownTarget() } = {}) {
  const { platform } = targetOf(target)
  const binding = platform === undefined ? undefined : bindingOf(target)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
  const [agent, helper] = await Promise.all([
    buildProgram('agent/main.ts', join(directory, 'keepseal-agent.js'), {
      banner: { js: BANNER },
      plugins: [leaveOutUnused, silence, bindingBeside],
    }),
    // Nothing is left out of this one, because nothing has to be: it has neither MQTT nor TPM.
    buildProgram('agent/measure/main.ts', join(directory, 'keepseal-measure.js'), {}),
  ])
  if (binding !== undefined) writeFileSync(join(directory, `koffi-${platform}.node`), binding)
  // Without it Node parses each program twice, to find out with the first attempt that it is a module.
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}\n')
  return { agent, helper }
}

async function buildProgram(entry, outfile, options) {
  const { metafile } = await build({
    absWorkingDir: repository,
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Names and lines stay: a stack trace from a gateway has to be readable.
    minifySyntax: true,
    minifyWhitespace: true,
    lineLimit: 160,
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
    ...options,
  })
  return metafile
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const directory = join(repository, 'dist', 'bundle')
  const metafiles = await buildAgent(directory)
  const { version } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  for (const { outputs } of Object.values(metafiles)) {
    const [[path, { bytes }]] = Object.entries(outputs).filter(([file]) => file.endsWith('.js'))
    process.stdout.write(`${basename(path, '.js')} ${version}: ${directory}, ${Math.round(bytes / 1024)} KiB\n`)
  }
}

// What is in an artefact, as CycloneDX 1.6: every package of the bundles, the native binding and the runtime, each with
// version, licence and the digest of the archive that it came from.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** `sha512-BASE64` of npm, as CycloneDX writes digests. */
const hashOf = (integrity) => ({ alg: 'SHA-512', content: Buffer.from(integrity.slice(7), 'base64').toString('hex') })

/** A package URL: the scope of npm is its namespace, with the @ escaped. */
const purlOf = (name, version) => `pkg:npm/${name.replace('@', '%40')}@${version}`

function componentOf({ name, version, integrity, license }, more = {}) {
  const purl = purlOf(name, version)
  return {
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    ...(license === undefined ? {} : { licenses: [{ license: { id: license } }] }),
    purl,
    hashes: [hashOf(integrity)],
    ...more,
  }
}

/** Keys of package-lock.json (`node_modules/a/node_modules/b`) that the inputs of a bundle belong to. */
export function lockKeysOf(metafiles) {
  const keys = new Set()
  for (const { inputs } of metafiles) {
    for (const input of Object.keys(inputs)) {
      const match = /^(?:.*?\/)?(node_modules\/.*)$/.exec(input)
      if (match === null) continue
      const parts = match[1].split('node_modules/').slice(1)
      const names = parts.map((part) =>
        part
          .replace(/\/$/, '')
          .split('/')
          .slice(0, part.startsWith('@') ? 2 : 1)
          .join('/'),
      )
      keys.add(names.map((name) => `node_modules/${name}`).join('/'))
    }
  }
  return [...keys].sort()
}

/** A UUID that the content decides: the same source has the same serial number (RFC 9562 section 5.8). */
function serialOf(content) {
  const bytes = createHash('sha256').update(content).digest().subarray(0, 16)
  bytes[6] = (bytes[6] & 0x0f) | 0x80
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return `urn:uuid:${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`
}

/**
 * `lockKeys`: of the packages inside. `native`: packages of which one file is beside the bundle, as lock entries with a
 * name. `runtime`: the package of Node, or undefined.
 */
export function makeSbom({ repository, name, version, lockKeys, native, runtime }) {
  const { packages } = JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'))
  const bundled = lockKeys.map((key) => componentOf({ name: key.split('node_modules/').at(-1), ...packages[key] }))
  const beside = native.map((each) => componentOf({ ...packages[`node_modules/${each.name}`], ...each }))
  const node = runtime === undefined ? [] : [componentOf(runtime, { type: 'platform', description: 'Node.js' })]
  const root = `pkg:generic/${name}@${version}`
  const components = [...bundled, ...beside, ...node]
  const body = {
    metadata: { component: { type: 'application', 'bom-ref': root, name, version, purl: root } },
    components,
    dependencies: [{ ref: root, dependsOn: components.map((component) => component['bom-ref']) }],
  }
  const serialNumber = serialOf(JSON.stringify(body))
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber, version: 1, ...body }, null, 2)}\n`
}

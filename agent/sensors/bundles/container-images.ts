import type { Bundle } from '../../../shared/posture/sections/packages.ts'
import { fromUtf8, utf8 } from '../../../shared/bytes/bytes.ts'
import type { Host } from '../host.ts'
import { printable } from '../text.ts'
import { Unchanged } from '../unchanged.ts'
import type { BundleReading } from './bundles.ts'

const DOCKER = '/var/lib/docker/image'
/** Of docker's storage drivers, the ones that it still has. */
const DRIVERS = ['overlay2', 'btrfs', 'zfs', 'vfs', 'fuse-overlayfs', 'overlay'] as const
const DOCKER_FILES = DRIVERS.map((driver) => `${DOCKER}/${driver}/repositories.json`)
const PODMAN_FILES = ['overlay', 'vfs', 'btrfs'].map(
  (driver) => `/var/lib/containers/storage/${driver}-images/images.json`,
)
/** A database of another kind (bbolt), which is not read. Docker keeps its images there too where it was told to. */
const CONTAINERD = '/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db'
const MAX_BYTES = 4 * 1024 * 1024

export const DOCKER_READS = `${DOCKER}/*/repositories.json`
export const PODMAN_READS = '/var/lib/containers/storage/*-images/images.json'
export const CONTAINERD_READS = `${CONTAINERD} (whether it is there)`

const keptDocker = new Unchanged<BundleReading>()
const keptPodman = new Unchanged<BundleReading>()

export const readDocker = (host: Host): BundleReading =>
  keptDocker.get(host, DOCKER_FILES, () => readFiles(host, DOCKER_FILES, dockerImages))

export const readPodman = (host: Host): BundleReading =>
  keptPodman.get(host, PODMAN_FILES, () => readFiles(host, PODMAN_FILES, podmanImages))

export function readContainerd(host: Host): BundleReading {
  const { status } = host.stat(CONTAINERD)
  return status === 'found' ? { status: 'unsupported' } : { status }
}

function readFiles(
  host: Host,
  paths: readonly string[],
  parse: (value: unknown) => readonly Bundle[] | undefined,
): BundleReading {
  const bundles: Bundle[] = []
  let isThere = false
  for (const path of paths) {
    const file = host.readFile(path, MAX_BYTES)
    if (file.status === 'absent') continue
    if (file.status !== 'found') return file
    const images = parse(json(file.value))
    if (images === undefined) return { status: 'malformed' }
    bundles.push(...images)
    isThere = true
  }
  return isThere ? { status: 'read', bundles } : { status: 'absent' }
}

function json(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(bytes)) as unknown
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A text of JSON as the byte string that printable() takes. */
const bytesOf = (text: string): string => Buffer.from(utf8(text)).toString('latin1')
const bundle = (name: string, version: string): Bundle => ({
  name: printable(bytesOf(name), 256),
  version: printable(bytesOf(version), 256),
})

/** {"Repositories": {REPOSITORY: {REFERENCE: IMAGE ID}}}. An image has a reference by digest beside those by tag. */
function dockerImages(value: unknown): readonly Bundle[] | undefined {
  const repositories = isRecord(value) ? value['Repositories'] : undefined
  if (!isRecord(repositories)) return undefined
  const references: [reference: string, id: string][] = []
  for (const repository of Object.values(repositories)) {
    if (!isRecord(repository)) return undefined
    for (const [reference, id] of Object.entries(repository)) {
      if (typeof id !== 'string') return undefined
      references.push([reference, id])
    }
  }
  const tagged = new Set(references.flatMap(([reference, id]) => (reference.includes('@') ? [] : [id])))
  return references
    .filter(([reference, id]) => !reference.includes('@') || !tagged.has(id))
    .map(([reference, id]) => bundle(reference, id))
}

/** [{"id", "digest", "names"}], containers-storage. Images without a name are known by their id. */
function podmanImages(value: unknown): readonly Bundle[] | undefined {
  if (!Array.isArray(value)) return undefined
  const bundles: Bundle[] = []
  for (const image of value as readonly unknown[]) {
    if (!isRecord(image) || typeof image['id'] !== 'string') return undefined
    const { id, names = [] } = image as { id: string; names?: unknown }
    if (!Array.isArray(names) || !names.every((name) => typeof name === 'string')) return undefined
    for (const name of names.length === 0 ? ['(none)'] : (names as readonly string[])) bundles.push(bundle(name, id))
  }
  return bundles
}

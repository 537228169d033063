import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../../../agent/sensors/host.ts'
import { packagesSensor } from '../../../../agent/sensors/packages.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import { sectionDeviations } from '../../../../collector/appraisal/section-deviations.ts'
import { encodeSection } from '../../../../shared/posture/canonical.ts'
import type { PackagesContent } from '../../../../shared/posture/sections/packages.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { measured, sha256 } from '../../../support/posture.ts'

const dpkg: Tree = { '/var/lib/dpkg/status': 'Package: bash\nStatus: install ok installed\nVersion: 5\n\n' }
const DOCKER = '/var/lib/docker/image/overlay2/repositories.json'
const PODMAN = '/var/lib/containers/storage/overlay-images/images.json'

async function contentOf(host: Host): Promise<PackagesContent> {
  const reading = (await measureAll(host, [packagesSensor])).get('packages')?.reading
  if (reading?.status !== 'measured') throw new Error(`not measured: ${JSON.stringify(reading)}`)
  return reading.content as PackagesContent
}
const of = async (tree: Tree) => (await contentOf(treeHost({ ...dpkg, ...tree }))).bundles

const flatpak: Tree = {
  '/var/lib/flatpak/app/org.example.App/current': { link: 'x86_64/stable' },
  '/var/lib/flatpak/app/org.example.App/x86_64/stable/active': { link: 'c0ffee' },
  '/var/lib/flatpak/runtime/org.freedesktop.Platform/x86_64/23.08/active': { link: 'beef' },
}

describe('what came without the package manager', () => {
  test('is not told of where there is none', async () => {
    expect(await contentOf(treeHost(dpkg))).not.toHaveProperty('bundles')
  })

  test('by flatpak: applications and runtimes with their commits', async () => {
    expect(await of(flatpak)).toEqual([
      {
        kind: 'flatpak',
        status: 'read',
        bundles: [
          { name: 'org.example.App/x86_64/stable', version: 'c0ffee' },
          { name: 'org.freedesktop.Platform/x86_64/23.08', version: 'beef' },
        ],
        total: 2,
      },
    ])
  })

  test.each(['/snap', '/var/lib/snapd/snap'])('by snap: revisions, in %s', async (mount) => {
    const tree = {
      [`${mount}/core22/current`]: { link: '1122' },
      [`${mount}/README`]: 'x',
      [`${mount}/bin/core22`]: 'x',
    }
    expect(await of(tree)).toEqual([
      { kind: 'snap', status: 'read', bundles: [{ name: 'core22', version: 'revision 1122' }], total: 1 },
    ])
  })

  test('by docker: images by tag, or by digest where they have none', async () => {
    const repositories = {
      nginx: { 'nginx:1': 'sha256:aa', 'nginx@sha256:bb': 'sha256:aa' },
      bare: { 'bare@sha256:cc': 'sha256:dd' },
    }
    expect(await of({ [DOCKER]: JSON.stringify({ Repositories: repositories }) })).toEqual([
      {
        kind: 'docker',
        status: 'read',
        bundles: [
          { name: 'bare@sha256:cc', version: 'sha256:dd' },
          { name: 'nginx:1', version: 'sha256:aa' },
        ],
        total: 2,
      },
    ])
  })

  test('by podman: images by name, and those without one', async () => {
    const images = [{ id: 'aa', digest: 'sha256:x', names: ['docker.io/library/nginx:1'] }, { id: 'bb' }]
    expect(await of({ [PODMAN]: JSON.stringify(images) })).toMatchObject([
      { kind: 'podman', bundles: [{ name: '(none)', version: 'bb' }, { name: 'docker.io/library/nginx:1' }] },
    ])
  })

  test('by containerd is only said to be there', async () => {
    expect(await of({ '/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db': 'x' })).toEqual([
      { kind: 'containerd', status: 'unsupported', bundles: [], total: 0 },
    ])
  })

  test('is told of on a system without a package manager', async () => {
    expect(await contentOf(treeHost(flatpak))).toMatchObject({ manager: 'none', packages: [], bundles: [{ total: 2 }] })
  })
})

describe('what cannot be looked at is never none', () => {
  test.each([
    ['docker', DOCKER, { [DOCKER]: '{"Repositories":{}}' }],
    ['podman', PODMAN, { [PODMAN]: '[]' }],
    ['flatpak', '/var/lib/flatpak', flatpak],
    ['snap', '/snap', { '/snap/a/current': { link: '1' } }],
    ['containerd', '/var/lib/containerd', {}],
  ] as [string, string, Tree][])('of %s', async (kind, path, tree) => {
    const { bundles } = await contentOf(withoutPermission(treeHost({ ...dpkg, ...tree }), path))
    expect(bundles).toEqual([{ kind, status: 'no-permission', bundles: [], total: 0 }])
  })
  test('of one application among others', async () => {
    const host = withoutPermission(treeHost({ ...dpkg, ...flatpak }), '/var/lib/flatpak/app/org.example.App')
    expect((await contentOf(host)).bundles).toMatchObject([{ kind: 'flatpak', status: 'incomplete', total: 1 }])
  })
  test('without any image is told, since there could be some', async () => {
    expect(await of({ [DOCKER]: '{"Repositories":{}}' })).toEqual([
      { kind: 'docker', status: 'read', bundles: [], total: 0 },
    ])
  })
  test.each([
    [DOCKER, 'nonsense'],
    [DOCKER, '[]'],
    [DOCKER, '{"Repositories":[]}'],
    [DOCKER, '{"Repositories":{"a":"b"}}'],
    [DOCKER, '{"Repositories":{"a":{"a:1":1}}}'],
    [PODMAN, '{}'],
    [PODMAN, '[{"id":1}]'],
    [PODMAN, '[{"id":"a","names":"b"}]'],
    [PODMAN, '[null]'],
  ])('of %s with %s', async (path, text) => {
    expect(await of({ [path]: text })).toMatchObject([{ status: 'malformed', total: 0 }])
  })
  test('of a list of megabytes', async () => {
    expect(await of({ [PODMAN]: ' '.repeat(5 * 1024 * 1024) })).toMatchObject([{ status: 'too-large' }])
  })
})

test('whatever JSON there is, it is an answer within the schema', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json(), async (text) => {
      const content = await contentOf(treeHost({ ...dpkg, [DOCKER]: `{"Repositories":${text}}`, [PODMAN]: text }))
      encodeSection('packages', measured<'packages'>(content), sha256)
    }),
    { numRuns: 100 },
  )
})

test('thousands of images are counted, and the first by name are kept', async () => {
  const images = Array.from({ length: 2000 }, (_, index) => ({ id: 'x', names: [`i${9999 - index}`] }))
  const [source] = (await of({ [PODMAN]: JSON.stringify(images) })) ?? []
  expect(source).toMatchObject({ total: 2000, status: 'read' })
  expect(source?.bundles).toHaveLength(512)
  expect(source?.bundles[0]?.name).toBe('i8000')
})

describe('each change is one finding', () => {
  const docker = (repository: Record<string, string>): Tree => ({
    ...dpkg,
    [DOCKER]: JSON.stringify({ Repositories: { a: repository } }),
  })
  const bytes = async (tree: Tree) =>
    encodeSection('packages', measured<'packages'>(await contentOf(treeHost(tree))), sha256).bytes
  const codes = async (before: Tree, after: Tree) => {
    const found = sectionDeviations('packages', await bytes(before), await bytes(after))
    if (found === 'content-missing') throw new Error(found)
    return found.map(({ code, subject }) => `${code} ${subject}`)
  }
  const one = docker({ 'a:1': 'sha256:1' })

  test.each<[string, Tree, Tree, string]>([
    ['another image under the same tag', one, docker({ 'a:1': 'sha256:2' }), 'packages.changed docker a:1'],
    ['one image more', one, docker({ 'a:1': 'sha256:1', 'a:2': 'sha256:2' }), 'packages.added docker a:2'],
    ['the first image', dpkg, one, 'packages.added docker a:1'],
    ['the last image with docker itself', one, dpkg, 'packages.removed docker a:1'],
    ['a snap', dpkg, { ...dpkg, '/snap/x/current': { link: '1' } }, 'packages.added snap x'],
  ])('%s', async (_, before, after, expected) => {
    expect(await codes(before, after)).toEqual([expected])
  })
})

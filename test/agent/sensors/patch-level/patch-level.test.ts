import { describe, expect, test } from 'vitest'
import type { Host } from '../../../../agent/sensors/host.ts'
import { patchLevelSensor } from '../../../../agent/sensors/patch-level.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import { supportDatesOf } from '../../../../shared/posture/support-dates.ts'
import type { PatchLevelContent } from '../../../../shared/posture/sections/patch-level.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'

const measure = async (host: Host) => {
  const reading = (await measureAll(host, [patchLevelSensor])).get('patch-level')?.reading
  if (reading?.status !== 'measured') throw new Error(`not measured: ${JSON.stringify(reading)}`)
  return { content: reading.content as PatchLevelContent, state: reading.state ?? {} }
}
const contentOf = async (tree: Tree) => (await measure(treeHost(tree))).content

describe('the running kernel against the installed ones', () => {
  const kernels = (running: string, ...installed: string[]): Tree => ({
    '/proc/sys/kernel/osrelease': `${running}\n`,
    ...Object.fromEntries(installed.map((one) => [`/lib/modules/${one}/modules.order`, ''])),
  })

  test.each([
    ['the only one', kernels('6.1.0-18-amd64', '6.1.0-18-amd64'), { running: 'newest' }],
    [
      'an older one',
      kernels('6.1.0-9-amd64', '6.1.0-9-amd64', '6.1.0-18-amd64', '6.1.0-10-amd64'),
      { running: 'older', newest: '6.1.0-18-amd64' },
    ],
    [
      'newer ones of another kind',
      kernels('6.6.31+rpt-rpi-v8', '6.6.31+rpt-rpi-v8', '6.6.51+rpt-rpi-2712', '6.12-rt-amd64'),
      { running: 'newest' },
    ],
    [
      'Raspberry Pi',
      kernels('6.6.31+rpt-rpi-v8', '6.6.31+rpt-rpi-v8', '6.6.51+rpt-rpi-v8', '6.6.51+rpt-rpi-2712'),
      { running: 'older', newest: '6.6.51+rpt-rpi-v8' },
    ],
    [
      'Fedora over releases',
      kernels('6.8.5-301.fc40.x86_64', '6.8.5-301.fc40.x86_64', '6.10.3-200.fc41.x86_64'),
      { running: 'older', newest: '6.10.3-200.fc41.x86_64' },
    ],
    ['Alpine', kernels('6.6.49-0-lts', '6.6.49-0-lts', '6.6.50-0-virt'), { running: 'newest' }],
    ['one that is not installed', kernels('6.5-custom', '6.1.0-18-amd64'), { running: 'unlisted' }],
  ])('%s', async (_, tree, expected) => {
    expect((await contentOf(tree)).kernel).toEqual({ value: expected })
  })

  test('an image in /boot counts, a left-over directory of modules does not', async () => {
    const tree = { ...kernels('6.1.0-1-amd64', '6.1.0-1-amd64'), '/lib/modules/6.1.0-7-amd64/updates/x.ko': '' }
    expect((await contentOf(tree)).kernel).toEqual({ value: { running: 'newest' } })
    expect((await contentOf({ ...tree, '/boot/vmlinuz-6.1.0-7-amd64': '' })).kernel).toEqual({
      value: { running: 'older', newest: '6.1.0-7-amd64' },
    })
  })

  test('none installed is absent, as in a container', async () => {
    expect((await contentOf(kernels('6.1'))).kernel).toEqual({ missing: 'absent' })
  })

  test('a /boot that may not be listed could hold a newer one', async () => {
    const host = withoutPermission(treeHost(kernels('6.1', '6.1')), '/boot')
    expect((await measure(host)).content.kernel).toEqual({ missing: 'no-permission' })
  })
})

test.each(['/run/reboot-required', '/var/run/reboot-required'])('%s asks for a reboot', async (path) => {
  expect((await contentOf({ [path]: '*** System restart required ***\n' })).reboot).toEqual({ value: 'required' })
})

test('that nobody asked for a reboot is not that none is due', async () => {
  expect((await contentOf({})).reboot).toEqual({ value: 'not-flagged' })
  expect((await measure(withoutPermission(treeHost({}), '/run'))).content.reboot).toEqual({ missing: 'no-permission' })
})

describe('end of support', () => {
  const supportOf = async (text: string) => (await contentOf({ '/etc/os-release': text })).support

  test.each([
    ['ID=debian\nVERSION_ID="12"\n', { end: '2026-07-11', extendedEnd: '2028-06-30', source: 'table' }],
    ['ID=ubuntu\nVERSION_ID="24.04"\n', { end: '2029-05-31', source: 'table' }],
    ['ID=fedora\nVERSION_ID=40\nSUPPORT_END=2025-05-20\n', { end: '2025-05-20', source: 'os-release' }],
  ])('%j', async (text, expected) => {
    expect(await supportOf(text)).toEqual({ value: expected })
  })

  test.each([
    ['a release without a date', 'ID=debian\nVERSION_ID=99\n', 'absent'],
    ['testing, which has no version', 'ID=debian\n', 'absent'],
    ['a distribution whose dates could not be checked', 'ID=alpine\nVERSION_ID=3.20.3\n', 'absent'],
    ['a distribution without dates', 'ID=poky\nVERSION_ID=5.0\n', 'absent'],
    ['one with the name of a property', 'ID=constructor\nVERSION_ID=name\n', 'absent'],
    ['a date in words', 'ID=fedora\nSUPPORT_END="May 2025"\n', 'malformed'],
    ['what is no os-release', 'ID=$(reboot)\n', 'malformed'],
  ])('%s is unknown, not supported for ever', async (_, text, missing) => {
    expect(await supportOf(text)).toEqual({ missing })
  })

  test('every date in the table is one, and the extension is later', () => {
    for (const [id, version] of [
      ['debian', '8'],
      ['debian', '13'],
      ['ubuntu', '26.04'],
    ] as const) {
      const dates = supportDatesOf(id, version)
      expect(new Date(dates?.end ?? '').toISOString().slice(0, 10)).toBe(dates?.end)
      expect((dates?.extendedEnd ?? '9999') > (dates?.end ?? '')).toBe(true)
    }
  })
})

describe('image-based systems', () => {
  const imagesOf = async (tree: Tree) => (await contentOf(tree)).images

  test('RAUC: the slot differs between units, so it is state', async () => {
    const tree = (slot: string): Tree => ({ '/proc/cmdline': `root=/dev/x rauc.slot=${slot} quiet\n` })
    const [a, b] = [await measure(treeHost(tree('A'))), await measure(treeHost(tree('B')))]
    expect(a.content).toEqual(b.content)
    expect(a.content.images).toEqual({ value: [{ mechanism: 'rauc', versions: [] }] })
    expect([a.state['patch-level.slot'], b.state['patch-level.slot']]).toEqual(['A', 'B'])
  })

  test('RAUC: the version of the bundle in the slot that runs, and in what belongs to it', async () => {
    const tree = (slot: string): Tree => ({
      '/proc/cmdline': `rauc.slot=${slot}\n`,
      '/etc/rauc/system.conf':
        '[system]\nstatusfile=/data/rauc.status\n[slot.rootfs.0]\nbootname=A\n[slot.rootfs.1]\nbootname=B\n' +
        '[slot.app.0]\nparent=rootfs.0\n[slot.app.1]\nparent=rootfs.1\n',
      '/data/rauc.status':
        '[slot.rootfs.0]\nbundle.version=2.0\nstatus=ok\n[slot.app.0]\nbundle.version=2.0-app\n' +
        '[slot.rootfs.1]\nbundle.version=1.9\ninstalled.timestamp=2026-01-01T00:00:00Z\n',
    })
    const versions = [
      { name: 'app', version: '2.0-app' },
      { name: 'rootfs', version: '2.0' },
    ]
    const images = await imagesOf(tree('A'))
    if ('missing' in images) throw new Error(images.missing)
    expect([...(images.value[0]?.versions ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1))).toEqual(versions)
    expect(await imagesOf(tree('B'))).toEqual({
      value: [{ mechanism: 'rauc', versions: [{ name: 'rootfs', version: '1.9' }] }],
    })
    expect(await imagesOf(tree('C'))).toEqual({ value: [{ mechanism: 'rauc', versions: [] }] })
  })

  test('SWUpdate', async () => {
    expect(await imagesOf({ '/etc/sw-versions': 'kernel 6.1\nrootfs   2.4 beta\n\n' })).toEqual({
      value: [
        {
          mechanism: 'swupdate',
          versions: [
            { name: 'kernel', version: '6.1' },
            { name: 'rootfs', version: '2.4 beta' },
          ],
        },
      ],
    })
  })

  test('Mender', async () => {
    expect(await imagesOf({ '/etc/mender/artifact_info': 'artifact_name=release-7\nother=x\n' })).toEqual({
      value: [{ mechanism: 'mender', versions: [{ name: 'artifact_name', version: 'release-7' }] }],
    })
    expect(await imagesOf({ '/etc/mender/mender.conf': '{}' })).toEqual({
      value: [{ mechanism: 'mender', versions: [] }],
    })
  })

  test('OSTree: counters of deployments are left out', async () => {
    const tree = (boot: string, serial: string): Tree => ({
      '/proc/cmdline': `ro ostree=/ostree/boot.${boot}/fedora-iot/${'ab'.repeat(32)}/${serial}\n`,
    })
    const expected = { value: [{ mechanism: 'ostree', versions: [{ name: 'fedora-iot', version: 'ab'.repeat(32) }] }] }
    expect(await imagesOf(tree('1', '0'))).toEqual(expected)
    expect(await imagesOf(tree('0.1', '3'))).toEqual(expected)
  })

  test('anything else is not one of these, unless the command line is hidden', async () => {
    expect(await imagesOf({ '/proc/cmdline': 'ro\n' })).toEqual({ missing: 'absent' })
    const hidden = withoutPermission(treeHost({}), '/proc/cmdline')
    expect((await measure(hidden)).content.images).toEqual({ missing: 'no-permission' })
  })

  test('a thousand lines are cut at a bound', async () => {
    const images = await imagesOf({ '/etc/sw-versions': 'a\u001b[2J 1\n'.repeat(1000) })
    expect(images).toMatchObject({ value: [{ versions: { length: 64, 0: { name: 'a\\x1b[2J' } } }] })
  })
})

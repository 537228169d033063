import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Host } from '../../../../agent/sensors/host.ts'
import { packagesSensor } from '../../../../agent/sensors/packages.ts'
import { readRpmHeader } from '../../../../agent/sensors/packages/rpm-header.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { headerOf, rpmDatabase, rpmHeader, type RpmPackage } from '../../../support/rpm-database.ts'

const PATH = '/usr/lib/sysimage/rpm/rpmdb.sqlite'
const measure = async (host: Host) => (await measureAll(host, [packagesSensor])).get('packages')?.reading
const of = (database: Buffer, more: Tree = {}) => measure(treeHost({ [PATH]: database, ...more }))
const names = (reading: unknown): string[] =>
  (reading as { content: { packages: { name: string }[] } }).content.packages.map(({ name }) => name)

const bash: RpmPackage = {
  name: 'bash',
  version: '5.2.26',
  release: '3.fc40',
  arch: 'x86_64',
  source: 'bash-5.2.26-3.fc40.src.rpm',
}
const libs: RpmPackage = {
  name: 'openssl-libs',
  version: '3.2.1',
  release: '2.fc40',
  epoch: 1,
  arch: 'x86_64',
  source: 'openssl-3.2.1-2.fc40.src.rpm',
}
const key: RpmPackage = { name: 'gpg-pubkey', version: 'a15b79cc', release: '63d04c2c' }

test('packages with epoch, source and imported keys', async () => {
  expect(await of(rpmDatabase([bash, libs, key].map(rpmHeader)))).toEqual({
    status: 'measured',
    content: {
      manager: 'rpm',
      packages: [
        { name: 'bash', architecture: 'x86_64', version: '5.2.26-3.fc40' },
        { name: 'openssl-libs', architecture: 'x86_64', version: '1:3.2.1-2.fc40', source: 'openssl' },
        { name: 'gpg-pubkey', version: 'a15b79cc-63d04c2c' },
      ],
      total: 3,
      malformed: 0,
      incomplete: false,
    },
  })
})

test.each([512, 1024, 4096, 65_536])('pages of %i bytes, rows from a few bytes to many pages', async (pageSize) => {
  const paddings = [0, 10, 100, 300, 460, 477, 478, 479, 940, 980, 4000, 4060, 4061, 9000, 65_000, 300_000]
  const all = paddings.flatMap((padding, index) => [
    rpmHeader({ ...libs, name: `a${index}`, padding }),
    rpmHeader({ ...libs, name: `b${index}`, padding: padding + 1 }),
  ])
  const many = Array.from({ length: 600 }, (_, index) => rpmHeader({ ...bash, name: `c${index}` }))
  const reading = await of(rpmDatabase([...all, ...many], pageSize))
  expect(reading).toMatchObject({ content: { total: all.length + many.length, malformed: 0, incomplete: false } })
  const { packages } = (reading as unknown as { content: { packages: { source?: string }[] } }).content
  // The source's name stands behind the padding.
  expect(packages.filter(({ source }) => source === 'openssl')).toHaveLength(all.length)
})

test.each([
  [512, 100, 1100],
  [4096, 3700, 4200],
])('pages of %i bytes, rows of every length on both sides of what a page holds', async (pageSize, from, to) => {
  const headers = Array.from({ length: to - from }, (_, index) => rpmHeader({ ...libs, padding: from + index }))
  const reading = await of(rpmDatabase(headers, pageSize))
  expect(reading).toMatchObject({ content: { total: to - from, malformed: 0 } })
})

describe('a database that is not whole says so', () => {
  const database = rpmDatabase(
    Array.from({ length: 40 }, (_, i) => rpmHeader({ ...bash, name: `p${i}`, padding: i * 300 })),
    512,
  )

  test('what waits in a write-ahead log, or would be taken back, is missing', async () => {
    expect(await of(database, { [`${PATH}-wal`]: 'x' })).toMatchObject({ content: { total: 40, incomplete: true } })
    expect(await of(database, { [`${PATH}-journal`]: 'x' })).toMatchObject({ content: { incomplete: true } })
    expect(await of(database, { [`${PATH}-wal`]: '' })).toMatchObject({ content: { incomplete: false } })
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['another file', Buffer.alloc(4096, 'x')],
    ['a cut one', database.subarray(0, database.length - 512)],
    ['one that was cut within a page', database.subarray(0, database.length - 1)],
  ])('%s is no answer', async (_, bytes) => {
    expect(await of(bytes)).toMatchObject({ status: 'failed', code: 'input-malformed' })
  })

  test('damaged anywhere it ends in time, with an answer or a reason', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(database.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(database)
        damaged.writeUInt8((damaged[at] ?? 0) ^ flip, at)
        const reading = await of(damaged)
        if (reading?.status === 'failed') expect(reading.code).toBe('input-malformed')
        else expect(reading?.status).toBe('measured')
      }),
      { numRuns: 300 },
    )
  })

  test('pages that point at each other are a loop, not an endless list', async () => {
    const looping = Buffer.from(rpmDatabase([rpmHeader({ ...bash, padding: 50_000 })], 512))
    // Every overflow page, told by its content, leads back to one of them.
    for (let page = 512; page < looping.length; page += 512) {
      if (looping.toString('latin1', page + 10, page + 40) === 'x'.repeat(30))
        looping.writeUInt32BE(page / 512 + 1, page)
    }
    expect((await of(looping))?.status).toBe('failed')
  })

  test('without permission it is not an empty list', async () => {
    const host = withoutPermission(treeHost({ [PATH]: database }), `${PATH}`)
    expect(await measure(host)).toMatchObject({ status: 'no-permission', reason: 'file-not-readable' })
  })
})

describe('a header', () => {
  const text = (value: string) => Buffer.from(`${value}\0`)
  const good = [
    [1000, 6, text('bash')],
    [1001, 6, text('5')],
    [1002, 6, text('1')],
  ] as const

  test('with the least that is needed', () => {
    expect(readRpmHeader(headerOf(good))).toEqual({ name: 'bash', version: '5-1' })
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['two names', headerOf([...good, [1000, 6, text('dash')]])],
    ['no release', headerOf(good.slice(0, 2))],
    ['an escape in the name', headerOf([[1000, 6, text('\u001b[2J')], ...good.slice(1)])],
    ['a name without an end', headerOf([...good.slice(1), [1000, 6, Buffer.from('bash')]])],
    ['a name of another type', headerOf([[1000, 7, text('bash')], ...good.slice(1)])],
    ['a source in another syntax', headerOf([...good, [1044, 6, text('bash.rpm')]])],
    ['a byte too many', Buffer.concat([headerOf(good), Buffer.alloc(1)])],
    ['more entries than bytes', Buffer.from('ffffffff00000000', 'hex')],
  ])('with %s is malformed, not a package', (_, header) => {
    expect(readRpmHeader(header)).toBe('malformed')
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        readRpmHeader(Buffer.from(bytes))
      }),
    )
  })
})

test('formats that are not read are said to be there', async () => {
  expect(await measure(treeHost({ '/var/lib/rpm/Packages': 'bdb' }))).toEqual({
    status: 'not-supported',
    reason: 'package-database-format',
  })
})

test('a damaged database beside a healthy one of another manager is named', async () => {
  const dpkg = 'Package: bash\nStatus: install ok installed\nVersion: 5\n\n'
  const reading = await of(Buffer.from('x'), { '/var/lib/dpkg/status': dpkg })
  expect(reading).toMatchObject({ content: { manager: 'dpkg', others: ['rpm'] } })
  expect(names(reading)).toEqual(['bash'])
})

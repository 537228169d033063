import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../../agent/sensors/commands.ts'
import type { Host } from '../../../../agent/sensors/host.ts'
import { packagesSensor } from '../../../../agent/sensors/packages.ts'
import { parseRpmList } from '../../../../agent/sensors/packages/rpm-list.ts'
import { measureAll } from '../../../../agent/sensors/registry.ts'
import { treeHost, withoutPermission, type Tree } from '../../../support/host-tree.ts'
import { ndbDatabase } from '../../../support/ndb-database.ts'
import { rpmDatabase, rpmHeader, type RpmPackage } from '../../../support/rpm-database.ts'

const NDB = '/usr/lib/sysimage/rpm/Packages.db'
const SQLITE = '/var/lib/rpm/rpmdb.sqlite'
const BERKELEY = '/var/lib/rpm/Packages'
const measure = async (host: Host) => (await measureAll(host, [packagesSensor])).get('packages')?.reading
const of = (database: Buffer) => measure(treeHost({ [NDB]: database }))

const bash: RpmPackage = {
  name: 'bash',
  version: '5.2',
  release: '150500.1',
  arch: 'x86_64',
  source: 'bash-5.2-150500.1.src.rpm',
}
const many = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => rpmHeader({ ...bash, name: `p${index}`, padding: index * 7 }))

describe('a database in the format "ndb"', () => {
  test('has its packages', async () => {
    const epoch = rpmHeader({ ...bash, name: 'dbus', epoch: 1 })
    expect(await of(ndbDatabase([rpmHeader(bash), epoch]))).toMatchObject({
      content: {
        manager: 'rpm',
        packages: [
          { name: 'bash', version: '5.2-150500.1', architecture: 'x86_64' },
          { name: 'dbus', version: '1:5.2-150500.1', source: 'bash' },
        ],
        incomplete: false,
      },
    })
  })

  test.each([254, 255, 700])('of %i packages is read over all pages of slots', async (count) => {
    expect(await of(ndbDatabase(many(count)))).toMatchObject({ content: { total: count, malformed: 0 } })
  })

  test('with a free slot between two', async () => {
    const database = ndbDatabase(many(3))
    database.fill(0, 32 + 16 + 4, 32 + 32)
    expect(await of(database)).toMatchObject({ content: { total: 2 } })
  })

  const whole = ndbDatabase(many(5))
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(whole)
    copy.writeUInt32LE(value, at)
    return copy
  }
  const firstBlob = 4096

  test.each([
    ['of another version', changed(4, 1)],
    ['with no page of slots', changed(12, 0)],
    ['with more pages of slots than bytes', changed(12, 1000)],
    ['with a slot that is none', changed(32, 0)],
    ['with two slots of one package', changed(32 + 16 + 4, 1)],
    ['with a slot without a package', changed(32 + 4, 0)],
    ['with a blob among the slots', changed(32 + 8, 10)],
    ['with a blob beyond the end', changed(32 + 8, 0xffffffff)],
    ['with a blob of all blocks there could be', changed(32 + 12, 0xffffffff)],
    ['with a blob that is none', changed(firstBlob, 0)],
    ['with the blob of another package', changed(firstBlob + 4, 9)],
    ['with a blob of another length', changed(firstBlob + 12, 999_999)],
    ['that was cut', whole.subarray(0, whole.length - 16)],
    ['that is empty', Buffer.alloc(0)],
    ['that is something else', Buffer.alloc(8192, 'x')],
  ])('%s is no answer', async (_, database) => {
    expect(await of(database)).toMatchObject({ status: 'failed', code: 'input-malformed' })
  })

  test('whose blobs lie within each other is not read again and again', async () => {
    const [count, blocks] = [200, 1000]
    const database = ndbDatabase(many(count))
    const region = Buffer.alloc((blocks + count) * 16)
    for (let index = 0; index < count; index++) {
      const length = blocks * 16 - 28
      const [slot, head, end] = [32 + index * 16, index * 16, (index + blocks) * 16]
      for (const [word, value] of [index + 1, 256 + index, blocks].entries())
        database.writeUInt32LE(value, slot + 4 + word * 4)
      region.write('BlbS', head)
      for (const [word, value] of [index + 1, 0, length].entries()) region.writeUInt32LE(value, head + 4 + word * 4)
      region.writeUInt32LE(length, end - 8)
      region.write('BlbE', end - 4)
    }
    expect(await of(Buffer.concat([database.subarray(0, 4096), region]))).toMatchObject({
      status: 'failed',
      detail: 'ndb: blobs that overlap',
    })
  })

  test('damaged anywhere it ends with an answer or a reason', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const damaged = Buffer.from(whole)
        damaged.writeUInt8((damaged[at] ?? 0) ^ flip, at)
        const reading = await of(damaged)
        if (reading?.status === 'failed') expect(reading.code).toBe('input-malformed')
        else expect(reading?.status).toBe('measured')
      }),
      { numRuns: 300 },
    )
  })
})

describe('rpm itself', () => {
  const told = 'bash\t(none)\t5.2\t1\tx86_64\tbash-5.2-1.src.rpm\ngpg-pubkey\t(none)\ta1\tb2\t(none)\t(none)\n'
  const asking = (tree: Tree, answer: string | undefined = told): { host: Host; asked: string[] } => {
    const asked: string[] = []
    const run: Host['run'] = async (command) => {
      asked.push(command)
      return answer === undefined ? { status: 'no-permission' } : { status: 'found', value: answer }
    }
    return { host: treeHost(tree, { run }), asked }
  }

  test('is asked for a Berkeley DB', async () => {
    const { host } = asking({ [BERKELEY]: 'bdb' })
    expect(await measure(host)).toMatchObject({
      content: {
        manager: 'rpm',
        packages: [
          { name: 'bash', architecture: 'x86_64', version: '5.2-1' },
          { name: 'gpg-pubkey', version: 'a1-b2' },
        ],
      },
    })
  })
  test('by whom may not, is said to be there', async () => {
    const host = treeHost({ [BERKELEY]: 'bdb' })
    expect(await measure(host)).toEqual({ status: 'not-supported', reason: 'package-database-format' })
  })
  test('is asked where the file cannot be read, or does not have all', async () => {
    const { host, asked } = asking({ [NDB]: 'nonsense' })
    expect(await measure(host)).toMatchObject({ content: { total: 2 } })
    const log = asking({ [SQLITE]: rpmDatabase([rpmHeader(bash)]), [`${SQLITE}-wal`]: 'x' })
    expect(await measure(log.host)).toMatchObject({ content: { total: 2, incomplete: false } })
    const hidden = asking({ [SQLITE]: rpmDatabase([rpmHeader(bash)]) })
    expect(await measure(withoutPermission(hidden.host, SQLITE))).toMatchObject({ content: { total: 2 } })
    expect([asked, log.asked, hidden.asked]).toEqual([['rpm-packages'], ['rpm-packages'], ['rpm-packages']])
  })
  test('is not asked while the file tells all', async () => {
    const { host, asked } = asking({ [NDB]: ndbDatabase([rpmHeader(bash)]) })
    expect(await measure(host)).toMatchObject({ content: { total: 1 } })
    expect(asked).toEqual([])
  })
  test('prints columns that are read as they are asked for', () => {
    const format = COMMANDS['rpm-packages'].args.at(-1)?.replaceAll('\\t', '\t').replaceAll('\\n', '\n')
    expect(format).toBe('%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n')
  })
  test.each([
    ['too few columns', 'bash\t(none)\t5.2\t1\tx86_64\n', 1, false],
    ['too many columns', `${told.trimEnd()}\tx\n`, 1, false],
    ['no version', 'bash\t(none)\t(none)\t1\tx86_64\t(none)\n', 1, false],
    ['an escape', '\u001b[2J\t(none)\t1\t1\tx86_64\t(none)\n', 1, false],
    ['no end of the last line', 'bash\t(none)\t5.2\t1\tx86_64\t(none)', 0, true],
  ])('printing %s is not believed', (_, text, malformed, incomplete) => {
    expect(parseRpmList(text)).toMatchObject({ malformed, incomplete })
  })
})

import { expect, test } from 'vitest'
import { readAdvisories, readPrimary } from '../../../../agent/sensors/patch-level/rpm-metadata.ts'
import { dnfRepositories } from '../../../../agent/sensors/patch-level/dnf-repositories.ts'
import { treeHost } from '../../../support/host-tree.ts'

const LONG = 'a'.repeat(900_000)

test.each([
  [
    'primary.xml',
    readPrimary,
    `<metadata><package><name>bash</name><arch>noarch</arch><version ${LONG} ver="2" rel="1"/></package></metadata>`,
  ],
  [
    'updateinfo.xml',
    readAdvisories,
    `<updates><update ${LONG} type="security"><package name="bash" version="2" release="1" arch="noarch"></package></update></updates>`,
  ],
])('a word without end in %s is passed over in proportion to its length', async (_, read, text) => {
  const before = process.cpuUsage()
  const reading = await read(treeHost({ '/list.xml': text }), '/list.xml', new Set(['bash']))
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(3000)
  expect(reading).toEqual({ status: 'read', listed: [{ name: 'bash', architecture: 'noarch', version: '2-1' }] })
})

test('an index of which parts begin often and never end is read in proportion to its length', () => {
  const cache = '/var/cache/dnf/x-0123456789abcdef/repodata'
  const begun = '<data type="other">\n<location '.repeat(30_000)
  const whole = '<data type="primary">\n<location href="repodata/a-primary.xml.gz"/></data>'
  const host = treeHost({
    '/etc/yum.repos.d/x.repo': '[x]\nenabled=1\n',
    [`${cache}/repomd.xml`]: `<repomd>${whole}<!-- ${begun} --></repomd>`,
    [`${cache}/a-primary.xml.gz`]: '',
  })
  const before = process.cpuUsage()
  expect(dnfRepositories(host)?.repositories).toMatchObject([{ id: 'x', primary: `${cache}/a-primary.xml.gz` }])
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(1500)
})

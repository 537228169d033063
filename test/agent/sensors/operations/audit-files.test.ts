import { expect, test } from 'vitest'
import { readAudit } from '../../../../agent/sensors/operations/audit.ts'
import { treeHost } from '../../../support/host-tree.ts'

test('a link that leads nowhere does not hide the other rules of audit', () => {
  const host = treeHost({
    '/etc/audit/rules.d/10-a.rules': '-w /etc/passwd -p wa\n',
    '/etc/audit/rules.d/20-b.rules': { link: '/nowhere' },
  })
  expect(readAudit(host).rules).toMatchObject({ value: { count: 1 } })
})

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useCollector } from './support.ts'

// People sign by the clock on the wall.
const collector = useCollector(undefined, Date.now)

const STATED = ['--product', 'Acme/Gate 7', '--criterion', 'regular patches', '--statement', 'It is in force.'].concat(
  '--capacity',
  'head of development',
)

async function person(name: string) {
  const { run, directory } = collector()
  const file = join(directory, `${name}.pem`)
  const made = await run('auditor', 'key', 'create', '--key', file, '--json')
  const { publicKey } = JSON.parse(made.stdout) as { publicKey: string }
  return { publicKey, act: (...argv: string[]) => run('certifier', ...argv, '--key', file) }
}

test('a document is submitted by the vendor, accepted by the certifier, listed and shown, and ends', async () => {
  const [ada, ben] = [await person('ada'), await person('ben')]
  await ada.act('log', 'begin', '--name', 'Ada', '--operator', 'Example Certifier')
  await ada.act('person', 'add', '--name', 'Ben', '--role', 'vendor', '--public-key', ben.publicKey)
  const { run, directory } = collector()
  const file = join(directory, 'policy.pdf')
  writeFileSync(file, 'the policy')
  const issued = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const submit = (...more: string[]) => ben.act('document', 'submit', file, '--issued', issued, ...STATED, ...more)
  const kind = ['--kind', 'patch-policy']
  expect(await submit('--kind', 'patch-polcy')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('patch-policy?'),
  })
  expect(await submit(...kind, '--practice', 'risk-attitude')).toMatchObject({ code: 2 })
  expect(await submit(...kind, '--practice', 'patch-management', '--valid-until', '2026-02-30')).toMatchObject({
    code: 2,
  })
  const done = await submit(...kind, '--practice', 'Patch Management', '--json')
  expect(done).toMatchObject({ code: 0 })
  const { document, validUntil } = JSON.parse(done.stdout) as { document: string; validUntil: string }
  expect(Number(validUntil.slice(0, 4)) - Number(issued.slice(0, 4))).toBe(1)
  expect(await ben.act('document', 'accept', document, '--reason', 'mine')).toMatchObject({ code: 4 })
  expect(await ada.act('document', 'accept', document, '--reason', 'read')).toMatchObject({ code: 0 })
  const listed = await run('auditor', 'document', 'list')
  expect(listed.stdout).toMatch(new RegExp(`${document} +accepted +20\\d\\d-\\d\\d-\\d\\d +patch-pol`))
  const shown = await run('auditor', 'document', 'show', document)
  expect(shown.stdout).toContain('accepted, it counts')
  for (const { stdout } of [listed, shown]) {
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  }
  const second = await submit(...kind, '--practice', 'Patch Management', '--json')
  const { document: newer } = JSON.parse(second.stdout) as { document: string }
  const supersede = () =>
    ada.act('document', 'supersede', document, '--by', newer, '--reason', 'the policy of this year')
  expect(await supersede()).toMatchObject({ code: 4 })
  await ada.act('document', 'accept', newer, '--reason', 'read')
  expect(await supersede()).toMatchObject({ code: 0 })
  expect((await run('auditor', 'document', 'show', document)).stdout).toContain('superseded, it does not count')
  const expired = await ben.act('document', 'expire', newer, '--trigger', 'incident', '--reason', 'a breach')
  expect(expired).toMatchObject({ code: 0 })
  expect((await run('auditor', 'document', 'show', newer)).stdout).toContain('ended, it does not count')
  const log = join(directory, 'log.txt')
  await run('auditor', 'log', 'export', '--out', log)
  expect(await run('auditor', 'inspect', 'log', log)).toMatchObject({ code: 0 })
})

test('a document is asked for, owed, handed in and thereby no longer owed', async () => {
  const [ada, ben] = [await person('ada'), await person('ben')]
  await ada.act('log', 'begin', '--name', 'Ada', '--operator', 'Example Certifier')
  await ada.act('person', 'add', '--name', 'Ben', '--role', 'vendor', '--public-key', ben.publicKey)
  const { run, directory } = collector()
  const until = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
  const what = [
    '--kind',
    'patch-policy',
    '--practice',
    'patch-management',
    '--product',
    'Acme/Gate 7',
    '--reason',
    'R32',
  ]
  const ask = (...more: string[]) => ada.act('document', 'request', ...what, '--until', until, ...more)
  expect(await ask()).toMatchObject({ code: 2 })
  expect(await ask('--from', 'x', '--person', 'y')).toMatchObject({ code: 2 })
  expect(await ask('--person', 'per_nobody')).toMatchObject({ code: 4, stderr: expect.stringContaining('per_nobody') })
  const asked = await ask('--from', 'head of development', '--json')
  expect(asked).toMatchObject({ code: 0 })
  const { request } = JSON.parse(asked.stdout) as { request: string }
  const owed = await run('auditor', 'document', 'requests')
  expect(owed).toMatchObject({ code: 0 })
  expect(owed.stdout).toMatch(new RegExp(`${request} +due-soon +${until} `))
  for (const line of owed.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  const file = join(directory, 'policy.pdf')
  writeFileSync(file, 'the policy')
  const issued = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
  const kind = ['--kind', 'patch-policy', '--practice', 'patch-management', '--issued', issued, '--json']
  const done = await ben.act('document', 'submit', file, ...kind, ...STATED)
  const { document } = JSON.parse(done.stdout) as { document: string }
  expect((await run('auditor', 'document', 'requests')).stdout).toContain('handed-in')
  expect(await ada.act('document', 'accept', document, '--reason', 'read')).toMatchObject({ code: 0 })
  expect((await run('auditor', 'document', 'requests')).stdout).not.toContain(request)
  const all = JSON.parse((await run('auditor', 'document', 'requests', '--all', '--json')).stdout) as object
  expect(all).toMatchObject({
    items: [{ id: request, standing: 'fulfilled', fulfilled: { by: document, late: false } }],
  })
  expect(await ada.act('document', 'withdraw', request, '--reason', 'x')).toMatchObject({ code: 4 })
})

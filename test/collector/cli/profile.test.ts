import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { errors, type ErrorCode } from '../../../shared/codes/errors.ts'
import { signDecision } from '../../../shared/decisions/entry.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { fromHex, toBase64Url } from '../../../shared/bytes/bytes.ts'
import { readKey } from '../../../collector/cli/client/decisions/key-file.ts'
import { useCollector } from './support.ts'

// People sign by the clock on the wall.
const collector = useCollector(undefined, Date.now)
const page = readFileSync(new URL('../../../docs/profiles.md', import.meta.url), 'utf8')
const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? ''

/** What the command tells of an error. */
const said = (code: ErrorCode): unknown => expect.stringContaining(errors[code].title)

async function person(name: string) {
  const { run, directory } = collector()
  const file = join(directory, `${name}.pem`)
  const made = await run('auditor', 'key', 'create', '--key', file, '--json')
  const { publicKey } = JSON.parse(made.stdout) as { publicKey: string }
  return { file, publicKey, act: (...argv: string[]) => run('certifier', ...argv, '--key', file) }
}

let ada: Awaited<ReturnType<typeof person>>
let ben: Awaited<ReturnType<typeof person>>
beforeEach(async () => {
  ada = await person('ada')
  ben = await person('ben')
  await ada.act('log', 'begin', '--name', 'Ada', '--operator', 'Example Certifier')
  await ada.act('person', 'add', '--name', 'Ben', '--role', 'vendor', '--public-key', ben.publicKey)
})

function file(name: string, content: string): string {
  const path = join(collector().directory, name)
  writeFileSync(path, content)
  return path
}

const version = (number: number, from = '', to = ''): string => {
  expect(example).toContain(from)
  return example.replace('version: 1', `version: ${number}`).replace(from, to)
}

async function digestOf(path: string): Promise<string> {
  const { stdout } = await collector().run('auditor', 'profile', 'lint', '--json', path)
  return (JSON.parse(stdout) as { digest: string }).digest
}

async function approved(): Promise<{ path: string; digest: string }> {
  const path = file('one.yaml', example)
  expect(await ben.act('profile', 'apply', path)).toMatchObject({ code: 0 })
  const digest = await digestOf(path)
  expect(await ada.act('profile', 'approve', 'gate-seven', '--seen', digest)).toMatchObject({ code: 0 })
  return { path, digest }
}

describe('a profile', () => {
  test('is applied by the vendor, approved by the certifier, shown and exported', async () => {
    const { digest } = await approved()
    const { run, directory } = collector()
    const listed = await run('auditor', 'profile', 'list')
    expect(listed.stdout).toMatch(/gate-seven +individual +1 +1 +20\d\d-\d\d-\d\d +Gate 7/)
    const shown = await run('auditor', 'profile', 'show', 'gate-seven')
    expect(shown.stdout).toContain(digest)
    expect(shown.stdout).toContain('Patch Management: level 3, system, must')
    for (const { stdout } of [listed, shown]) {
      for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    }
    const out = join(directory, 'out.yaml')
    expect(await run('auditor', 'profile', 'export', 'gate-seven', '--out', out)).toMatchObject({ code: 0 })
    expect(await digestOf(out)).toBe(digest)
    const log = join(directory, 'log.txt')
    await run('auditor', 'log', 'export', '--out', log)
    expect(await run('auditor', 'inspect', 'log', log)).toMatchObject({ code: 0 })
  })

  test('is not approved by who submitted it, nor unread', async () => {
    const path = file('one.yaml', example)
    expect(await ada.act('profile', 'apply', path)).toMatchObject({ code: 0 })
    const own = await ada.act('profile', 'approve', 'gate-seven', '--seen', await digestOf(path))
    expect(own).toMatchObject({ code: 4, stderr: said('decision.own-work') })
    const unread = await ada.act('profile', 'approve', 'gate-seven', '--seen', 'ab'.repeat(32))
    expect(unread).toMatchObject({ code: 4, stderr: said('profile.document-differs') })
  })

  test('with a mistake is not applied, and nothing is stored', async () => {
    const path = file('one.yaml', version(1, 'level: 3, scope: system', 'level: 7, scope: system'))
    const refused = await ben.act('profile', 'apply', path)
    expect(refused).toMatchObject({ code: 4, stderr: expect.stringMatching(/line \d+, column \d+/) })
    expect((await collector().run('auditor', 'profile', 'list', '--json')).stdout).toContain('"items": []')
  })

  test('is only looked at in a dry run', async () => {
    expect(await ben.act('profile', 'apply', file('one.yaml', example), '--dry-run')).toMatchObject({ code: 0 })
    expect((await collector().run('auditor', 'profile', 'list', '--json')).stdout).toContain('"items": []')
  })

  test('is reviewed, and the next review is later', async () => {
    await approved()
    const reviewed = await ben.act('profile', 'review', 'gate-seven', '--outcome', 'confirmed', '--text', 'as before')
    expect(reviewed).toMatchObject({ code: 0 })
    expect((await collector().run('auditor', 'profile', 'show', 'gate-seven')).stdout).toMatch(
      /reviewed .*confirmed: as/,
    )
  })
})

describe('a change of an approved profile', () => {
  const LOWER = [
    '--change',
    'lower-guarantee',
    '--reason',
    'r',
    '--public-note',
    'Customers, note.',
    '--recommendation',
    'n',
  ]

  test('that lowers is refused as a raise, and taken with its proof; the note is shown', async () => {
    await approved()
    const lower = file('two.yaml', version(2, 'level: 3, scope: system', 'level: 2, scope: system'))
    const raise = await ben.act('profile', 'apply', lower, '--change', 'raise', '--reason', 'x')
    expect(raise).toMatchObject({ code: 4, stderr: said('profile.lowering-refused') })
    expect(await ben.act('profile', 'apply', lower, ...LOWER)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('level 3 becomes 2'),
    })
    expect((await collector().run('auditor', 'profile', 'show', 'gate-seven')).stdout).toContain('Customers, note.')
  })

  test.each([
    ['an easier objective', 'targetPermille: 970', 'targetPermille: 950'],
    ['a weaker priority', 'priority: must', 'priority: may'],
    [
      'more that is taken for granted',
      'assumptions:\n',
      'assumptions:\n  - { id: good-network, text: Nobody attacks. }\n',
    ],
  ])('by %s is refused as a raise: the targets alone do not tell', async (_, from, to) => {
    await approved()
    const path = file('two.yaml', version(2, from, to))
    const refused = await ben.act('profile', 'apply', path, '--change', 'raise', '--reason', 'x')
    expect(refused).toMatchObject({ code: 4, stderr: said('profile.lowering-refused') })
  })

  test('says its kind, and what that kind asks for', async () => {
    await approved()
    const path = file('two.yaml', version(2, 'level: 2', 'level: 3'))
    expect(await ben.act('profile', 'apply', path)).toMatchObject({ code: 2 })
    expect(await ben.act('profile', 'apply', path, '--change', 'raise')).toMatchObject({ code: 2 })
    const done = await ben.act('profile', 'apply', path, '--change', 'raise', '--reason', 'as planned')
    expect(done).toMatchObject({ code: 0 })
    const words = '--unresolvable u --unforeseen f --public-note n --case cas_none'.split(' ')
    const unknown = await ben.act('profile', 'apply', path, '--change', 'unresolvable-nonconformity', ...words)
    expect(unknown).toMatchObject({ code: 4, stderr: said('decision.no-such-subject') })
  })

  test('leaves no version out', async () => {
    await approved()
    const path = file('three.yaml', version(3, 'level: 2', 'level: 3'))
    const refused = await ben.act('profile', 'apply', path, '--change', 'raise', '--reason', 'x')
    expect(refused).toMatchObject({ code: 4, stderr: said('profile.version-gap') })
  })
})

describe('a signed profile', () => {
  /** Signs by hand what the command would not. */
  async function submit(detail: Json) {
    const { url, tokens } = collector()
    const headers = { authorization: `Bearer ${tokens.vendor}`, 'content-type': 'application/json' }
    const next = (await (await fetch(`${url}/api/v1/decisions/next`, { headers })).json()) as {
      log: string
      index: number
      previous: string
    }
    const entry = await signDecision(
      {
        log: fromHex(next.log),
        index: next.index,
        previous: fromHex(next.previous),
        at: Math.floor(Date.now() / 1000),
        kind: 'profile.submit',
        subject: 'gate-seven',
        detail,
      },
      readKey(ben.file).signer,
    )
    const body = JSON.stringify({ entry: toBase64Url(entry) })
    const answer = await fetch(`${url}/api/v1/decisions`, { method: 'POST', headers, body })
    return ((await answer.json()) as { type?: string }).type
  }

  const targets = {
    'patch-management': { level: 3, scope: 'system' },
    'access-control': { level: 3, scope: 'industry' },
    'physical-protection': { level: 2, scope: 'industry' },
  }

  test('that nobody has handed in is refused', async () => {
    const detail = { version: 1, digest: 'ab'.repeat(32), targets, change: { kind: 'initial' } }
    expect(await submit(detail)).toBe('profile.document-missing')
  })

  test.each<[string, object]>([
    ['another target', { targets: { ...targets, 'access-control': { level: 4, scope: 'industry' } } }],
    ['a practice more', { targets: { ...targets, 'risk-attitude': { level: 1, scope: 'general' } } }],
    ['another kind', { profileKind: 'template' }],
  ])('that says %s than its document is refused', async (_, over) => {
    const path = file('one.yaml', example)
    // Handed in, and replaced by what comes next: nobody has approved it.
    await ben.act('profile', 'apply', path)
    const detail = { version: 1, digest: await digestOf(path), targets, change: { kind: 'initial' } }
    expect(await submit({ ...detail, ...over } as Json)).toBe('profile.document-differs')
    expect(await submit(detail)).toBeUndefined()
  })
})

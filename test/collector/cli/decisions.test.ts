import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useCollector } from './support.ts'

// People sign by the clock on the wall.
const collector = useCollector(undefined, Date.now)

/** Somebody with a key of his own. */
async function person(name: string) {
  const { run, directory } = collector()
  const file = join(directory, `${name}.pem`)
  const made = await run('auditor', 'key', 'create', '--key', file, '--json')
  expect(made).toMatchObject({ code: 0 })
  const { publicKey, keyId } = JSON.parse(made.stdout) as { publicKey: string; keyId: string }
  const act = (...argv: string[]) => run(argv.includes('begin') ? 'certifier' : 'auditor', ...argv, '--key', file)
  return { file, publicKey, keyId, act }
}

async function begun() {
  const ada = await person('ada')
  const first = await ada.act('log', 'begin', '--name', 'Ada', '--operator', 'Example Certifier')
  expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^per_[0-9a-f-]{36}\n$/) })
  return { ada, adaId: first.stdout.trim() }
}

describe('a key', () => {
  test('is made for nobody else to read, and never overwritten', async () => {
    const { file, act } = await person('ada')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const before = readFileSync(file, 'utf8')
    expect(await act('key', 'create')).toMatchObject({ code: 2, stderr: expect.stringContaining('exists') })
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  test('that others can read signs nothing', async () => {
    const { file, act } = await person('ada')
    chmodSync(file, 0o644)
    const refused = await act('log', 'begin', '--name', 'Ada', '--operator', 'x')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('chmod 600') })
  })
})

describe('the decision log', () => {
  test('is begun once, lets a certifier enter people, and shows who decided what', async () => {
    const { ada } = await begun()
    const ben = await person('ben')
    const add = ['person', 'add', '--name', 'Ben', '--role', 'vendor', '--public-key', ben.publicKey]
    expect(await ben.act(...add)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('belongs to nobody in the log'),
    })
    expect(await ada.act(...add)).toMatchObject({ code: 0 })
    expect(await ben.act(...add)).toMatchObject({ code: 4, stderr: expect.stringContaining('Ben is vendor') })
    const again = await ada.act('log', 'begin', '--name', 'Ada', '--operator', 'x')
    expect(again).toMatchObject({ code: 4, stderr: expect.stringContaining('there is a log') })
    const { run } = collector()
    const shown = await run('auditor', 'log', 'show')
    expect(shown.stdout).toMatch(/ 0 .* log\.begin per_.*\n.*by Ada \(certifier\)\n.* 1 .* person\.add per_/)
    const people = await run('auditor', 'person', 'list')
    expect(people.stdout).toContain('operated by Example Certifier')
    for (const { stdout } of [shown, people]) {
      for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    }
  })

  test('is exported, and checked without a server', async () => {
    const { ada } = await begun()
    const ben = await person('ben')
    await ada.act('person', 'add', '--name', 'Ben', '--role', 'vendor', '--public-key', ben.publicKey)
    const { run, directory } = collector()
    const file = join(directory, 'log.txt')
    expect(await run('auditor', 'log', 'export', '--out', file)).toMatchObject({ code: 0 })
    const good = await run('auditor', 'inspect', 'log', file, '--root', ada.keyId)
    expect(good).toMatchObject({ code: 0, stdout: expect.stringContaining('every entry holds') })
    expect(await run('auditor', 'inspect', 'log', file, '--root', ben.keyId)).toMatchObject({ code: 1 })

    const [title = '', first = '', second = ''] = readFileSync(file, 'utf8').split('\n')
    writeFileSync(file, [title, second, ''].join('\n'))
    const cut = await run('auditor', 'inspect', 'log', file)
    expect(cut).toMatchObject({ code: 1, stdout: expect.stringContaining('log.broken-link') })
    const head = 'ab'.repeat(32)
    writeFileSync(file, [title, first, ''].join('\n'))
    expect(await run('auditor', 'inspect', 'log', file)).toMatchObject({ code: 0 })
    expect(await run('auditor', 'inspect', 'log', file, '--head', head)).toMatchObject({ code: 1 })
    writeFileSync(file, [title, first].join('\n'))
    expect(await run('auditor', 'inspect', 'log', file)).toMatchObject({ code: 1 })
    writeFileSync(file, 'something else\n')
    expect(await run('auditor', 'inspect', 'log', file)).toMatchObject({ code: 1 })
  })

  test('that somebody changed in the database is not read any more', async () => {
    const { ada } = await begun()
    const { store, run } = collector()
    const [entry = new Uint8Array()] = await store.decisions.from(0, 1)
    await store.decisions.append(1, entry, 0)
    const shown = await run('auditor', 'person', 'list')
    expect(shown).toMatchObject({ code: 1, stderr: expect.stringContaining('does not follow') })
    const add = await ada.act('person', 'add', '--name', 'B', '--role', 'vendor', '--public-key', ada.publicKey)
    expect(add).toMatchObject({ code: 1, stderr: expect.stringContaining('does not follow') })
  })

  test('is begun by nobody without the token of a certifier', async () => {
    const eve = await person('eve')
    const { run } = collector()
    for (const role of ['vendor', 'operator', 'auditor'] as const) {
      const begin = await run(role, 'log', 'begin', '--name', 'Eve', '--operator', 'x', '--key', eve.file)
      expect(begin).toMatchObject({ code: 4, stderr: expect.stringContaining('begins no log') })
    }
    expect(await collector().store.decisions.from(0, 1)).toEqual([])
  })

  test('says to begin it while there is none', async () => {
    const ada = await person('ada')
    const add = await ada.act('person', 'add', '--name', 'B', '--role', 'vendor', '--public-key', ada.publicKey)
    expect(add).toMatchObject({ code: 4, stderr: expect.stringContaining('keepseal log begin') })
  })
})

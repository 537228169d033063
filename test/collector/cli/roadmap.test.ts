import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useCollector, type RunResult } from './support.ts'

// People sign by the clock on the wall.
const collector = useCollector(undefined, Date.now)

async function people() {
  const { run, directory } = collector()
  const person = async (name: string) => {
    const file = join(directory, `${name}.pem`)
    const made = await run('auditor', 'key', 'create', '--key', file, '--json')
    const { publicKey } = JSON.parse(made.stdout) as { publicKey: string }
    return { publicKey, act: (...argv: string[]) => run('certifier', ...argv, '--key', file) }
  }
  const [ada, ben] = [await person('ada'), await person('ben')]
  await ada.act('log', 'begin', '--name', 'Ada', '--operator', 'Example Certifier')
  await ada.act('person', 'add', '--name', 'Ben', '--role', 'vendor', '--public-key', ben.publicKey)
  return { ada, ben, run }
}

const narrow = ({ stdout }: RunResult) => {
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
}
const idIn = ({ stdout }: RunResult, name: string) => (JSON.parse(stdout) as Record<string, string>)[name] ?? ''
const day = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10)

test('a recommendation is made, answered, put on the roadmap, and repeated for another product', async () => {
  const { ada, ben, run } = await people()
  const what = ['--title', 'Sign the update channel', '--text', 'Sign updates, and pin the key.']
  const about = ['--practice', 'patch-management', '--product', 'Acme/Gate 7']
  expect(await ben.act('recommendation', 'make', ...what, ...about)).toMatchObject({ code: 4 })
  expect(await ada.act('recommendation', 'make', ...about)).toMatchObject({ code: 2 })
  const made = await ada.act('recommendation', 'make', ...what, ...about, '--json')
  const recommendation = idIn(made, 'recommendation')
  expect(await run('auditor', 'recommendation', 'list')).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('unanswered'),
  })
  const accepted = await ben.act('recommendation', 'answer', recommendation, 'accepted', '--reason', 'in 1.2')
  expect(accepted).toMatchObject({ code: 0 })
  const like = await ada.act('recommendation', 'make', '--like', recommendation, '--product', 'Acme/Gate 9', '--json')
  expect(like).toMatchObject({ code: 0 })
  const shown = await run('auditor', 'recommendation', 'show', idIn(like, 'recommendation'))
  expect(shown.stdout).toContain('Sign updates, and pin the key.')
  const listed = await run('auditor', 'recommendation', 'list', '--practice', 'patch-management')
  for (const each of [shown, listed]) narrow(each)

  const step = [
    '--title',
    'Signed updates',
    '--from-level',
    '1',
    '--to-level',
    '3',
    '--owner',
    'Olga',
    '--evidence',
    'the fleet',
  ]
  const add = (...more: string[]) => ben.act('roadmap', 'add', ...step, ...about, ...more)
  expect(await add('--due', day(-1))).toMatchObject({ code: 4 })
  const added = await add('--due', day(30), '--recommendation', recommendation, '--json')
  expect(added).toMatchObject({ code: 0 })
  const item = idIn(added, 'item')
  expect(
    await ben.act('roadmap', 'change', item, '--owner', 'Ben', '--due', day(60), '--reason', 'later'),
  ).toMatchObject({ code: 0 })
  const open = await run('auditor', 'roadmap', 'list')
  expect(open.stdout).toMatch(new RegExp(`${item} +${day(60)}> +1 to 3 +Ben`))
  narrow(open)
  expect(await ben.act('roadmap', 'close', item, 'done', '--reason', 'it shows')).toMatchObject({ code: 0 })
  expect((await run('auditor', 'roadmap', 'list')).stdout).not.toContain(item)
  expect((await run('auditor', 'roadmap', 'list', '--all')).stdout).toContain('done')
  expect(await ada.act('recommendation', 'withdraw', recommendation, '--reason', 'no')).toMatchObject({ code: 0 })
  expect(await run('auditor', 'assessment', 'show', 'crt_1')).toMatchObject({ code: 1 })
  expect(await ada.act('assessment', 'begin', 'crt_1', 'new-product')).toMatchObject({ code: 4 })
})

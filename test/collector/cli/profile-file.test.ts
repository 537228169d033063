import { spawnSync } from 'node:child_process'
import { appendFileSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { useCollector } from './support.ts'

const collector = useCollector()
const page = readFileSync(new URL('../../../docs/profiles.md', import.meta.url), 'utf8')
const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? ''

function file(name: string, content: string): string {
  const path = join(collector().directory, name)
  writeFileSync(path, content)
  return path
}

function changed(from: string, to: string, text = example): string {
  expect(text).toContain(from)
  return text.replace(from, to)
}

const placeOf = (text: string, part: string): { line: number; column: number } => {
  const before = text.slice(0, text.indexOf(part)).split('\n')
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 }
}

interface Linted {
  digest: string | null
  mistakes: { line: number; column: number; message: string }[]
}

// Neither address nor token: these commands need no server.
async function keepseal(...argv: string[]) {
  const ran = await collector().runWith({}, ...argv)
  return { ...ran, json: () => JSON.parse(ran.stdout) as Linted }
}

describe('profile lint', () => {
  test('takes the example of the documentation, and tells its digest', async () => {
    const { code, stdout } = await keepseal('profile', 'lint', file('a.yaml', example))
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/digest +[0-9a-f]{64}/) })
    expect(stdout).toMatch(/note .*locked-cabinet/)
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  test('has the same digest for the same profile as JSON', async () => {
    const { parse } = await import('yaml')
    const yaml = await keepseal('profile', 'lint', '--json', file('a.yaml', example))
    const json = await keepseal('profile', 'lint', '--json', file('a.json', JSON.stringify(parse(example))))
    expect(json.json().digest).toBe(yaml.json().digest)
  })

  test.each([
    [
      'an unknown practice',
      'patch-management:\n',
      'patch-managment:\n',
      'patch-managment',
      'practices.patch-managment',
    ],
    ['a target out of range', 'level: 3, scope: system', 'level: 5, scope: system', '5, scope: sys', 'target.level'],
    ['an unknown scope', 'scope: system', 'scope: world', 'world', 'target.scope'],
    ['an unknown signal', 'patch.supported-release:', 'patch.supported:', 'patch.supported:', 'slo.patch.supported'],
    [
      'a share that is given as a number',
      'targetPermille: 970',
      'target: 97',
      'patch.supported-release',
      'targetPermille',
    ],
    ['an unknown kind of document', '[patch-policy]', '[patch-polcy]', 'patch-polcy', 'did you mean patch-policy?'],
    ['a document of another practice', '[patch-policy]', '[threat-model]', 'threat-model', 'says nothing about'],
    [
      'a limitation of what is not guaranteed',
      'practices: [patch-management]',
      'practices: [risk-attitude]',
      'risk-attitude',
      'guarantees nothing',
    ],
    ['a field that is not known', 'scenario: product-line', 'scenaria: product-line', 'scenaria', 'not known here'],
    ['a field that is given twice', 'kind: individual', 'kind: individual\nkind: template', 'kind: template', 'unique'],
    [
      'being based on itself',
      'practices:\n',
      `basedOn: { id: gate-seven, version: 1, digest: ${'ab'.repeat(32)} }\npractices:\n`,
      'gate-seven, version',
      'based on itself',
    ],
    [
      'something left out of no template',
      'countsFrom',
      'omitted: { risk-attitude: not needed }\ncountsFrom',
      'not needed',
      'no template',
    ],
  ])('names the place of %s', async (_, from, to, place, said) => {
    const text = changed(from, to)
    const linted = await keepseal('profile', 'lint', '--json', file('a.yaml', text))
    expect(linted.code).toBe(1)
    const { digest, mistakes } = linted.json()
    expect(digest).toBeNull()
    expect(mistakes).toEqual([{ ...placeOf(text, place), message: expect.stringContaining(said) }])
  })

  test('names every mistake, not the first alone', async () => {
    const text = changed('priority: may', 'priority: perhaps', changed('level: 2', 'level: 0'))
    const { mistakes } = (await keepseal('profile', 'lint', '--json', file('a.yaml', text))).json()
    expect(mistakes).toHaveLength(2)
  })

  test('refuses what would unfold to gigabytes', async () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', 'b: &b [*a,*a,*a,*a,*a,*a,*a,*a]', 'c: &c [*b,*b,*b,*b,*b,*b,*b,*b]']
    const more = ['d: &d [*c,*c,*c,*c,*c,*c,*c,*c]', 'e: [*d,*d,*d,*d,*d,*d,*d,*d]']
    expect((await keepseal('profile', 'lint', file('a.yaml', [...bomb, ...more].join('\n')))).code).toBe(1)
    expect((await keepseal('profile', 'lint', file('b.yaml', 'x'.repeat(600_000)))).code).toBe(1)
  })
})

describe('profile lint with templates', () => {
  const template = example.replace('id: gate-seven', 'id: gateways').replace('kind: individual', 'kind: template')

  async function basedOn(text = template): Promise<{ path: string; reference: string }> {
    const path = file('template.yaml', text)
    const { digest } = (await keepseal('profile', 'lint', '--json', path)).json()
    return { path, reference: `basedOn: { id: gateways, version: 1, digest: ${digest ?? '?'} }\n` }
  }

  const bare = example.replace(/    rationale: .*\n/, '')

  test('takes a profile that is as its template', async () => {
    const { path, reference } = await basedOn()
    const linted = await keepseal('profile', 'lint', file('a.yaml', reference + bare), '--template', path)
    // Its own rationale is no part of what is guaranteed.
    expect(linted).toMatchObject({ code: 0 })
  })

  test('asks for the reason of each deviation', async () => {
    const { path, reference } = await basedOn()
    const text = reference + changed('level: 3, scope: system', 'level: 2, scope: system', bare)
    const { mistakes } = (await keepseal('profile', 'lint', '--json', file('a.yaml', text), '--template', path)).json()
    expect(mistakes).toMatchObject([{ message: expect.stringContaining('there is no rationale') }])
    const explained = changed('priority: must', 'priority: must\n    rationale: The hardware is old.', text)
    expect(await keepseal('profile', 'lint', file('b.yaml', explained), '--template', path)).toMatchObject({ code: 0 })
    const without =
      reference +
      bare
        .replace(/  physical-protection:\n(    .*\n){2}/, '')
        .replace('practices: [physical-protection]', 'practices: []')
    const left = (await keepseal('profile', 'lint', '--json', file('c.yaml', without), '--template', path)).json()
    expect(left.mistakes).toMatchObject([{ message: expect.stringContaining('left out without a reason') }])
  })

  test('refuses a template that is another than the one named', async () => {
    const { path, reference } = await basedOn()
    writeFileSync(path, changed('everyDays: 180', 'everyDays: 90', template))
    const { mistakes } = (
      await keepseal('profile', 'lint', '--json', file('a.yaml', reference + bare), '--template', path)
    ).json()
    expect(mistakes).toMatchObject([{ line: 1, message: expect.stringContaining('basedOn.digest') }])
  })

  test('names a circle', async () => {
    const back = `basedOn: { id: gate-seven, version: 1, digest: ${'ab'.repeat(32)} }\n`
    const { path, reference } = await basedOn(back + template)
    const { mistakes } = (
      await keepseal('profile', 'lint', '--json', file('a.yaml', reference + bare), '--template', path)
    ).json()
    expect(mistakes).toMatchObject([
      { line: 1, message: expect.stringContaining('gate-seven -> gateways -> gate-seven') },
    ])
  })
})

describe('profile diff', () => {
  test('tells what differs, and what the second guarantees less of', async () => {
    const [a, b] = [
      file('a.yaml', example),
      file('b.yaml', changed('level: 3, scope: system', 'level: 2, scope: system')),
    ]
    const less = await keepseal('profile', 'diff', a, b)
    expect(less).toMatchObject({ code: 1, stdout: expect.stringContaining('level 3 becomes 2') })
    expect(less.stdout).toMatch(/practices\.patch-management\.target\.level\n {2}- 3\n {2}\+ 2/)
    const more = await keepseal('profile', 'diff', b, a)
    expect(more.code).toBe(1)
    expect(more.stdout).not.toContain('guarantees less')
    expect(await keepseal('profile', 'diff', a, a)).toMatchObject({ code: 0, stdout: 'they say the same\n' })
  })
})

describe('the catalogue', () => {
  test('lists all practices within 80 columns', async () => {
    const { code, stdout } = await keepseal('practice', 'catalogue')
    expect(code).toBe(0)
    expect(stdout.match(/^(governance|enablement|hardening) /gm)).toHaveLength(18)
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  test('is written, checked, and is the same', async () => {
    const path = join(collector().directory, 'catalogue.yaml')
    const { digest } = (await keepseal('practice', 'catalogue', '--json', '--out', path)).json()
    const checked = await keepseal('practice', 'catalogue', '--check', path, '--json')
    expect(checked).toMatchObject({ code: 0 })
    expect(checked.json()).toEqual({ digest, mistakes: [] })
    const text = readFileSync(path, 'utf8')
    const amended = changed('months: 6', 'months: 5', text)
    writeFileSync(path, amended)
    const other = (await keepseal('practice', 'catalogue', '--check', path, '--json')).json()
    expect(other.digest).not.toBe(digest)
    writeFileSync(path, changed('months: 6', 'months: 25', text))
    const broken = await keepseal('practice', 'catalogue', '--check', path, '--json')
    expect(broken.code).toBe(1)
    expect(broken.json().mistakes).toMatchObject([
      { ...placeOf(text.replace('months: 6', 'months: 25'), '25\n'), message: expect.stringContaining('months') },
    ])
    writeFileSync(path, changed('iec-62443-4-1:\n    title', 'iec-62443-4-9:\n    title', text))
    const dangling = (await keepseal('practice', 'catalogue', '--check', path, '--json')).json()
    expect(dangling.mistakes[0]?.message).toContain('a framework that the catalogue does not list')
  })

  test('comes with a JSON Schema', async () => {
    const path = join(collector().directory, 'catalogue.schema.json')
    expect(await keepseal('practice', 'catalogue', '--schema', path)).toMatchObject({ code: 0 })
    const schema = JSON.parse(readFileSync(path, 'utf8')) as { properties: { practices: { required: string[] } } }
    expect(schema.properties.practices.required).toHaveLength(18)
  })

  test('shows a practice by any of its names', async () => {
    for (const name of ['patch-management', 'Patch Management', 'update management']) {
      const { code, stdout } = await keepseal('practice', 'show', name)
      expect(code).toBe(0)
      expect(stdout).toMatch(/patch\.supported-release[^]*patch-policy[^]*IEC 62443-4-1/)
      for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    }
    expect(await keepseal('practice', 'show', 'patch-managment')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('did you mean patch-management?'),
    })
  })
})

const isThere = spawnSync('systemd-analyze', ['--version']).status === 0

describe('profile limits', () => {
  const limited = (agent: string, name = 'limited.yaml') =>
    file(
      name,
      changed(
        'limitations:\n',
        `limitations:\n  - id: small-memory\n    title: Little memory\n    reason: The gateway has 512 MiB.\n    practices: [patch-management]\n    compensation: null\n    public: false\n    agent: ${agent}\n`,
      ),
    )

  test('are the settings of the units that the limitation asks for', async () => {
    const { code, stdout } = await keepseal('profile', 'limits', limited('{ memoryMiB: 160, cpuPercent: 10 }'))
    expect(code).toBe(0)
    expect(stdout).toMatch(/CPUQuota=10%\nMemoryHigh=112M\nMemoryMax=160M/)
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  test('are refused where the agent cannot do with them', async () => {
    for (const agent of [
      '{ memoryMiB: 127, cpuPercent: 10 }',
      '{ memoryMiB: 160, cpuPercent: 4 }',
      '{ memoryMiB: 160 }',
    ]) {
      const out = join(collector().directory, 'out')
      expect((await keepseal('profile', 'limits', limited(agent), '--out', out)).code, agent).not.toBe(0)
      expect(existsSync(out)).toBe(false)
    }
  })

  test('are none in a profile that says nothing of them', async () => {
    expect(await keepseal('profile', 'limits', file('a.yaml', example), '--json')).toMatchObject({ code: 1 })
  })

  test.skipIf(!isThere)(`are understood by systemd${isThere ? '' : ' (skipped: no systemd-analyze)'}`, async () => {
    const units = join(collector().directory, 'units')
    const argv = ['profile', 'limits', limited('{ memoryMiB: 160, cpuPercent: 10 }'), '--out', units]
    expect((await keepseal(...argv)).code).toBe(0)
    for (const name of ['keepseal-agent.service', 'keepseal-measure@.service']) {
      copyFileSync(new URL(`../../../deploy/systemd/${name}`, import.meta.url), join(units, name))
      const said = () => {
        const environment = { ...process.env, SYSTEMD_UNIT_PATH: `${units}:` }
        const unit = join(units, name.replace('@', '@1'))
        const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], {
          env: environment,
          encoding: 'utf8',
        })
        return `${stdout}${stderr}`
      }
      expect(said()).not.toContain('limits.conf')
      appendFileSync(join(units, `${name}.d`, 'limits.conf'), 'MemoryMax=much\n')
      expect(said()).toContain('limits.conf')
    }
  })
})

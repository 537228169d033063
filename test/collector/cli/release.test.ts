import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { certify } from '../../support/decision-log.ts'
import { useCollector } from './support.ts'

const page = readFileSync(new URL('../../../docs/releases.md', import.meta.url), 'utf8')
const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? ''

/** What a terminal of 80 columns shows without a break. */
function expectNarrow(output: string): void {
  for (const line of output.split('\n')) {
    // Ids and digests are to be copied whole.
    if (!/[0-9a-f]{32}/.test(line) && !line.includes('rel_')) expect(line.length, line).toBeLessThanOrEqual(80)
  }
}

describe('keepseal release', () => {
  const collector = useCollector()

  const fileOf = (name: string, text: string): string => {
    const file = join(collector().directory, name)
    writeFileSync(file, text)
    return file
  }

  /** A product with the release of the documentation, as a draft of the vendor. */
  async function withDraft() {
    const { run } = collector()
    await run('operator', 'product', 'create', '--vendor', 'Acme', '--model', 'Gate 7')
    const imported = await run('vendor', 'release', 'import', 'Gate 7', fileOf('a.yaml', example))
    expect(imported).toMatchObject({ code: 0, stderr: '' })
    const { stdout } = await run('vendor', 'release', 'show', 'Gate 7@2.4.1', '--json')
    const { seen } = JSON.parse(stdout) as { seen: string }
    return { run, seen, imported }
  }

  it('goes from a file over a second person and the certifier into force, and back into a file', async () => {
    const { run, seen, imported } = await withDraft()
    expectNarrow(imported.stdout)
    await certify(collector().store, 'Acme/Gate 7')
    const own = await run('vendor', 'release', 'approve', 'Gate 7@2.4.1', '--seen', seen)
    expect(own).toMatchObject({ code: 4, stderr: expect.stringContaining('an author cannot approve') })
    const other = await run('operator', 'release', 'approve', 'Gate 7@2.4.1', '--seen', '0'.repeat(16))
    expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining('not what was looked at') })
    expect((await run('operator', 'release', 'approve', 'Gate 7@2.4.1', '--seen', seen)).code).toBe(0)
    const early = await run('operator', 'release', 'activate', 'Gate 7@2.4.1')
    expect(early).toMatchObject({ code: 4, stderr: expect.stringContaining('countersignature') })
    expect((await run('operator', 'release', 'countersign', 'Gate 7@2.4.1', '--seen', seen)).code).toBe(4)
    expect((await run('certifier', 'release', 'countersign', 'Gate 7@2.4.1', '--seen', seen)).code).toBe(0)
    const tried = await run('operator', 'release', 'activate', 'Gate 7@2.4.1', '--dry-run')
    expect(tried).toMatchObject({ code: 0, stdout: expect.stringContaining('approved') })
    const active = await run('operator', 'release', 'activate', 'Gate 7@2.4.1')
    expect(active).toMatchObject({ code: 0, stdout: expect.stringContaining('may run it: accepted') })
    expectNarrow(active.stdout)

    const shown = await run('auditor', 'release', 'show', 'Gate 7@2.4.1')
    expect(shown.stdout).toMatch(/draft by vendor[^]*approve by operator[^]*countersign by certifier[^]*activate/)
    expectNarrow(shown.stdout)
    const out = join(collector().directory, 'out.yaml')
    await run('auditor', 'release', 'export', 'Gate 7@2.4.1', '--out', out)
    const checked = await run('auditor', 'release', 'check', out, '--json')
    expect(JSON.parse(checked.stdout)).toMatchObject({ name: '2.4.1', digest: expect.stringContaining(seen) })
  })

  it('shows what a release expects otherwise than the one before', async () => {
    const { run } = await withDraft()
    const text = example
      .replace('name: 2.4.1\nsections', 'name: 2.5.0\nsections')
      .replace('{ name: gateway, version: 2.4.1 }', '{ name: gateway, version: 2.5.0 }')
      .replace('ports: 5000-5010', 'ports: 5000-5020')
      .replace('eb3068', 'eb3069')
    await run('vendor', 'release', 'import', 'Gate 7', fileOf('b.yaml', text))
    const { stdout } = await run('auditor', 'release', 'diff', 'Gate 7@2.5.0', 'Gate 7@2.4.1')
    expect(stdout.trimEnd().split('\n')).toEqual([
      'packages',
      '  ~ gateway',
      '      2.4.1',
      '   -> 2.5.0',
      'sockets',
      '  + allowed listener udp 5000-5020 address: any executable',
      '  - allowed listener udp 5000-5010 address: any executable',
      'measured boot',
      '  ~ PCR 7 of sha256',
      '      65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e234eb3068',
      '   -> 65caf8dd1e0ea7a6347b635d2b379c93b9a1351edc2afc3ecda700e234eb3069',
    ])
    const all = await run('auditor', 'release', 'diff', 'Gate 7@2.5.0')
    expectNarrow(all.stdout)
    const fleet = await run('auditor', 'release', 'diff', 'Gate 7@2.5.0', '--fleet')
    expect(fleet).toMatchObject({ code: 0, stdout: expect.stringContaining('0 devices judged') })
  })

  it('names the place of a mistake in a file, without a server', async () => {
    const { runWith } = collector()
    const file = fileOf('c.yaml', example.replace('minimum:', 'minimal:'))
    const { code, stderr } = await runWith({}, 'release', 'check', file)
    expect(code).toBe(4)
    expect(stderr).toMatch(/line \d+, column 7: sections.packages.packages.minimal is not known here/)
  })

  it('writes nothing in a dry run, and refuses a release of another product', async () => {
    const { run } = collector()
    await run('operator', 'product', 'create', '--vendor', 'Acme', '--model', 'Gate 7')
    const file = fileOf('a.yaml', example)
    expect((await run('vendor', 'release', 'import', 'Gate 7', file, '--dry-run')).code).toBe(0)
    expect(JSON.parse((await run('auditor', 'release', 'list', 'Gate 7', '--json')).stdout)).toMatchObject({
      items: [],
    })
    const other = fileOf('d.yaml', example.replace('model: Gate 7', 'model: Gate 8'))
    expect(await run('vendor', 'release', 'import', 'Gate 7', other)).toMatchObject({ code: 4 })
  })
})

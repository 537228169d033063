import { createHash } from 'node:crypto'
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
import { decodeCoseKey } from '../../../shared/cose/key.ts'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import { certify, type DecidingPeople } from '../../support/decision-log.ts'
import { storedProduct } from '../store/samples.ts'
import { useCollector, type RunResult } from './support.ts'

// People sign by the clock on the wall.
const collector = useCollector(undefined, Date.now)

const expectFits = ({ stdout }: RunResult): void => {
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
}

/** A certified product and somebody of each role with a key in a file. */
async function prepared() {
  const { store, run, directory } = collector()
  await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
  const people = await certify(store, 'Acme/Gate 7', Math.floor(Date.now() / 1000))
  const book = new DecisionBook(store)
  const somebody = async (name: string, role: 'vendor' | 'certifier', by: DecidingPeople) => {
    const file = join(directory, `${name}.pem`)
    const { publicKey } = JSON.parse((await run('auditor', 'key', 'create', '--key', file, '--json')).stdout) as {
      publicKey: string
    }
    const key = decodeCoseKey(fromHex(publicKey))
    const entry = await by.sign(by.certifier, 'person.add', `per_${name}`, newPerson(name, role, key))
    await book.append(entry, by.now)
    by.log.append(entry)
    return (...argv: string[]) => run(role, ...argv, '--key', file)
  }
  const vendor = await somebody('Ben', 'vendor', people)
  const other = await somebody('Olga', 'vendor', people)
  const certifier = await somebody('Ada', 'certifier', people)
  const argv = ['--product', 'Gate 7', '--trigger', 'T18', '--reference', 'PSIRT-41']
  const open = () =>
    run('vendor', 'case', 'open', ...argv, '--summary', 'any password works', '--source', 'a researcher, by mail')
  return { run, store, directory, vendor, other, certifier, open }
}

describe('keepseal case', () => {
  test('open reports what no sensor sees, one case for one reference, and only with a certificate in force', async () => {
    const { open, run, store } = await prepared()
    const first = await open()
    expect(first).toMatchObject({ code: 0, stdout: expect.stringMatching(/^cas_[0-9a-f-]{36}\n$/) })
    expect((await open()).stdout).toBe(`${first.stdout.trim()} (there was one)\n`)
    const listed = await run('auditor', 'case', 'list')
    expect(listed.stdout).toContain('complaint.received')
    expectFits(listed)
    await storedProduct(store, { vendor: 'Acme', model: 'Other' })
    const other = ['--product', 'Other', '--trigger', 'T9', '--summary', 's', '--source', 's']
    expect(await run('vendor', 'case', 'open', ...other)).toMatchObject({ code: 4 })
    expect(await run('auditor', 'case', 'open', ...other)).toMatchObject({ code: 4 })
    const sensed = ['--product', 'Gate 7', '--trigger', 'T1', '--summary', 's', '--source', 's']
    expect(await run('vendor', 'case', 'open', ...sensed)).toMatchObject({ code: 2 })
  })

  test('leads through every step to its end, each signed by who it is for, and shows all of it', async () => {
    const { open, run, directory, vendor, other, certifier } = await prepared()
    const id = (await open()).stdout.trim()
    const practice = 'access-control'

    const dry = await vendor('case', 'triage', id, '--accept', '--reason', 'it is so', '--dry-run')
    expect(dry).toMatchObject({ code: 0, stdout: expect.stringContaining('It would be taken. Nothing was signed.') })
    expectFits(dry)
    expect(await vendor('case', 'triage', id, '--reason', 'r')).toMatchObject({ code: 2 })
    expect(await vendor('case', 'triage', id, '--accept', '--reason', 'it is so')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${id} is triaged now`),
    })
    const since = new Date(Date.now() - 3_600_000).toISOString()
    const aware = ['--scheme', 'cra-vulnerability', '--at', since, '--source', 'a researcher', '--reason', 'a mail']
    expect(await certifier('case', 'aware', id, ...aware)).toMatchObject({ code: 4 })
    expect(await vendor('case', 'aware', id, ...aware)).toMatchObject({ code: 0 })
    const impact = ['--summary', 'the login is open', '--practice', practice, '--class', 'emergency']
    const change = ['--change', 'the login page: takes any password', '--affected', 'the access review of 2026']
    expect(await vendor('case', 'impact', id, ...impact, ...change)).toMatchObject({ code: 0 })
    const scope = ['--practice', practice, '--class', 'emergency', '--severity', 'high', '--reason', 'only the login']
    const criterion = ['--criterion', `${practice}: every login needs its password`, '--recommend', 'test logins']
    const refused = await vendor('case', 'scope', id, ...scope, '--dry-run')
    expect(refused).toMatchObject({ code: 1, stdout: expect.stringContaining('(decision.role)') })
    expectFits(refused)
    expect(await certifier('case', 'scope', id, ...scope, ...criterion)).toMatchObject({ code: 0 })
    const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10)
    const action = ['--action', `${day} Ben: check the password again`]
    expect(await vendor('case', 'plan', id, '--action', 'soon', '--until', day)).toMatchObject({ code: 2 })
    expect(await vendor('case', 'plan', id, ...action, '--until', day)).toMatchObject({ code: 0 })
    expect(await vendor('case', 'fixed', id, '--what', 'release 1.1 checks it')).toMatchObject({ code: 0 })

    const report = join(directory, 'retest.txt')
    writeFileSync(report, 'no login without password')
    const result = ['--result', `${practice}: as targeted`, '--document', report]
    const early = new Date(Date.now() - 86_400_000)
    utimesSync(report, early, early)
    const old = await other('case', 'verify', id, ...result)
    expect(old).toMatchObject({ code: 4, stderr: expect.stringContaining('older than the fix') })
    writeFileSync(report, 'no login without its password')
    const own = await vendor('case', 'verify', id, ...result)
    expect(own).toMatchObject({ code: 4, stderr: expect.stringContaining('nobody decides about what he himself') })
    expect(await other('case', 'verify', id, ...result)).toMatchObject({ code: 0 })

    const shown = await run('auditor', 'case', 'show', id)
    expectFits(shown)
    for (const part of ['any password works', 'assessor-decision', 'by Olga', '(not legal advice)', 'early warning']) {
      expect(shown.stdout).toContain(part)
    }
    expect(shown.stdout).toContain(`keepseal case decide ${id}`)
    const closed = await certifier('case', 'decide', id, '--outcome', 'closed', '--reason', 'the retest shows it')
    expect(closed).toMatchObject({ code: 0, stdout: expect.stringContaining('is closed now') })
    expect((await run('auditor', 'case', 'list', '--state', 'closed')).stdout).toContain(id)

    const [json, cbor] = [join(directory, 'case.json'), join(directory, 'case.cbor')]
    const written = await run('auditor', 'case', 'export', id, '--out', json, '--json')
    const again = await run('auditor', 'case', 'export', id, '--out', cbor, '--format', 'cbor', '--json')
    expect(JSON.parse(written.stdout)).toMatchObject({ decisions: 8, findings: 0 })
    const { digest } = JSON.parse(again.stdout) as { digest: string }
    expect(createHash('sha256').update(readFileSync(cbor)).digest('hex')).toBe(digest)
    const bundle = JSON.parse(readFileSync(json, 'utf8')) as { people: { name: string }[] }
    expect(bundle).toMatchObject({ case: { id, state: 'closed' }, facts: { summary: 'any password works' } })
    expect(bundle.people.map(({ name }) => name).sort()).toEqual(['Ada', 'Ben', 'Olga'])
  })

  test('escalate proposes, and a case goes on afterwards', async () => {
    const { open, vendor, certifier, run } = await prepared()
    const id = (await open()).stdout.trim()
    await vendor('case', 'triage', id, '--accept', '--reason', 'it is so')
    const propose = ['--measure', 'suspend', '--reason', 'nothing happens']
    expect(await vendor('case', 'escalate', id, ...propose)).toMatchObject({ code: 4 })
    expect(await certifier('case', 'escalate', id, ...propose, '--product', 'Acme/Gate 7')).toMatchObject({ code: 0 })
    const shown = await run('auditor', 'case', 'show', id)
    expect(shown.stdout).toContain('suspend: nothing happens')
    expectFits(shown)
    expect(await certifier('case', 'decide', id, '--outcome', 'resume', '--reason', 'they work')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('is triaged now'),
    })
  })
})

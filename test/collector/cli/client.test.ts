import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { client } from '../../../collector/cli/client/program.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import type { Store } from '../../../collector/store/index.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import { tokenHash } from '../../../shared/evidence/binding.ts'
import { isPrintable } from '../../../shared/text/printable.ts'
import { bytes, evidence, finding, NOW, storedDevice, storedProduct, reassessment } from '../store/samples.ts'
import { quotedMessage } from '../../support/quoted-message.ts'
import { useCollector, type RunResult } from './support.ts'

const expectFits = ({ stdout }: RunResult): void => {
  for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
}

/** A device whose newest evidence can be approved, with a finding against it. */
async function driftedDevice(store: Store) {
  const device = await storedDevice(store)
  const message = await quotedMessage()
  await store.evidence.insert(evidence(device.id, 0, { bytes: message.bytes }))
  await store.postures.save(device.vendor, bytes('posture'), new Map())
  await store.pcrSets.save(device.vendor, bytes('pcrs'), message.pcrs, 0)
  await store.sections.save(device.vendor, sha256(message.log), message.log)
  await store.devices.saveState(device.id, {
    ...initialDeviceState,
    verdict: 'contraindicated',
    verdictCode: 'sockets.listener-added',
    latch: 'recovered-unacknowledged',
    lastFreshAt: NOW,
    freshSession: bytes('session', 16),
    freshSequence: 0,
    postureDigest: bytes('posture'),
    pcrDigest: bytes('pcrs'),
  })
  await store.findings.insert(finding(device.id))
  return device
}

describe('keepseal product and token', () => {
  const collector = useCollector()

  it('make a product, and a token for it that enrols', async () => {
    const { run, store, directory } = collector()
    const made = await run(
      'operator',
      'product',
      'create',
      '--vendor',
      'Acme',
      '--model',
      'Gate 7',
      '--identity',
      'tofu',
    )
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(/^prd_[0-9a-f-]{36}\n$/) })
    const productId = made.stdout.trim()
    const list = await run('auditor', 'product', 'list')
    expect(list.stdout).toContain(productId)
    expect(list.stdout).toMatch(/Acme +Gate 7 +tofu/)
    expectFits(list)

    for (const reference of [productId, 'Gate 7', 'Acme/Gate 7']) {
      const token = await run('operator', 'token', 'create', '--product', reference)
      expect(token.stdout).toMatch(/^kse_[A-Za-z0-9_-]{43}\n$/)
      const stored = await store.enrolmentTokens.byHash(tokenHash(token.stdout.trim(), hash))
      expect(stored?.productId).toBe(productId)
      expect(token.stderr).toContain('keepseal-agent enroll --collector http://localhost:')
    }

    const file = join(directory, 'gateway.token')
    const quiet = await run('operator', 'token', 'create', '--product', productId, '--output', file, '--json')
    expect(readFileSync(file, 'utf8')).toMatch(/^kse_[A-Za-z0-9_-]{43}\n$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(quiet.stdout + quiet.stderr).not.toContain('kse_')
    const again = await run('operator', 'token', 'create', '--product', productId, '--output', file)
    expect(again).toMatchObject({ code: 2, stdout: '' })
  })

  it('register the endorsement keys of a batch, all or none, list them, and revoke one', async () => {
    const { run, store, directory } = collector()
    await storedProduct(store, { model: 'Batch' })
    const file = join(directory, 'batch.csv')
    const line = (label: string, serial: string) => `ek,${Buffer.from(bytes(label)).toString('hex')},${serial}\n`
    writeFileSync(file, `kind,fingerprint,serial\n${line('one', '0001')}${line('two', '0002')}`)
    const taken = await run('operator', 'registration', 'import', '--product', 'Batch', file)
    expect(taken).toMatchObject({ code: 0, stdout: expect.stringMatching(/^2 registered, until /) })
    const again = await run('operator', 'registration', 'import', '--product', 'Batch', file)
    expect(again.code).not.toBe(0)

    const list = await run('auditor', 'registration', 'list', '--product', 'Batch')
    expectFits(list)
    expect(list.stdout).toMatch(/unused +ek +0002/)
    const [registration] = (await store.registrations.list({ limit: 9 })).items
    expect((await run('operator', 'registration', 'revoke', registration?.id ?? '')).stdout).toBe('revoked\n')
    expect((await run('auditor', 'registration', 'list')).stdout).toMatch(/revoked +ek +000/)
    writeFileSync(file, 'kind,fingerprint\nek,12\n')
    const wrong = await run('operator', 'registration', 'import', '--product', 'Batch', file)
    expect(wrong.stderr).toContain('line 2')
    expect(wrong.code).not.toBe(0)
  })

  it('make a token for the re-enrolment of a device, of which the product is known', async () => {
    const { run, store } = collector()
    const device = await storedDevice(store)
    const { code, stdout } = await run('operator', 'token', 'create', '--reenrol', device.ueid)
    expect(code).toBe(0)
    const stored = await store.enrolmentTokens.byHash(tokenHash(stdout.trim(), hash))
    expect(stored).toMatchObject({ productId: device.productId, reenrolUeid: device.ueid })
  })

  it('refuse a product that is not there, or not the only one of its name', async () => {
    const { run, store } = collector()
    await storedProduct(store, { vendor: 'A', model: 'Same' })
    await storedProduct(store, { vendor: 'B', model: 'Same' })
    for (const reference of ['Same', 'Nothing']) {
      const refused = await run('operator', 'token', 'create', '--product', reference)
      expect(refused).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringContaining('next: keepseal product list'),
      })
    }
    const missing = await run('operator', 'token', 'create')
    expect(missing).toMatchObject({ code: 2 })
  })
})

describe('keepseal device', () => {
  const collector = useCollector()

  it('lists devices within 80 columns, with ids that can be copied', async () => {
    const { run, store } = collector()
    const { id: productId } = await storedProduct(store)
    const worst = { enrolment: 'pending' as const, identity: 'tpm-endorsed' as const }
    const device = await storedDevice(store, 'one', productId, worst)
    await store.devices.saveState(device.id, { ...initialDeviceState, verdict: 'contraindicated' })
    const listed = await run('auditor', 'device', 'list')
    expect(listed.stdout).toContain(device.ueid)
    expectFits(listed)
  })

  it('follows pages as far as asked, and says that there is more', async () => {
    const { run, store } = collector()
    const { id: productId } = await storedProduct(store)
    for (let i = 0; i < 5; i++) await storedDevice(store, `d${i}`, productId)
    const all = JSON.parse((await run('auditor', 'device', 'list', '--json')).stdout) as Record<string, unknown>
    expect(all).toMatchObject({ more: false, items: [{ serial: 'd4' }, {}, {}, {}, { serial: 'd0' }] })
    const few = await run('auditor', 'device', 'list', '--limit', '3')
    expect(few.stdout.trim().split('\n')).toHaveLength(4)
    expect(few.stderr).toContain('--limit')
    const none = await run('auditor', 'device', 'list', '--enrolment', 'revoked')
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('keepseal token create') })
  })

  it('follows the cursor over many pages', async () => {
    const { run, store } = collector()
    const { id: productId } = await storedProduct(store)
    await store.transaction(async (transaction) => {
      for (let i = 0; i < 201; i++) await storedDevice(transaction, `d${i}`, productId)
    })
    const { stdout } = await run('auditor', 'device', 'list', '--json', '--limit', '1000')
    const { items, more } = JSON.parse(stdout) as { items: { serial: string }[]; more: boolean }
    expect(new Set(items.map((each) => each.serial)).size).toBe(201)
    expect(more).toBe(false)
  })

  it('shows a device, and what to do about each finding', async () => {
    const { run, store } = collector()
    const device = await driftedDevice(store)
    const shown = await run('auditor', 'device', 'show', device.ueid)
    expect(shown.code).toBe(0)
    expectFits(shown)
    for (const text of ['contraindicated', 'recovered-unacknowledged', 'fresh', 'tpm-tofu', 'tcp/0.0.0.0:4444']) {
      expect(shown.stdout).toContain(text)
    }
    expect(shown.stdout).toContain(`keepseal device approve ${device.ueid}`)
    expect(await run('auditor', 'device', 'show', device.ueid, '--exit-code')).toMatchObject({ code: 1 })
  })

  it('prints nothing of a device that a terminal would obey', async () => {
    const { run, store } = collector()
    const device = await storedDevice(store, 'one', undefined, { serial: '\u001b]0;owned\u0007', model: 'a\u202eb' })
    for (const words of [
      ['show', device.ueid],
      ['show', device.ueid, '--json'],
      ['list', '--json'],
    ]) {
      const { stdout } = await run('auditor', 'device', ...words)
      for (const line of stdout.split('\n')) expect(isPrintable(line), line).toBe(true)
    }
  })

  it('approves what a device reports, unless it is something else by now', async () => {
    const { run, store } = collector()
    const device = await driftedDevice(store)
    const other = await run('operator', 'device', 'approve', device.ueid, '--expected-posture', 'ab'.repeat(32))
    expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining('next: keepseal device show') })
    const unseen = await run('operator', 'device', 'approve', device.ueid)
    expect(unseen).toMatchObject({ code: 4, stderr: expect.stringContaining('keepseal device show') })
    const shown = await run('auditor', 'device', 'show', device.ueid, '--json')
    const { review } = JSON.parse(shown.stdout) as { review: string }
    const stale = await run('operator', 'device', 'approve', device.ueid, '--seen', '0'.repeat(16))
    expect(stale).toMatchObject({ code: 4 })
    const approved = await run('operator', 'device', 'approve', device.ueid, '--seen', review)
    expectFits(approved)
    expect(approved.stdout).toMatch(/Reference values: ref_[0-9a-f-]+ \(unreviewed\)/)
    expect(approved.stdout).toContain('Findings resolved: 1')
    expect(await run('auditor', 'device', 'show', device.ueid, '--exit-code')).toMatchObject({ code: 0 })
  })

  it('revokes a device', async () => {
    const { run, store } = collector()
    const device = await storedDevice(store)
    expect(await run('operator', 'device', 'revoke', device.ueid)).toMatchObject({ code: 0, stdout: 'revoked\n' })
    expect((await store.devices.byUeid(device.ueid))?.enrolment).toBe('revoked')
    expect(await run('auditor', 'device', 'revoke', device.ueid)).toMatchObject({ code: 4 })
  })

  it('refuses an id that is none, or unknown', async () => {
    const { run } = collector()
    for (const ueid of [`01${'0'.repeat(32)}`, '../products', 'x']) {
      const refused = await run('auditor', 'device', 'show', ueid)
      expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('next: ') })
    }
  })
})

describe('keepseal finding and case', () => {
  const collector = useCollector()

  it('list and show what was found', async () => {
    const { run, store } = collector()
    const device = await storedDevice(store)
    const [open, old] = [finding(device.id), finding(device.id, { subject: 'tcp/[::]:22', state: 'resolved' })]
    for (const each of [open, old]) await store.findings.insert(each)
    const { id: caseId, ...about } = reassessment(device.productId, { openedAt: NOW - 8 * 86_400_000 })
    await store.cases.insert({ id: caseId, ...about })
    await store.cases.addFinding(caseId, open.id)

    const findings = await run('auditor', 'finding', 'list')
    expect(findings.stdout).toContain(device.ueid.slice(0, 12))
    expect(findings.stdout).toContain(open.subject)
    expect(findings.stdout).not.toContain(old.subject)
    expectFits(findings)
    const ofDevice = await run('auditor', 'finding', 'list', '--device', device.ueid, '--state', 'all')
    expect(ofDevice.stdout).toContain('tcp/0.0.0.0:4444')
    expect(ofDevice.stdout).toContain('tcp/[::]:22')
    expectFits(ofDevice)
    const cases = await run('auditor', 'case', 'list')
    expect(cases.stdout).toContain(caseId)
    expect(cases.stdout).toContain('!')
    expectFits(cases)
    const shown = await run('auditor', 'case', 'show', caseId)
    expectFits(shown)
    expect(shown.stdout).toContain('OVERDUE')
    expect(shown.stdout).toContain('tcp/0.0.0.0:4444')
    const json = await run('auditor', 'case', 'show', caseId, '--json')
    expect(JSON.parse(json.stdout)).toMatchObject({ id: caseId, findingCount: 1, findings: [{ id: open.id }] })
  })
})

describe('every command of keepseal', () => {
  const collector = useCollector()

  it('that asks a collector has --json, and help within 80 columns', async () => {
    const { runWith } = collector()
    for (const command of client.commands) {
      expect(command.json, command.name).toBe(command.name !== 'completion')
      const help = await runWith({}, ...command.name.split(' '), '--help')
      expect(help.code).toBe(0)
      expectFits(help)
    }
  })

  it('writes no token to the terminal when it fails', async () => {
    const { runWith, url, directory, tokens } = collector()
    const file = join(directory, 'wrong.token')
    writeFileSync(file, `${tokens.auditor} x`)
    const refused = await runWith({ KEEPSEAL_URL: url }, 'device', 'list', '--token-file', file)
    expect(refused.code).toBe(2)
    expect(refused.stderr).not.toContain(tokens.auditor.slice(4))
  })
})

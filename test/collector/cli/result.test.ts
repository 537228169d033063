import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { defaultLivenessPolicy } from '../../../collector/tracking/liveness.ts'
import { ResultSigner } from '../../../collector/tracking/result-signer.ts'
import { SILENT } from '../../support/test-collector.ts'
import { testKeys } from '../api/support.ts'
import { finding, NOW, storedDevice } from '../store/samples.ts'
import { toBase64Url } from '../../../shared/bytes/bytes.ts'
import { errors } from '../../../shared/codes/errors.ts'
import { readKeyFile } from '../../../collector/cli/client/collector-key-file.ts'
import { explainResult } from '../../../shared/inspect/result.ts'
import { signEarCwt } from '../../../shared/result/ear.ts'
import { concluded } from '../../support/result-message.ts'
import { RotatingKeys, strangeKey } from '../../support/rotating-keys.ts'
import { useCollector, type RunResult } from './support.ts'

const keys = testKeys()
const collector = useCollector(undefined, undefined, () => ({ keys }))

async function written() {
  const { run, store, directory } = collector()
  const device = await storedDevice(store)
  await store.devices.saveState(device.id, {
    ...initialDeviceState,
    verdict: 'warning',
    verdictCode: 'sockets.listener-added',
    lastFreshAt: NOW,
  })
  await store.findings.insert(finding(device.id))
  const [result, key] = [join(directory, 'result.cwt'), join(directory, 'key.jwk')]
  const got = await run('auditor', 'device', 'result', device.ueid, '--out', result, '--key-out', key)
  expect(got).toMatchObject({ code: 0 })
  return { run, device, result, key, claims: JSON.parse(got.stdout) as object }
}

test('a result says what is concluded, and why', async () => {
  const { claims } = await written()
  expect(claims).toMatchObject({
    eat_profile: 'tag:ietf.org,2026:rats/ear#04',
    submods: {
      gateway: {
        ear_status: 'warning',
        ear_trustworthiness_vector: { configuration: 32 },
        ear_verifier_claims: {
          keepseal_reasons: ['sockets.listener-added'],
          keepseal_liveness: 'fresh',
          keepseal_coverage: 'no-certificate',
        },
      },
    },
  })
})

test('a result is explained without a server, and its signature checked with the key of the collector', async () => {
  const { run, device, result, key } = await written()
  // The collector of this test lives at another time than the clock on the wall.
  const explained = await run('auditor', 'inspect', 'result', result, '--key', key, '--json')
  expect(explained.code).toBe(Date.now() < NOW + 600_000 && Date.now() >= NOW ? 0 : 1)
  const report = JSON.parse(explained.stdout) as { signature: string; lines: { path: string; value: string }[] }
  expect(report.signature).toBe('valid')
  expect(report.lines).toContainEqual(expect.objectContaining({ path: 'device', value: device.ueid }))
  expect(report.lines).toContainEqual(expect.objectContaining({ path: 'gateway.status', value: 'warning' }))
  const plain = await run('auditor', 'inspect', 'result', result)
  expect(plain).toMatchObject({ code: 1, stdout: expect.stringContaining('signature not checked') })
  for (const line of plain.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
})

test('a result with a bit changed is not signed by the collector, or is none', async () => {
  const { run, result, key } = await written()
  const bytes = readFileSync(result)
  for (const at of [5, bytes.length >> 1, bytes.length - 1]) {
    const changed = Uint8Array.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(result, changed)
    const explained = await run('auditor', 'inspect', 'result', result, '--key', key, '--json')
    expect(explained.code).toBe(1)
    expect((JSON.parse(explained.stdout) as { signature: string | null }).signature).not.toBe('valid')
  }
})

test('a key file that holds no key is named', async () => {
  const { run, result } = await written()
  const answer = await run('auditor', 'inspect', 'result', result, '--key', result)
  expect(answer).toMatchObject({ code: 2, stderr: expect.stringContaining('holds no Ed25519 key') })
})

test('results that were signed before are listed, and one of them is written and checked like any other', async () => {
  const { run, store, directory } = collector()
  const device = await storedDevice(store)
  const signer = new ResultSigner({
    store,
    decisions: new DecisionBook(store),
    signer: keys.signer,
    version: '0.0.0-test',
    livenessTime: () => ({ policy: defaultLivenessPolicy, now: NOW, downtime: [] }),
    logger: SILENT,
    isLeader: () => Promise.resolve(true),
    tell: () => Promise.resolve(),
  })
  const change = {
    deviceId: device.id,
    at: NOW,
    axis: 'verdict',
    from: 'none',
    cause: 'sockets.listener-added',
  } as const
  for (const to of ['warning', 'contraindicated']) {
    await store.transitions.append([{ ...change, to }])
    await signer.look()
  }
  const history = await run('auditor', 'device', 'result', device.ueid, '--history')
  expect(history).toMatchObject({ code: 0, stdout: expect.stringMatching(/contraindicated[^]*warning/) })
  for (const line of history.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  const listed = await run('auditor', 'device', 'result', device.ueid, '--history', '--limit', '1', '--json')
  const { items, more } = JSON.parse(listed.stdout) as { items: { number: number }[]; more: boolean }
  expect([items.length, more]).toEqual([1, true])
  const [file, key] = [join(directory, 'then.cwt'), join(directory, 'key.jwk')]
  const number = String(items[0]?.number)
  const got = await run('auditor', 'device', 'result', device.ueid, '--number', number, '--out', file, '--key-out', key)
  expect(got).toMatchObject({ code: 0, stdout: expect.stringContaining('contraindicated') })
  const explained = await run('auditor', 'inspect', 'result', file, '--key', key, '--json')
  const report = JSON.parse(explained.stdout) as { signature: string; lines: { path: string; value: string }[] }
  expect(report.signature).toBe('valid')
  expect(report.lines).toContainEqual(expect.objectContaining({ path: 'device', value: device.ueid }))
  const unknown = await run('auditor', 'device', 'result', device.ueid, '--number', '999999', '--out', file)
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('no such thing') })
  const newest = await run('auditor', 'device', 'result', device.ueid, '--newest', '--out', file, '--json')
  expect(newest.code).toBe(0)
  expect((JSON.parse(newest.stdout) as { cwt: string }).cwt).toBe(
    items[0] && (items[0] as unknown as { cwt: string }).cwt,
  )
  const other = await storedDevice(store, 'other')
  const none = await run('auditor', 'device', 'result', other.ueid, '--newest')
  expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('no such thing') })
  for (const wrong of [
    ['--newest', '--history'],
    ['--history', '--out', file],
    ['--history', '--dialect', 'veraison'],
  ]) {
    expect((await run('auditor', 'device', 'result', device.ueid, ...wrong)).code, wrong.join(' ')).toBe(2)
  }
})

describe('with a collector that changes its key', () => {
  const rotating = new RotatingKeys()
  const site = useCollector(undefined, undefined, () => ({ keys: rotating.services }))
  const at = Math.floor(NOW / 1000)

  /** A result and its key, then the change, and what is signed then. */
  async function changed() {
    const { run, store, directory } = site()
    const { ueid } = await storedDevice(store)
    const [before, after, key] = ['before.cwt', 'after.cwt', 'key.jwk'].map((name) => join(directory, name)) as [
      string,
      string,
      string,
    ]
    const get = (file: string) => run('auditor', 'device', 'result', ueid, '--out', file, '--key-out', key)
    const first = rotating.current
    expect(await get(before)).toMatchObject({ code: 0, stderr: '' })
    const next = await rotating.rotate(at)
    return { run, before, after, key, get, first, next }
  }
  const signatureOf = async (run: RunResult | Promise<RunResult>) =>
    (JSON.parse((await run).stdout) as { signature: string | null }).signature

  test('the file of the key keeps its own, and leads to the new one for results of both', async () => {
    const { run, before, after, key, get, next } = await changed()
    const explain = (file: string) => run('auditor', 'inspect', 'result', file, '--key', key, '--json')
    const got = await get(after)
    expect(got).toMatchObject({ code: 0, stderr: expect.stringContaining(next.keyId) })
    expect(await signatureOf(explain(before))).toBe('valid')
    expect(await signatureOf(explain(after))).toBe('followed')
    // Said once.
    expect((await get(after)).stderr).toBe('')
    const text = await run('auditor', 'inspect', 'result', after, '--key', key)
    for (const line of text.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
  })

  test('a result of later by the former key is not good', async () => {
    const { run, key, get, after, first } = await changed()
    await get(after)
    const explained = async (issuedAt: number) => {
      const content = { ...concluded, issuedAt, expiresAt: issuedAt + 3600 }
      writeFileSync(after, await signEarCwt(content, 'current', first.signer))
      return signatureOf(run('auditor', 'inspect', 'result', after, '--key', key, '--json'))
    }
    expect(await explained(at)).toBe('valid')
    expect(await explained(at + 7200)).toBe('invalid')
  })

  test('a result by the former key that names a time before its end holds for no longer than one of then', async () => {
    const { key, get, after, first } = await changed()
    await get(after)
    const chain = readKeyFile(key)
    const content = { ...concluded, issuedAt: at, expiresAt: at + 365 * 86_400 }
    const cwt = await signEarCwt(content, 'current', first.signer)
    const expiredAt = (now: number) => explainResult(cwt, chain, now).expired
    // Its last one is of the hour of the restart, and holds for an hour.
    expect(expiredAt(at + 7199)).toBe(false)
    expect(expiredAt(at + 7200)).toBe(true)
  })

  test('a file that has the key of somebody else is neither followed nor written over', async () => {
    const { key, get, after } = await changed()
    const foreign = JSON.stringify({ kty: 'OKP', crv: 'Ed25519', x: toBase64Url(strangeKey().x) })
    writeFileSync(key, foreign)
    expect(await get(after)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining(errors['collector.untrusted'].title),
    })
    expect(readFileSync(key, 'utf8')).toBe(foreign)
  })
})

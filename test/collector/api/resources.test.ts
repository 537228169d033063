import { randomUUID } from 'node:crypto'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { endpoints } from '../../../collector/api/endpoints/index.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { hash } from '../../../shared/crypto/node.ts'
import { tokenHash } from '../../../shared/evidence/binding.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import {
  bytes,
  evidence,
  everyPage,
  finding,
  id,
  NOW,
  storedDevice,
  storedProduct,
  reassessment,
} from '../store/samples.ts'
import { useApi } from './support.ts'

const AT = '2026-05-01T00:00:00.000Z'

/** The answer is what the OpenAPI document says, and nothing more. */
function expectDocumented(operationId: string, body: unknown): void {
  const endpoint = endpoints.find((each) => each.operationId === operationId)
  if (endpoint === undefined) throw new Error(operationId)
  const result = v.safeParse(endpoint.schemas.response, body)
  expect(result.issues?.map((issue) => `${v.getDotPath(issue)}: ${issue.message}`)).toBeUndefined()
}

describe('products', () => {
  const api = useApi()

  it('are made with the strictest policies unless told otherwise, and are audited', async () => {
    const { call, store } = api()
    const made = await call('operator', 'POST', '/api/v1/products', { vendor: 'Acme', model: 'Gate 7' })
    expect(made.status).toBe(201)
    expect(made.body).toMatchObject({ identityPolicy: 'endorsed', approvalPolicy: 'manual', createdAt: AT })
    expectDocumented('createProduct', made.body)
    const shown = await call('auditor', 'GET', `/api/v1/products/${String(made.body['id'])}`)
    expect(shown.body).toEqual(made.body)
    const list = await call('auditor', 'GET', '/api/v1/products')
    expect(list.body).toEqual({ items: [made.body], nextCursor: null })
    const [entry] = (await store.auditLog.list({ limit: 1 })).items
    expect(entry).toMatchObject({
      action: 'product.create',
      subject: made.body['id'],
      actor: expect.stringMatching(/^api_/),
    })
  })

  it('exist once', async () => {
    const { call } = api()
    const body = { vendor: 'Acme', model: 'Gate 7' }
    await call('operator', 'POST', '/api/v1/products', body)
    const again = await call('operator', 'POST', '/api/v1/products', body)
    expect(again.status).toBe(409)
    expect(again.body).toMatchObject({ type: 'request.conflict', status: 409, title: expect.any(String) })
  })

  it.each([
    ['a misspelt field', { vendor: 'Acme', model: 'x', identitypolicy: 'tofu' }],
    ['a missing field', { vendor: 'Acme' }],
    ['another type', { vendor: 'Acme', model: 7 }],
    ['an unknown word', { vendor: 'Acme', model: 'x', identityPolicy: 'any' }],
    ['a terminal escape', { vendor: 'Acme', model: '\u001b[2J' }],
    ['a text that reads backwards', { vendor: 'Acme', model: 'a\u202eb' }],
    ['an empty name', { vendor: '', model: 'x' }],
    ['an array', []],
  ])('are refused with %s', async (_, body) => {
    const { status, body: problem, headers } = await api().call('operator', 'POST', '/api/v1/products', body)
    expect(status).toBe(400)
    expect(headers['content-type']).toContain('application/problem+json')
    expect(problem).toMatchObject({ type: 'request.invalid', status: 400, remedy: expect.any(String) })
  })

  it('of a wrong or unknown id are refused', async () => {
    const { call } = api()
    expect((await call('auditor', 'GET', '/api/v1/products/prd_1')).body).toMatchObject({ type: 'request.invalid' })
    expect((await call('auditor', 'GET', `/api/v1/products/${id('prd')}`)).body).toMatchObject({
      type: 'request.not-found',
      status: 404,
    })
  })
})

describe('registrations of endorsement keys', () => {
  const api = useApi()
  const entry = (label: string, serial: string | null = null) => ({
    kind: 'ek',
    fingerprint: Buffer.from(bytes(label)).toString('hex'),
    serial,
  })

  it('are imported together, listed with what became of them, and revoked', async () => {
    const { call, store } = api()
    const { id: productId } = await storedProduct(store)
    const entries = [entry('first', '0001'), entry('second')]
    const made = await call('operator', 'POST', '/api/v1/registrations', { productId, entries })
    expect(made).toMatchObject({ status: 201, body: { productId, registered: 2 } })
    expectDocumented('importRegistrations', made.body)
    const listed = async () => {
      const { body } = await call('auditor', 'GET', `/api/v1/registrations?productId=${productId}`)
      expectDocumented('listRegistrations', body)
      return body['items'] as { id: string; state: string; serial: string | null; fingerprint: string }[]
    }
    const [first] = (await listed()).filter(({ serial }) => serial === '0001')
    const revoke = () => call('operator', 'POST', `/api/v1/registrations/${first?.id}/revoke`, {})
    expect((await revoke()).body).toMatchObject({ state: 'revoked', fingerprint: entries[0]?.fingerprint })
    expect((await revoke()).body).toMatchObject({ type: 'request.conflict' })
    expect((await listed()).map(({ state }) => state).sort()).toEqual(['revoked', 'unused'])
    const actions = (await store.auditLog.list({ limit: 9 })).items.map(({ action }) => action)
    expect(actions).toEqual(expect.arrayContaining(['registration.import', 'registration.revoke']))
  })

  it('are taken all or none, and again where they were revoked', async () => {
    const { call, store } = api()
    const { id: productId } = await storedProduct(store)
    const take = (...entries: object[]) => call('operator', 'POST', '/api/v1/registrations', { productId, entries })
    await take(entry('known'))
    const refused = await take(entry('new'), entry('known'))
    expect(refused.body).toMatchObject({ type: 'request.conflict', remedy: expect.any(String) })
    const all = async () => (await store.registrations.list({ limit: 9 }, productId)).items
    expect(await all()).toHaveLength(1)
    await store.registrations.revoke((await all())[0]?.id ?? '', NOW)
    expect((await take(entry('new'), entry('known'))).status).toBe(201)
    expect((await all()).map(({ registration }) => registration?.revokedAt)).toEqual([null, null])
  })

  it.each([
    ['none', []],
    ['one twice', [entry('a'), entry('a')]],
    ['a kind that there is not', [{ ...entry('a'), kind: 'sha1' }]],
    ['a digest of another length', [{ ...entry('a'), fingerprint: 'ab' }]],
    ['more than are taken at once', Array.from({ length: 5001 }, (_, index) => entry(String(index)))],
  ])('are refused with %s', async (_, entries) => {
    const { call, store } = api()
    const { id: productId } = await storedProduct(store, { model: randomUUID() })
    const { body } = await call('operator', 'POST', '/api/v1/registrations', { productId, entries })
    expect(body).toMatchObject({ type: 'request.invalid' })
    expect((await store.registrations.list({ limit: 9 }, productId)).items).toEqual([])
  })

  it('of a product that is not there are refused', async () => {
    const body = { productId: id('prd'), entries: [entry('a')] }
    expect((await api().call('operator', 'POST', '/api/v1/registrations', body)).status).toBe(404)
  })
})

describe('enrolment tokens', () => {
  const api = useApi()

  it('show their secret once, and it is the one that enrols', async () => {
    const { call, store, clock } = api()
    const { id: productId } = await storedProduct(store)
    const made = await call('operator', 'POST', '/api/v1/enrolment-tokens', { productId, expiresInSeconds: 60 })
    expect(made.status).toBe(201)
    expectDocumented('createEnrolmentToken', made.body)
    expect(made.body).toMatchObject({ productId, reenrolUeid: null, expiresAt: '2026-05-01T00:01:00.000Z' })
    const text = String(made.body['token'])
    expect(text).toMatch(/^kse_[A-Za-z0-9_-]{43}$/)
    const stored = await store.enrolmentTokens.byHash(tokenHash(text, hash))
    expect(stored?.id).toBe(made.body['id'])

    const states = async () => {
      const { body } = await call('auditor', 'GET', '/api/v1/enrolment-tokens')
      expectDocumented('listEnrolmentTokens', body)
      expect(JSON.stringify(body)).not.toContain(text.slice(4))
      return (body['items'] as { state: string }[]).map((each) => each.state)
    }
    expect(await states()).toEqual(['unused'])
    await store.enrolmentTokens.reserve(stored?.id ?? '', bytes('by'), NOW + 600_000, NOW)
    expect(await states()).toEqual(['reserved'])
    clock.now = NOW + 600_001
    expect(await states()).toEqual(['expired'])
    await store.enrolmentTokens.consume(stored?.id ?? '', 'ueid', NOW + 1)
    expect(await states()).toEqual(['used'])
  })

  it('re-enrol a device of that product only', async () => {
    const { call, store } = api()
    const device = await storedDevice(store)
    const other = await storedProduct(store, { model: 'other' })
    const create = (body: object) => call('operator', 'POST', '/api/v1/enrolment-tokens', body)
    const fits = await create({ productId: device.productId, reenrolUeid: device.ueid })
    expect(fits.body).toMatchObject({ reenrolUeid: device.ueid })
    expect((await create({ productId: other.id, reenrolUeid: device.ueid })).status).toBe(409)
    expect((await create({ productId: other.id, reenrolUeid: `01${'0'.repeat(32)}` })).status).toBe(404)
    expect((await create({ productId: id('prd') })).status).toBe(404)
    for (const expiresInSeconds of [0, 59, 2_592_001, 61.5, '60']) {
      expect((await create({ productId: other.id, expiresInSeconds })).status).toBe(400)
    }
  })
})

describe('devices', () => {
  const changed: string[] = []
  const api = useApi({ deviceChanged: (ueid) => changed.push(ueid) })

  it('are shown with every axis apart', async () => {
    const { call, store, clock } = api()
    const device = await storedDevice(store)
    await store.devices.saveState(device.id, {
      ...initialDeviceState,
      verdict: 'contraindicated',
      verdictCode: 'quote.nonce-mismatch',
      latch: 'failed',
      bootCoverage: 'partial',
      lastFreshAt: NOW,
      lastReceivedAt: NOW,
      postureDigest: bytes('posture'),
    })
    await store.findings.insert(finding(device.id))
    clock.now = NOW + 700_000
    const list = await call('auditor', 'GET', '/api/v1/devices')
    expectDocumented('listDevices', list.body)
    const [listed] = list.body['items'] as Record<string, unknown>[]
    expect(listed).toMatchObject({
      ueid: device.ueid,
      enrolment: 'active',
      identity: 'tpm-tofu',
      bootCoverage: 'partial',
      verdict: 'contraindicated',
      verdictCode: 'quote.nonce-mismatch',
      verdictTitle: 'the quote is not bound to this evidence',
      latch: 'failed',
      liveness: 'stale',
      findingCount: 1,
      lastFreshAt: AT,
    })
    expect(listed).not.toHaveProperty('id')
    const shown = await call('auditor', 'GET', `/api/v1/devices/${device.ueid}`)
    expectDocumented('getDevice', shown.body)
    expect(shown.body).toMatchObject({
      ...listed,
      postureDigest: toHex(bytes('posture')),
      tpm: { ekName: toHex(bytes('ek one', 34)), ekCertified: false },
      findings: [{ code: 'sockets.listener-added', remedy: expect.stringContaining(device.ueid) }],
    })
  })

  it('are filtered and paged', async () => {
    const { call, store } = api()
    const { id: productId } = await storedProduct(store)
    for (let i = 0; i < 5; i++)
      await storedDevice(store, `d${i}`, productId, { enrolment: i === 2 ? 'pending' : 'active' })
    await storedDevice(store, 'other')
    const list = async (query: string) => (await call('auditor', 'GET', `/api/v1/devices?${query}`)).body
    const pages = await everyPage(async (cursor) => {
      const page = await list(`productId=${productId}&limit=2${cursor === null ? '' : `&cursor=${cursor}`}`)
      return page as { items: { serial: string }[]; nextCursor: string | null }
    })
    expect(pages.map((page) => page.map((each) => each.serial))).toEqual([['d4', 'd3'], ['d2', 'd1'], ['d0']])
    expect((await list('enrolment=pending'))['items']).toMatchObject([{ serial: 'd2' }])
    expect((await list('verdict=affirming'))['items']).toEqual([])
    for (const wrong of [
      'limit=0',
      'limit=201',
      'limit=x',
      'cursor=x',
      'verdict=good',
      'verdicts=affirming',
      'limit=1&limit=2',
    ]) {
      expect(await list(wrong), wrong).toMatchObject({ type: 'request.invalid', status: 400 })
    }
  })

  it('are approved and revoked, and whoever keeps connections hears of it', async () => {
    const { call, store } = api()
    const device = await storedDevice(store, 'one', undefined, { enrolment: 'pending' })
    changed.length = 0
    const approved = await call('vendor', 'POST', `/api/v1/devices/${device.ueid}/approve`, { scope: 'device' })
    expectDocumented('approveDevice', approved.body)
    expect(approved.body).toMatchObject({ ueid: device.ueid, activated: true, referenceId: null })
    const again = await call('vendor', 'POST', `/api/v1/devices/${device.ueid}/approve`)
    expect(again.body).toMatchObject({ type: 'request.conflict', detail: expect.stringContaining('no fresh evidence') })
    const revoked = await call('vendor', 'POST', `/api/v1/devices/${device.ueid}/revoke`)
    expectDocumented('revokeDevice', revoked.body)
    expect((await store.devices.byUeid(device.ueid))?.enrolment).toBe('revoked')
    expect(changed).toEqual([device.ueid, device.ueid])
    const [entry] = (await store.auditLog.list({ limit: 1 })).items
    expect(entry?.action).toBe('device.revoke')
  })

  it('that are unknown or misspelt are refused', async () => {
    const { call } = api()
    const unknown = `01${'0'.repeat(32)}`
    for (const path of ['', '/evidence', '/evidence/latest']) {
      expect((await call('auditor', 'GET', `/api/v1/devices/${unknown}${path}`)).status).toBe(404)
      expect((await call('auditor', 'GET', `/api/v1/devices/${unknown.toUpperCase()}0${path}`)).status).toBe(400)
    }
  })
})

describe('evidence', () => {
  const api = useApi()

  it('is listed, and the newest fresh one given out byte for byte', async () => {
    const { call, store } = api()
    const device = await storedDevice(store)
    await store.evidence.insert(evidence(device.id, 0))
    await store.evidence.insert(evidence(device.id, 1, { fresh: false, outcome: 'freshness.late' }))
    const list = await call('auditor', 'GET', `/api/v1/devices/${device.ueid}/evidence`)
    expectDocumented('listEvidence', list.body)
    expect(list.body['items']).toMatchObject([
      { sequence: 1, fresh: false, outcome: 'freshness.late' },
      { sequence: 0, hash: toHex(bytes(`evidence ${device.id} 0`)), previous: null, size: 64, receivedAt: AT },
    ])
    const latest = await call('auditor', 'GET', `/api/v1/devices/${device.ueid}/evidence/latest`)
    expect(latest.headers['content-type']).toBe('application/cbor')
    expect(new Uint8Array(latest.raw)).toEqual(evidence(device.id, 0).bytes)
  })
})

describe('findings and cases', () => {
  const api = useApi()

  it('are listed with what they mean', async () => {
    const { call, store } = api()
    const device = await storedDevice(store)
    const record = reassessment(device.productId)
    await store.cases.insert(record)
    const [inside, outside] = [finding(device.id), finding(device.id, { subject: 'tcp/[::]:22' })]
    for (const each of [inside, outside]) await store.findings.insert(each)
    await store.cases.addFinding(record.id, inside.id)

    const all = await call('auditor', 'GET', `/api/v1/findings?deviceUeid=${device.ueid}&state=open`)
    expectDocumented('listFindings', all.body)
    expect(all.body['items']).toHaveLength(2)
    const gathered = await call('auditor', 'GET', `/api/v1/findings?caseId=${record.id}`)
    expect(gathered.body['items']).toMatchObject([{ id: inside.id, after: 'nc', axis: 'posture', openedAt: AT }])
    expect((await call('auditor', 'GET', '/api/v1/findings?code=no.such')).status).toBe(400)

    const list = await call('auditor', 'GET', '/api/v1/cases?state=triggered')
    expectDocumented('listCases', list.body)
    expect(list.body['items']).toMatchObject([{ id: record.id, overdue: false, triageBy: '2026-05-08T00:00:00.000Z' }])
    api().clock.now = NOW + 7 * 86_400_000 + 1000
    const shown = await call('auditor', 'GET', `/api/v1/cases/${record.id}`)
    expectDocumented('getCase', shown.body)
    expect(shown.body).toMatchObject({ overdue: true, findingCount: 1, findings: [{ id: inside.id }] })
    expect((await call('auditor', 'GET', `/api/v1/cases/${id('cas')}`)).status).toBe(404)
  })
})

import { describe, expect, it } from 'vitest'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { openStatusList, statusAt } from '../../../shared/certificate/status-list.ts'
import { inflateZlib } from '../../../collector/zlib.ts'
import { openStatus } from '../../../shared/certificate/status.ts'
import { coseKeyThumbprint } from '../../../shared/cose/key.ts'
import { ed25519Key, hash } from '../../../shared/crypto/node.ts'
import {
  approveProfile,
  certificate,
  certified,
  certify,
  DAY,
  DecidingPeople,
  issueCertificate,
} from '../../support/decision-log.ts'
import type { PracticeState } from '../../../collector/model/practice.ts'
import { fromHex } from '../../../shared/bytes/bytes.ts'
import type { PracticeStatus } from '../../../shared/maturity/conformity/status.ts'
import { advance } from '../../../shared/maturity/conformity/waiting.ts'
import { practicesOf } from '../../../shared/maturity/problems.ts'
import { digestOfProfile, encodeProfile } from '../../../shared/maturity/profile-encoding.ts'
import type { Level } from '../../../shared/maturity/signals/definition.ts'
import { profileOf, writtenProfile } from '../../support/profile.ts'
import { bytes, NOW, storedDevice, storedProduct } from '../store/samples.ts'
import { testKeys, useApi } from './support.ts'

const practice = (status: PracticeStatus, target: Level | null): PracticeState => ({
  status,
  since: NOW,
  waiting: advance(null, status === 'nonconforming' ? 'drift' : status, false, NOW),
  confirmed: null,
  explanation: { target, supported: 1, coverage: null, reasons: [] },
})
const EVALUATED = { slot: 1, evaluatedAt: NOW, fleet: '{}', conditions: [] }
const keys = testKeys()
const at = NOW / 1000

describe('the public pages of a certificate', () => {
  const api = useApi({ keys })

  /** A certificate in force for `Acme/Gate 7`, with a marked text that a page has to escape. */
  async function inForce() {
    const { store } = api()
    const people = await DecidingPeople.begin(at)
    await approveProfile(people, 1, 3)
    const products = [certified('Acme/Gate 7', true, { rationale: '<script>alert(1)</script> & more' })]
    await issueCertificate(people, 'crt_1', { products, line: null })
    for (const [index, entry] of people.entries.entries()) await store.decisions.append(index, entry, NOW)
    return people
  }
  async function decided(people: DecidingPeople, kind: string, detail: object) {
    await people.decide(people.certifier, kind, 'crt_1', detail)
    await api().store.decisions.append(people.entries.length - 1, people.entries.at(-1) as Uint8Array, NOW)
  }
  const get = (url: string, headers: Record<string, string> = {}) => api().app.inject({ method: 'GET', url, headers })

  it('give a status that the collector has signed, for a day', async () => {
    await inForce()
    const answer = await get('/c/crt_1/status')
    expect(answer.headers['content-type']).toContain('certificate-status+cbor')
    const { publicKey } = keys
    if (publicKey.curve !== 'Ed25519') throw new Error('not Ed25519')
    const key = { key: ed25519Key(publicKey.x), thumbprint: coseKeyThumbprint(publicKey, hash) }
    const status = openStatus(new Uint8Array(answer.rawPayload), key)
    expect(status).toMatchObject({
      certificate: 'crt_1',
      issuedAt: at,
      expiresAt: at + DAY,
      body: { state: 'valid', claimsAllowedFor: ['Acme/Gate 7'], conformity: null, operator: 'Example Certifier' },
    })
    const json = (await get('/c/crt_1/status', { accept: 'application/json' })).json()
    expect(json.signed).toBe(answer.rawPayload.toString('base64url'))
    expect(json.body).toEqual(status.body)
  })

  it('are cached by their tag until something is decided', async () => {
    const people = await inForce()
    const first = await get('/c/crt_1/status')
    expect(first.headers['cache-control']).toBe('public, max-age=300')
    const tag = String(first.headers['etag'])
    api().clock.now = NOW + 60_000
    expect((await get('/c/crt_1/status', { 'if-none-match': tag })).statusCode).toBe(304)
    people.now = at + 60
    await decided(people, 'certificate.suspend', { reason: 'a hole', until: at + DAY, products: null })
    const after = await get('/c/crt_1/status', { 'if-none-match': tag })
    expect(after.statusCode).toBe(200)
    const { body } = (await get('/c/crt_1/status', { accept: 'application/json' })).json()
    expect(body).toMatchObject({ state: 'suspended', claimsAllowedFor: [] })
  })

  it('sign a status anew before it is old', async () => {
    await inForce()
    const read = async () => (await get('/c/crt_1/status', { accept: 'application/json' })).json()
    const { expiresAt } = await read()
    api().clock.now = NOW + 11 * 3_600_000
    expect((await read()).expiresAt).toBe(expiresAt)
    api().clock.now = NOW + 13 * 3_600_000
    expect((await read()).expiresAt).toBe(expiresAt + 13 * 3600)
  })

  it('show certificate and profile together, escaped, with no script but that of the build', async () => {
    await inForce()
    const page = await get('/c/crt_1')
    expect(page.statusCode).toBe(200)
    const text = page.payload
    for (const part of ['KS-2026-001', 'valid', 'pro_gateway', 'Patch Management', 'Acme/Gate 7', 'As of']) {
      expect(text).toContain(part)
    }
    expect(text.replace(/<script type="module" src="\/assets\/verify-[\w-]+\.js"><\/script>/, '')).not.toMatch(
      /<script|\son\w+=|javascript:/,
    )
    expect(text).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; more')
    const policy = String(page.headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    const style = /<style>([^]*?)<\/style>/.exec(text)?.[1] ?? ''
    expect(policy).toContain(Buffer.from(hash('sha256', Buffer.from(style))).toString('base64'))
    const badge = await get('/c/crt_1/badge.svg')
    expect(badge.headers['content-type']).toContain('image/svg+xml')
    expect(badge.payload).toContain('valid, 2026-05-01')
  })

  /** A certificate for a profile whose document is here, and the state of one of its two practices. */
  async function withProfile(publicConformity: 'none' | 'flag' | 'full') {
    const { store } = api()
    const people = await DecidingPeople.begin(at)
    const hidden = { ...writtenProfile.limitations[0], id: 'secret', title: 'Kept between us', public: false }
    const document = profileOf({ limitations: [...writtenProfile.limitations, hidden] })
    const [id, digest] = ['gate-seven', digestOfProfile(document, hash)]
    const targets = Object.fromEntries(practicesOf(document).map(([practice, { target }]) => [practice, target]))
    await people.decide(people.vendor, 'profile.submit', id, {
      version: 1,
      digest,
      targets,
      change: { kind: 'initial' },
    })
    await people.decide(people.certifier, 'profile.approve', id, { version: 1, digest })
    const agreement = { publicConformity, claimsWhileSuspended: false, closingShare: 95 }
    const products = [certified('Acme/Gate 7', true)]
    await issueCertificate(people, 'crt_1', { products, line: null, agreement, profile: { id, version: 1, digest } })
    for (const [index, entry] of people.entries.entries()) await store.decisions.append(index, entry, NOW)
    return { digest: fromHex(digest), document }
  }
  const body = async () => (await get('/c/crt_1/status', { accept: 'application/json' })).json().body

  it('show the public limitations of the profile, once its document is here', async () => {
    const { digest, document } = await withProfile('none')
    expect(await body()).toMatchObject({ limitations: null, conformity: null })
    expect((await get('/c/crt_1')).payload).toContain('is not with this collector')
    await api().store.profileDocuments.save(digest, encodeProfile(document), NOW)
    const { limitations } = await body()
    expect(limitations).toMatchObject([{ id: 'no-hot-patch', compensation: expect.stringContaining('weekly stop') }])
    const page = (await get('/c/crt_1')).payload
    expect(page).toContain('No patch while a line runs')
    expect(page).not.toContain('Kept between us')
  })

  it('take no document for the profile that is another one', async () => {
    const { digest } = await withProfile('none')
    await api().store.profileDocuments.save(digest, encodeProfile(profileOf({ title: 'Another' })), NOW)
    expect(await body()).toMatchObject({ limitations: null })
  })

  it.each([
    ['none', null],
    ['flag', { overall: 'unknown' }],
    ['full', { overall: 'unknown', 'patch-management': 'at-risk', 'access-control': 'unknown' }],
  ] as const)('show of live conformity what is agreed: %s', async (agreed, shown) => {
    await withProfile(agreed)
    const { store } = api()
    const { id } = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    await store.practices.saveState(id, 'patch-management', practice('at-risk', 3))
    // What nobody has evaluated lately is not known.
    if (agreed === 'full') expect((await body()).conformity).toMatchObject({ 'patch-management': 'unknown' })
    await store.practices.setEvaluation(id, EVALUATED)
    expect((await body()).conformity).toEqual(shown)
  })

  it('show the worst of what a certificate asks for, and nothing that it does not ask for', async () => {
    await withProfile('full')
    const { store } = api()
    const { id } = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    await store.practices.setEvaluation(id, EVALUATED)
    await store.practices.saveState(id, 'patch-management', practice('conforming', 3))
    await store.practices.saveState(id, 'access-control', practice('conforming', null))
    await store.practices.saveState(id, 'threat-modeling', practice('drift', null))
    expect((await body()).conformity).toMatchObject({ overall: 'unknown', 'access-control': 'unknown' })
    await store.practices.saveState(id, 'access-control', practice('drift', 2))
    expect((await body()).conformity).toEqual({
      overall: 'drift',
      'patch-management': 'conforming',
      'access-control': 'drift',
    })
  })

  it('show of full live conformity which part of the active units of each product is covered, and else nothing', async () => {
    await withProfile('full')
    const { store } = api()
    expect((await body()).coverage).toEqual({ 'Acme/Gate 7': null })
    const { id } = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    for (const [index, hardwareRevision] of ['B', 'B', 'Z'].entries())
      await storedDevice(store, `counted ${index}`, id, { hardwareRevision })
    expect((await body()).coverage).toEqual({ 'Acme/Gate 7': 0 })
    expect((await get('/c/crt_1')).body).toContain('Units covered')
  })

  it('tell nothing of drafts and of what is not there', async () => {
    const people = await inForce()
    await people.decide(people.certifier, 'certificate.draft', 'crt_2', certificate(people, { number: 'KS-2' }))
    await api().store.decisions.append(people.entries.length - 1, people.entries.at(-1) as Uint8Array, NOW)
    for (const path of [
      '/c/crt_2',
      '/c/crt_2/status',
      '/c/crt_9',
      '/c/crt_9/badge.svg',
      '/c/crt_9/check?model=x&serial=y',
    ]) {
      expect((await get(path)).statusCode, path).toBe(404)
    }
    expect((await get('/c/a%2fb')).statusCode).toBe(400)
    expect((await get('/c/crt_1/check?model=x')).statusCode).toBe(400)
  })

  it('have the states of all in one signed list, at the place that the status names', async () => {
    const people = await inForce()
    const { publicKey } = keys
    if (publicKey.curve !== 'Ed25519') throw new Error('not Ed25519')
    const key = { key: ed25519Key(publicKey.x), thumbprint: coseKeyThumbprint(publicKey, hash) }
    const listed = async () => {
      const answer = await get('/status-lists/1')
      expect(answer.headers['content-type']).toBe('application/statuslist+cwt')
      const list = openStatusList(new Uint8Array(answer.rawPayload), key, inflateZlib)
      const { list: reference } = (await get('/c/crt_1/status', { accept: 'application/json' })).json()
      expect(list.uri).toBe(reference.uri)
      return statusAt(list.bytes, reference.index)
    }
    expect(await listed()).toBe('valid')
    const tag = String((await get('/status-lists/1')).headers['etag'])
    expect((await get('/status-lists/1', { 'if-none-match': tag })).statusCode).toBe(304)
    await decided(people, 'certificate.withdraw', { reason: 'a hole' })
    expect(await listed()).toBe('invalid')
    expect((await get('/status-lists/2')).statusCode).toBe(404)
  })

  it('have no list before the log begins', async () => {
    expect((await get('/status-lists/1')).statusCode).toBe(404)
  })

  it('say of a unit whether it is covered, and nothing more', async () => {
    const { store } = api()
    await inForce()
    const { id: productId } = await storedProduct(store, { vendor: 'Acme', model: 'Gate 7' })
    const device = await storedDevice(store, 'S-1', productId)
    const check = async (serial: string) => (await get(`/c/crt_1/check?model=Gate%207&serial=${serial}`)).json()
    const uncovered = await check('S-1')
    expect(uncovered).toMatchObject({ coverage: 'not-covered', state: 'valid' })
    expect(await check('nobody')).toEqual(uncovered)
    await store.releases.insert(
      {
        id: 'rel_1',
        productId,
        name: '1.0',
        digest: bytes('release'),
        state: 'active',
        authors: [],
        createdAt: NOW,
        approved: null,
        countersigned: { by: { tokenId: 'api_c', name: 'Cleo' }, at: NOW },
        order: 1,
        activatedAt: NOW,
        supersededAt: null,
        acceptedUntil: null,
        revokedAt: null,
        isMinimum: false,
      },
      bytes('document'),
    )
    const release = { current: 'rel_1', since: NOW, highest: 'rel_1', judgedBy: null }
    await store.devices.saveState(device.id, { ...initialDeviceState, release })
    expect(await check('S-1')).toEqual({ ...uncovered, coverage: 'covered' })
    const shown = await api().call('auditor', 'GET', `/api/v1/devices/${device.ueid}`)
    expect(shown.body).toMatchObject({ coverage: 'covered', coverageReason: null, certificate: 'crt_1' })
    await store.devices.saveState(device.id, { ...initialDeviceState, release, latch: 'failed' })
    expect(await check('S-1')).toEqual(uncovered)
    const listed = await api().call('auditor', 'GET', '/api/v1/devices')
    expect(listed.body['items']).toMatchObject([{ coverage: 'not-covered', coverageReason: 'unit-failing' }])
  })

  it('slow down whoever tries serial numbers', async () => {
    await certify(api().store, 'Acme/Gate 7')
    const codes = []
    for (let n = 0; n < 25; n++) codes.push((await get(`/c/crt_1/check?model=x&serial=${n}`)).statusCode)
    expect(codes.filter((code) => code === 200)).toHaveLength(20)
    expect(codes.at(-1)).toBe(429)
  })
})

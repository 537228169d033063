import { randomBytes } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { toBase64Url } from '../../../shared/bytes/bytes.ts'
import { signDecision } from '../../../shared/decisions/entry.ts'
import type { Json } from '../../../shared/decisions/json-cbor.ts'
import { newPerson } from '../../../shared/decisions/person.ts'
import { addAdvisories } from '../../../collector/advisories/import.ts'
import { signBundlePage } from '../../../shared/advisories/bundle.ts'
import { deflateZlib } from '../../../collector/zlib.ts'
import { parseAdvisories } from '../../../shared/advisories/format.ts'
import { DecisionBook } from '../../../collector/decisions/decision-book.ts'
import {
  approveProfile,
  certificate,
  certified,
  DecidingPeople,
  exampleDocument,
  exampleRecommendation,
  exampleRequest,
  exampleStep,
  issueCertificate,
  PROFILE,
  signatory,
} from '../../support/decision-log.ts'
import { endpoints } from '../../../collector/api/endpoints/index.ts'
import { initialDeviceState } from '../../../collector/model/device.ts'
import { askDevice } from '../../../collector/tracking/challenges/ask.ts'
import { createAccount } from '../../../collector/access/accounts.ts'
import { parseSbom } from '../../../shared/sbom/parse.ts'
import { createApiToken } from '../../../collector/api/authentication.ts'
import type { ApiRole } from '../../../collector/model/product.ts'
import { digestOfDocument, type ReleaseFile } from '../../../collector/releases/document.ts'
import { splitFile } from '../../../collector/releases/file.ts'
import { activateRelease, approveRelease, writeDraft } from '../../../collector/releases/manage.ts'
import type { PracticeState } from '../../../collector/model/practice.ts'
import type { Store } from '../../../collector/store/index.ts'
import { advance } from '../../../shared/maturity/conformity/waiting.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { hash, sha256 } from '../../../shared/crypto/node.ts'
import { tokenHash } from '../../../shared/evidence/binding.ts'
import { bytes, evidence, finding, id, NOW, reassessment, storedDevice, token } from '../store/samples.ts'
import { writtenProfile } from '../../support/profile.ts'
import { productStatement } from '../../support/product-statement.ts'
import { quotedMessage } from '../../support/quoted-message.ts'
import { ROLES, testKeys, useApi } from './support.ts'

/** Who may do what, written down a second time: a route that is added or opened up must be entered here. */
const ALLOWED: Readonly<Record<string, readonly ApiRole[]>> = {
  'GET /mirror': ['certifier', 'auditor'],
  'POST /products': ['vendor', 'operator'],
  'GET /products': ROLES,
  'GET /products/:id': ROLES,
  'GET /products/:id/ima-policy': ROLES,
  'PUT /products/:id/ima-policy': ['vendor', 'operator'],
  'GET /products/:id/releases': ROLES,
  'POST /products/:id/releases': ['vendor', 'operator'],
  'POST /products/:id/releases/capture': ['vendor', 'operator'],
  'GET /releases/:id': ROLES,
  'GET /releases/:id/file': ROLES,
  'GET /releases/:id/diff': ROLES,
  'GET /releases/:id/fleet-diff': ROLES,
  'POST /releases/:id/approve': ['vendor', 'operator'],
  'POST /releases/:id/countersign': ['certifier'],
  'POST /releases/:id/activate': ['vendor', 'operator'],
  'POST /releases/:id/retire': ['vendor', 'operator'],
  'POST /releases/:id/revoke': ['vendor', 'operator'],
  'POST /enrolment-tokens': ['vendor', 'operator'],
  'GET /enrolment-tokens': ROLES,
  'POST /registrations': ['vendor', 'operator'],
  'GET /registrations': ROLES,
  'POST /registrations/:id/revoke': ['vendor', 'operator'],
  'GET /devices': ROLES,
  'GET /devices/:ueid': ROLES,
  'POST /devices/:ueid/approve': ['vendor', 'operator'],
  'POST /devices/:ueid/revoke': ['vendor', 'operator'],
  'GET /devices/:ueid/evidence': ROLES,
  'GET /devices/:ueid/boot': ROLES,
  'GET /devices/:ueid/history': ROLES,
  'GET /devices/:ueid/posture': ROLES,
  'GET /coverage': ROLES,
  'GET /fleet': ROLES,
  'GET /fleet/devices': ROLES,
  'POST /boot-comparisons': ROLES,
  'GET /devices/:ueid/evidence/latest': ROLES,
  'GET /devices/:ueid/result': ROLES,
  'GET /devices/:ueid/results': ROLES,
  'GET /devices/:ueid/results/newest': ROLES,
  'POST /devices/:ueid/challenges': ['vendor', 'operator'],
  'GET /devices/:ueid/challenges': ROLES,
  'GET /devices/:ueid/boots': ROLES,
  'GET /devices/:ueid/listeners': ROLES,
  'GET /releases/:id/roll-out': ROLES,
  'GET /devices/:ueid/challenges/:id': ROLES,
  'GET /collector': ROLES,
  'GET /collector/key-history': ROLES,
  'GET /notifications': ROLES,
  'GET /notifications/events/:number': ROLES,
  'POST /notifications/retry': ['vendor', 'operator'],
  'POST /notifications/test': ['vendor', 'operator'],
  'GET /decisions': ROLES,
  'GET /decisions/next': ROLES,
  'POST /decisions': ROLES,
  'GET /people': ROLES,
  'GET /restores': ROLES,
  'GET /restores/:number/gaps': ROLES,
  'GET /quarantine': ROLES,
  'GET /quarantine/:id': ROLES,
  'GET /quarantine/:id/bytes': ROLES,
  'POST /quarantine/:id/retry': ['vendor', 'operator'],
  'POST /quarantine/:id/remove': ['vendor', 'operator'],
  'POST /profile-documents': ['vendor', 'certifier'],
  'GET /profiles': ROLES,
  'GET /documents': ROLES,
  'GET /document-requests': ROLES,
  'GET /recommendations': ROLES,
  'GET /roadmap-items': ROLES,
  'GET /assessments': ROLES,
  'GET /document-requests/:id': ROLES,
  'GET /documents/:id': ROLES,
  'GET /profiles/:id': ROLES,
  'GET /practice-catalogue': ROLES,
  'GET /accounts': ['vendor', 'certifier'],
  'POST /accounts': ['vendor', 'certifier'],
  'POST /accounts/:id/disable': ['vendor', 'certifier'],
  'POST /accounts/:id/enable': ['vendor', 'certifier'],
  'POST /accounts/:id/reset': ['vendor', 'certifier'],
  'GET /reports/:kind': ROLES,
  'GET /reports/:kind/signed': ROLES,
  'GET /reports/:kind/page': ROLES,
  'GET /certificates': ROLES,
  'GET /certificates/:id': ROLES,
  'GET /certificates/:id/file': ROLES,
  'GET /findings': ROLES,
  'GET /findings/:id': ROLES,
  'GET /findings/:id/transitions': ROLES,
  'POST /findings/:id/acknowledge': ['vendor', 'operator'],
  'POST /findings/:id/unacknowledge': ['vendor', 'operator'],
  'GET /products/:id/finding-policies': ROLES,
  'PUT /products/:id/finding-policies/:code': ['vendor', 'operator', 'certifier'],
  'GET /products/:id/finding-summary': ROLES,
  'POST /finding-exceptions': ['vendor', 'operator'],
  'GET /finding-exceptions': ROLES,
  'POST /finding-exceptions/:id/end': ['vendor', 'operator'],
  'POST /finding-acknowledgements': ['vendor', 'operator'],
  'GET /device-groups': ROLES,
  'POST /device-groups': ['vendor', 'operator'],
  'POST /device-groups/:id/remove': ['vendor', 'operator'],
  'PUT /devices/:ueid/labels': ['vendor', 'operator'],
  'POST /devices/:ueid/accept': ['vendor', 'operator'],
  'POST /devices/:ueid/reject': ['vendor', 'operator'],
  'POST /device-actions': ['vendor', 'operator'],
  'GET /cases': ROLES,
  'GET /cases/:id': ROLES,
  'GET /cases/:id/bundle': ROLES,
  'POST /cases': ['vendor', 'operator', 'certifier'],
  'POST /decisions/check': ROLES,
  'GET /events': ROLES,
  'GET /products/:id/practices': ROLES,
  'GET /products/:id/practices/:practice': ROLES,
  'GET /products/:id/signals': ROLES,
  'GET /products/:id/signals/:signal': ROLES,
  'GET /products/:id/units': ROLES,
  'PUT /products/:id/units': ['vendor', 'operator'],
  'POST /events': ['vendor', 'operator', 'certifier'],
  'GET /releases/:id/sbom': ROLES,
  'PUT /releases/:id/sbom': ['vendor', 'operator'],
  'GET /advisories': ROLES,
  'GET /advisories/:name': ROLES,
  'POST /advisories': ['vendor', 'operator'],
  'GET /advisory-feeds': ROLES,
  'GET /advisory-feeds/:feed/wrong-records': ROLES,
  'POST /advisory-feeds/:feed/fetch': ['vendor', 'operator'],
  'GET /advisory-bundle': ['vendor', 'operator'],
  'POST /advisory-bundle': ['vendor', 'operator'],
  'GET /devices/:ueid/vulnerabilities': ROLES,
  'GET /products/:id/vulnerabilities': ROLES,
  'GET /products/:id/vex': ROLES,
  'GET /advisory-statements': ROLES,
  'POST /advisory-statements': ['vendor', 'operator'],
  'POST /advisory-statements/:id/end': ['vendor', 'operator'],
  'GET /products/:id/configurations': ROLES,
  'POST /products/:id/configurations': ['vendor', 'operator'],
  'POST /product-configurations/:id/remove': ['vendor', 'operator'],
}

const releaseFile = (name: string, model: string): ReleaseFile => ({
  version: 1,
  product: { vendor: 'Acme', model },
  name,
  sections: {},
})
const SBOM = '{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}'
const seenOf = (model: string): string => toHex(digestOfDocument(splitFile(releaseFile('1', model)).document))

const ASIDE = { until: new Date(NOW + 86_400_000).toISOString(), reason: 'a test' }

const BODIES: Readonly<Record<string, (productId: string, ueid: string, model: string) => object | Promise<object>>> = {
  'POST /profile-documents': async () => ({ document: writtenProfile }),
  'POST /decisions': async () => ({ entry: toBase64Url(await nextDecision()) }),
  'POST /accounts': () => ({ login: `x${randomBytes(8).toString('hex')}`, name: 'Ben', role: 'operator' }),
  'POST /accounts/:id/disable': () => ({}),
  'POST /accounts/:id/enable': () => ({}),
  'POST /accounts/:id/reset': () => ({}),
  'POST /decisions/check': (product) => ({
    kind: 'case.aware',
    subject: 'cas_x',
    detail: {
      case: {
        facts: 'ab'.repeat(32),
        product,
        certificate: 'c',
        trigger: 'T9',
        cause: 'c',
        proof: 'fleet',
        openedAt: 0,
      },
      scheme: 'eucc',
      awareAt: 0,
      reason: 'r',
      source: 's',
    },
    keyId: toHex(people.vendor.signer.keyId),
  }),
  'POST /cases': async (productId, _, model) => {
    await certifyProduct(`Acme/${model}`)
    return { productId, trigger: 'T9', summary: 'an incident', source: 'a customer' }
  },
  'POST /products': () => ({ vendor: 'Acme', model: `New ${randomBytes(8).toString('hex')}` }),
  'PUT /products/:id/ima-policy': () => ({ version: 1, allow: {}, signers: [], excludes: [] }),
  'POST /products/:id/releases': (_, __, model) => ({ file: releaseFile(`r${randomBytes(4).toString('hex')}`, model) }),
  'POST /products/:id/releases/capture': (_, ueid) => ({ name: `r${randomBytes(4).toString('hex')}`, ueids: [ueid] }),
  'PUT /releases/:id/sbom': (_, __, model) => ({ releaseDigest: seenOf(model), replaces: null, document: SBOM }),
  'POST /releases/:id/approve': (_, __, model) => ({ seen: seenOf(model) }),
  'POST /releases/:id/countersign': (_, __, model) => ({ seen: seenOf(model) }),
  'POST /releases/:id/activate': () => ({}),
  'POST /releases/:id/retire': () => ({}),
  'POST /releases/:id/revoke': () => ({ reason: 'a test' }),
  'POST /enrolment-tokens': (productId) => ({ productId }),
  'POST /registrations': (productId) => ({
    productId,
    entries: [{ kind: 'ek', fingerprint: randomBytes(32).toString('hex') }],
  }),
  'POST /registrations/:id/revoke': () => ({}),
  'POST /devices/:ueid/approve': () => ({}),
  'POST /devices/:ueid/revoke': () => ({}),
  'POST /devices/:ueid/challenges': () => ({}),
  'PUT /products/:id/units': () => ({ declared: 100 }),
  'POST /devices/:ueid/accept': () => ({}),
  'POST /devices/:ueid/reject': () => ({}),
  'PUT /devices/:ueid/labels': () => ({ set: { site: 'plant-7' } }),
  'POST /device-groups': () => ({ name: `g${randomBytes(4).toString('hex')}`, labels: { site: 'plant-7' } }),
  'POST /device-groups/:id/remove': () => ({}),
  'POST /device-actions': (_, ueid) => ({ action: 'accept', selection: { ueids: [ueid] } }),
  'POST /finding-acknowledgements': (productId) => ({
    selection: { productId, code: 'sockets.listener-added' },
    ...ASIDE,
  }),
  'POST /findings/:id/acknowledge': () => ASIDE,
  'POST /findings/:id/unacknowledge': () => ({}),
  'PUT /products/:id/finding-policies/:code': () => ({ severity: 'low', hysteresis: null }),
  'POST /finding-exceptions': (productId) => ({
    productId,
    code: 'sockets.listener-added',
    subject: 'tcp/*',
    reason: 'a test',
    expiresAt: ASIDE.until,
  }),
  'POST /finding-exceptions/:id/end': () => ({}),
  'POST /events': (productId) => ({ productId, kind: 'drill-held' }),
  'POST /advisories': () => ({ document: '{"id":"ACME-1","modified":"2026-01-01T00:00:00Z"}' }),
  'POST /advisory-bundle': async () => ({ page: toBase64Url(await emptyBundle()) }),
  'POST /products/:id/configurations': () => ({
    name: `x${randomBytes(8).toString('hex')}`,
    conditions: [{ kind: 'package-absent', package: 'telnetd' }],
  }),
  'POST /product-configurations/:id/remove': () => ({}),
  'POST /advisory-statements/:id/end': () => ({}),
  'POST /advisory-statements': (productId) => ({
    productId,
    advisory: 'ACME-1',
    reason: 'not reachable',
    expiresAt: new Date(NOW + 1000).toISOString(),
  }),
  'POST /notifications/retry': () => ({}),
  'POST /notifications/test': () => ({ channel: 'syslog' }),
  'POST /boot-comparisons': (_, ueid) => ({ ueids: [ueid] }),
}

const KEYS = testKeys()

/** Nothing, signed by the collector itself. */
function emptyBundle(): Promise<Uint8Array> {
  const { signer, publicKey } = KEYS
  const page = { index: 0, previous: null, feeds: [], feed: 0, content: deflateZlib(new Uint8Array()), unpacked: 0 }
  return signBundlePage({ ...page, key: publicKey.x, next: null }, signer)
}

const driftingPractice: PracticeState = {
  status: 'drift',
  since: NOW,
  waiting: advance(null, 'drift', false, NOW),
  confirmed: null,
  explanation: { target: 3, supported: 2, coverage: null, reasons: [] },
}
const SECONDS = Math.floor(NOW / 1000)

/** A certificate in force, and what somebody decides next. */
let people: DecidingPeople
let decisions: DecisionBook
let added = 0
async function nextDecision(): Promise<Uint8Array> {
  const somebody = signatory(`per_${added++}`, 'auditor')
  return signed('person.add', somebody.id, { ...newPerson('somebody', 'auditor', somebody.key) })
}

async function signed(kind: string, subject: string, detail: Json): Promise<Uint8Array> {
  const { certifier, id } = people
  const { index, previous } = await decisions.next()
  return signDecision({ log: id, index, previous, at: SECONDS, kind, subject, detail }, certifier.signer)
}

/** One certificate more, for this product alone. */
async function certifyProduct(product: string): Promise<void> {
  const id = `crt_${product.replaceAll(/[^\w.-]/g, '-')}`
  const draft = certificate(people, { products: [certified(product)], line: null })
  await decisions.append(await signed('certificate.draft', id, draft as Json), SECONDS)
  await decisions.append(await signed('certificate.issue', id, { reason: 'assessed' }), SECONDS)
}

const operatorOf = (login: string) =>
  ({ login, name: 'Ben', role: 'operator', scope: { vendor: 'Acme', products: null } }) as const
const circumstances = { now: NOW, random: randomBytes, by: 'collector' }

/** What a release has to have gone through, for each decision to be possible. */
const BEFORE: Readonly<Record<string, 'approved' | 'active'>> = {
  'POST /releases/:id/activate': 'approved',
  'POST /releases/:id/retire': 'active',
}

const methodOf = (route: string) => route.slice(0, route.indexOf(' ')) as 'GET' | 'POST' | 'PUT'

describe('every route', () => {
  const api = useApi({ requestsPerMinute: 10_000, decideAgain: async () => undefined, keys: KEYS }, 'all')
  let count = 0

  beforeAll(async () => {
    people = await DecidingPeople.begin()
    await approveProfile(people, 1, 3)
    await issueCertificate(people)
    await people.decide(people.vendor, 'document.submit', 'doc_1', exampleDocument(people))
    await people.decide(people.certifier, 'document.request', 'req_1', exampleRequest(people))
    await people.decide(people.certifier, 'recommendation.make', 'rcm_1', exampleRecommendation())
    await people.decide(people.vendor, 'roadmap.add', 'rmi_1', exampleStep(people))
    await people.decide(people.certifier, 'certificate.draft', 'crt_draft', certificate(people))
    await people.decide(people.certifier, 'assessment.begin', 'crt_draft', { scenario: 'product-line' })
    decisions = new DecisionBook(api().store)
    for (const [index, entry] of people.entries.entries()) {
      await api().store.decisions.append(index, entry, people.now * 1000)
    }
  })

  it('is in the table of roles', () => {
    const routes = endpoints.map(({ method, path }) => `${method} ${path}`)
    expect(routes.sort()).toEqual(Object.keys(ALLOWED).sort())
  })

  const cases = Object.entries(ALLOWED).flatMap(([route, allowed]) =>
    ROLES.map((role) => [route, role, allowed.includes(role)] as const),
  )

  it.each(cases)('%s as %s is allowed: %s', async (route, role, allowed) => {
    const { call, path, productId, ueid, model } = await prepared(route)
    const payload = await BODIES[route]?.(productId, ueid, model)
    const { status, body, headers } = await call(role, methodOf(route), path, payload)
    if (allowed) {
      expect([body, headers['content-type']]).toEqual([body, expect.not.stringContaining('problem')])
      expect([200, 201]).toContain(status)
    } else {
      expect(status).toBe(403)
      expect(body).toMatchObject({ type: 'auth.forbidden', status: 403 })
    }
  })

  it.each(Object.keys(ALLOWED))('%s without a token is refused', async (route) => {
    const { call, path, productId, ueid, model } = await prepared(route)
    const answer = await call(null, methodOf(route), path, await BODIES[route]?.(productId, ueid, model))
    expect(answer.status).toBe(401)
    expect(answer.body).toMatchObject({ type: 'auth.missing' })
    expect(answer.headers['www-authenticate']).toBe('Bearer')
  })

  // Everything that is prepared is of Acme: somebody of another vendor finds nothing of it, whatever his role.
  it.each(cases)('%s as %s of another vendor shows nothing of this one (%s)', async (route, role, allowed) => {
    const { path, productId, ueid, model } = await prepared(route)
    const { app, store } = api()
    const scope = { vendor: 'Rival', products: null }
    const { text } = await createApiToken(
      store,
      { name: 'Eve', role, scope, expiresAt: null },
      { now: NOW, random: randomBytes },
    )
    const before = await store.auditLog.list({ limit: 1 })
    const payload = await BODIES[route]?.(productId, ueid, model)
    const response = await app.inject({
      method: methodOf(route),
      url: path,
      headers: { authorization: `Bearer ${text}` },
      ...(payload === undefined ? {} : { payload }),
    })
    const endpoint = endpoints.find(({ method, path: own }) => `${method} ${own}` === route)
    const names = `${path.replace('/api/v1', '')} ${JSON.stringify(payload ?? {})}`
    const isNamed = [productId, ueid].some((each) => names.includes(each)) || /\/\w+_/.test(path)
    const isRefused = !allowed || endpoint?.scope === 'unbound' || ['POST /products', 'POST /accounts'].includes(route)
    const isCreated = endpoint?.status === 201
    const expected = isRefused ? 403 : endpoint?.scope === 'own' && isNamed ? 404 : isCreated ? 201 : 200
    expect([response.statusCode, response.body]).toEqual([expected, expect.any(String)])
    if (expected < 300) {
      for (const mark of [productId, ueid, model, 'Acme', 'crt_1', 'KS-2026']) expect(response.body).not.toContain(mark)
      // Nothing of Acme was there to be listed; what was published is the same for everybody.
      const isList = String(response.headers['content-type']).includes('json') && !route.includes('/advisor')
      if (isList) expect(response.json()).not.toMatchObject({ items: [expect.anything()] })
    } else if (route !== 'POST /decisions') expect(await store.auditLog.list({ limit: 1 })).toEqual(before)
  })

  /** A device that can be approved, and a case, so that every route has something to answer with. */
  async function prepared(route: string) {
    const { call, store } = api()
    const device = await storedDevice(store, `device ${count++}`, undefined, { enrolment: 'pending' })
    const message = await quotedMessage()
    const record = evidence(device.id, 0, { bytes: message.bytes })
    await store.evidence.insert(record)
    await store.postures.save(device.vendor, record.postureDigest, new Map())
    await store.pcrSets.save(device.vendor, bytes('pcrs'), message.pcrs, 0)
    const newest = { freshSession: bytes('session', 16), freshSequence: 0 }
    await store.devices.saveState(device.id, { ...initialDeviceState, ...newest })
    await store.sections.save(device.vendor, sha256(message.log), message.log)
    const policy = JSON.stringify({ version: 1, allow: {}, signers: [], excludes: [] })
    await store.imaPolicies.add({ productId: device.productId, policy, createdAt: NOW, createdBy: 'api_x' })
    await store.practices.saveState(device.productId, 'patch-management', driftingPractice)
    const open = finding(device.id)
    await store.findings.insert(open)
    const by = { createdBy: 'api_x', createdAt: NOW }
    const exceptionId = id('exc')
    const over = { deviceUeid: null, groupId: null, endedBy: null, endedAt: null, expiresAt: NOW + 86_400_000 }
    await store.findingExceptions.insert(
      { id: exceptionId, productId: device.productId, code: open.code, subject: '*', reason: 'a test', ...over, ...by },
      null,
    )
    const groupId = id('grp')
    await store.deviceGroups.create({ id: groupId, vendor: null, name: groupId, labels: { site: 'plant-7' }, ...by })
    const { id: caseId, ...about } = reassessment(device.productId, { cause: open.code })
    await store.cases.insert({ id: caseId, ...about })
    const aside = { topic: '', bytes: randomBytes(9), receivedAt: NOW, reason: 'x', detail: '', tries: 1 }
    await store.quarantine.add([aside], NOW)
    const advisory = parseAdvisories({ id: 'ACME-1', modified: '2026-01-01T00:00:00Z' })
    await addAdvisories(store, 'own', 'own', advisory, NOW)
    await store.feedFetches.declare([{ feed: 'own', kind: 'document', url: 'https://a.example/', maxAgeMs: 1000 }], NOW)
    await store.newestResults.put({ deviceId: device.id, issuedAt: NOW, cwt: bytes('cwt'), keyId: bytes('key', 32) })
    const asked = { ueid: device.ueid, actor: 'api_x', now: NOW - 3_600_000, validMs: 60_000, random: randomBytes }
    const challenge = await askDevice(store, asked)
    if ((await store.restorePoints.newest()) === undefined) {
      await store.restorePoints.add({ number: 1, restoredAt: NOW, newestReceiptAt: null, firstEpoch: 1 })
    }
    const quarantined = (await store.quarantine.list({ limit: 1 })).items[0]?.id
    const resource = route.includes('/quarantine')
      ? String(quarantined)
      : route.includes('/challenges/')
        ? challenge.id
        : route.includes('/cases')
          ? caseId
          : route.includes('/accounts')
            ? (await createAccount(store, operatorOf(`x${randomBytes(8).toString('hex')}`), circumstances)).id
            : route.includes(' /documents/')
              ? 'doc_1'
              : route.includes(' /profiles/')
                ? PROFILE
                : route.includes(' /certificates/')
                  ? 'crt_1'
                  : route.includes(' /releases')
                    ? await preparedRelease(store, device.productId, BEFORE[route], route === 'GET /releases/:id/sbom')
                    : device.productId
    const said = productStatement(device.productId, 'ACME-1')
    await store.productStatements.add(said)
    const configurationId = id('cfg')
    const conditions = [{ kind: 'package-absent', package: 'telnetd' }] as const
    const declared = { createdAt: NOW, createdBy: 'api_x', createdByName: 'Ada' }
    const configuration = { id: configurationId, productId: device.productId, name: 'no-telnet', conditions }
    await store.productConfigurations.add({ ...configuration, ...declared })
    const fingerprint = randomBytes(32)
    const registered = token(device.productId, {
      registration: { kind: 'ek', fingerprint, serial: null, revokedAt: null },
    })
    await store.enrolmentTokens.create(registered)
    const own = Object.entries({
      ' /registrations': registered.id,
      ' /findings': open.id,
      ' /finding-exceptions': exceptionId,
      ' /device-groups': groupId,
      ' /advisory-statements': said.id,
      ' /product-configurations': configurationId,
      ' /document-requests': 'req_1',
    })
    const named = own.find(([part]) => route.includes(part))?.[1]
    const path = `/api/v1${route.slice(route.indexOf(' ') + 1)}`
      .replace(':ueid', device.ueid)
      .replace(':id', named ?? resource)
      .replace(':number', '1')
      .replace(':name', 'ACME-1')
      .replace(':feed', 'own')
      .replace(':practice', 'patch-management')
      .replace(':signal', 'patch.critical-time')
      .replace(':code', 'packages.added')
      .replace(/:kind(.*)/, `surveillance$1?productId=${device.productId}`)
    const product = await store.products.byId(device.productId)
    return { call, path, productId: device.productId, ueid: device.ueid, model: product?.model ?? '' }
  }

  async function preparedRelease(
    store: Store,
    productId: string,
    state?: 'approved' | 'active',
    withSbom = false,
  ): Promise<string> {
    const product = await store.products.byId(productId)
    if (product === undefined) throw new Error('no product')
    const by = (name: string) => ({ by: { tokenId: `api_${name}`, name }, now: NOW })
    const { id: release, digest } = await writeDraft(
      store,
      product,
      releaseFile('1', product.model),
      by('Ada'),
      randomBytes,
    )
    if (withSbom) {
      const made = { releaseId: release, releaseDigest: digest, digest: '0'.repeat(64), sbom: parseSbom(SBOM) }
      await store.releaseSboms.save({ ...made, importedAt: NOW, importedBy: 'api_Ada', importedByName: 'Ada' })
    }
    if (state !== undefined) await approveRelease(store, release, digest, by('Ben'))
    const request = { acceptedUntil: null, isMinimum: false, isCertified: false }
    if (state === 'active') await activateRelease(store, release, request, by('Ben'))
    return release
  }
})

describe('a token', () => {
  const api = useApi()
  const withHeader = async (authorization: string) => {
    const response = await api().app.inject({ method: 'GET', url: '/api/v1/devices', headers: { authorization } })
    return response.statusCode
  }

  it('is accepted whatever the case of the scheme', async () => {
    expect(await withHeader(`bearer ${api().tokens.auditor}`)).toBe(200)
  })

  it('is refused when it is none, cut, of another kind or unknown', async () => {
    const { auditor } = api().tokens
    const others = ['', 'Bearer', `Basic ${auditor}`, `Bearer ${auditor}x`, `Bearer ${auditor.slice(0, -1)}`, auditor]
    for (const header of [...others, `Bearer kse_${auditor.slice(4)}`, `Bearer ksa_${'A'.repeat(43)}`]) {
      expect(await withHeader(header), header).toBe(401)
    }
  })

  it('is refused once revoked', async () => {
    const { store, tokens } = api()
    for (const token of (await store.apiTokens.list({ limit: 10 })).items) await store.apiTokens.revoke(token.id, NOW)
    expect(await withHeader(`Bearer ${tokens.operator}`)).toBe(401)
  })

  it('is refused from the moment in which it expires', async () => {
    const { store, clock } = api()
    const text = `ksa_${'B'.repeat(43)}`
    const expiring = {
      id: id('api'),
      name: 'short',
      role: 'auditor' as const,
      scope: null,
      createdAt: NOW,
      expiresAt: NOW + 5,
    }
    await store.apiTokens.create({ ...expiring, tokenHash: tokenHash(text, hash) })
    clock.now = NOW + 4
    expect(await withHeader(`Bearer ${text}`)).toBe(200)
    clock.now = NOW + 5
    expect(await withHeader(`Bearer ${text}`)).toBe(401)
  })

  it('is nowhere in the database', async () => {
    const { store, tokens } = api()
    const stored = JSON.stringify([await store.apiTokens.list({ limit: 10 }), await store.auditLog.list({ limit: 10 })])
    for (const text of Object.values(tokens)) expect(stored).not.toContain(text.slice(4))
  })
})

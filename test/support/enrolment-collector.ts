import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { Product } from '../../collector/model/product.ts'
import type { Registration } from '../../collector/model/registration.ts'
import { makeId } from '../../collector/store/ids.ts'
import { openStore, type OpenStore, type Store } from '../../collector/store/index.ts'
import { EndorsementAuthorities } from '../../collector/trust/ek-roots.ts'
import { beginEnrolment } from '../../collector/trust/enrolment/begin.ts'
import type { EnrolmentDependencies } from '../../collector/trust/enrolment/dependencies.ts'
import { finishEnrolment } from '../../collector/trust/enrolment/finish.ts'
import { loadOrCreateKeys, type CollectorKeys } from '../../collector/trust/keys.ts'
import { toBase64Url } from '../../shared/bytes/bytes.ts'
import { hash, random } from '../../shared/crypto/node.ts'
import { tokenHash } from '../../shared/evidence/binding.ts'
import type { EnrolmentGrant } from '../../shared/evidence/enrolment.ts'
import { beginBody, finishBody, PRODUCT, softwareTpm, type EnrollingDevice } from './enrolling-device.ts'
import { authority, ekCertificate, TEST_NOW } from './test-certificates.ts'

export const root = authority('Vendor root', null)
export const certifiedTpm = () => softwareTpm((publicKeyInfo) => ekCertificate(publicKeyInfo, root))
export const uncertifiedTpm = () => softwareTpm(() => null)

/** A collector of its own for each test: real keys once, a real store each time, a clock that only tests move. */
export class Collector {
  readonly store: Store
  readonly keys: CollectorKeys
  now = TEST_NOW
  productId = ''

  constructor(store: Store, keys: CollectorKeys) {
    this.store = store
    this.keys = keys
  }

  get dependencies(): EnrolmentDependencies {
    const authorities = new EndorsementAuthorities()
    authorities.add(root.der)
    return {
      store: this.store,
      keys: this.keys,
      authorities,
      mqttUrl: 'mqtts://collector.example:8883',
      certificateLifetimeMs: 90 * 86_400_000,
      now: () => this.now,
      random,
    }
  }

  async product(changes: Partial<Product> = {}): Promise<void> {
    this.productId = makeId('prd', this.now, random)
    const { vendor, model } = PRODUCT
    const policies = { identityPolicy: 'endorsed', approvalPolicy: 'automatic' } as const
    await this.store.products.create({
      id: this.productId,
      vendor,
      model,
      ...policies,
      createdAt: this.now,
      ...changes,
    })
  }

  async token(reenrolUeid: string | null = null, lifetimeMs = 3_600_000): Promise<string> {
    const token = `kse_${toBase64Url(random(32))}`
    await this.store.enrolmentTokens.create({
      id: makeId('tok', this.now, random),
      tokenHash: tokenHash(token, hash),
      productId: this.productId,
      reenrolUeid,
      expiresAt: this.now + lifetimeMs,
      reservedUntil: null,
      reservedBy: null,
      usedAt: null,
      usedByUeid: null,
      createdAt: this.now,
      registration: null,
    })
    return token
  }

  /** Registers an endorsement key in the place of a token; answers with the id of the entry. */
  async register(registration: Partial<Registration>, lifetimeMs = 3_600_000, productId = this.productId) {
    const id = makeId('tok', this.now, random)
    const unknown = { kind: 'ek', fingerprint: random(32), serial: null, revokedAt: null } as const
    await this.store.enrolmentTokens.create({
      id,
      tokenHash: random(32),
      productId,
      reenrolUeid: null,
      expiresAt: this.now + lifetimeMs,
      reservedUntil: null,
      reservedBy: null,
      usedAt: null,
      usedByUeid: null,
      createdAt: this.now,
      registration: { ...unknown, ...registration },
    })
    return id
  }

  begin(device: EnrollingDevice, token: string | null) {
    return beginEnrolment(beginBody(device, token), this.dependencies)
  }

  async enrol(device: EnrollingDevice, token: string | null): Promise<EnrolmentGrant> {
    const challenge = await this.begin(device, token)
    return finishEnrolment(await finishBody(device, token, challenge), this.dependencies)
  }

  async devices() {
    return (await this.store.devices.list({ limit: 100 })).items.map(({ device }) => device)
  }

  async audit(action: string) {
    return (await this.store.auditLog.list({ limit: 100 })).items.filter((entry) => entry.action === action)
  }
}

/** Gives each call a collector with an empty store; all are closed and removed after the test file. */
export function useCollectors(): () => Promise<Collector> {
  let directory = ''
  let keys: CollectorKeys
  let count = 0
  const opened: OpenStore[] = []
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'keepseal-enrolment-'))
    keys = await loadOrCreateKeys({ dataDirectory: directory, now: TEST_NOW, random })
  })
  afterAll(async () => {
    for (const store of opened) await store.close()
    await rm(directory, { recursive: true })
  })
  return async () => {
    const open = await openStore({ path: join(directory, `store-${count++}`, 'collector.db') })
    opened.push(open)
    return new Collector(open.store, keys)
  }
}

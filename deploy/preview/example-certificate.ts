import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { connect } from '../../collector/cli/client/api.ts'
import { decide } from '../../collector/cli/client/decisions/decide.ts'
import { createKey, readKey } from '../../collector/cli/client/decisions/key-file.ts'
import type { Json } from '../../shared/decisions/json-cbor.ts'
import { newPerson } from '../../shared/decisions/person.ts'
import { productName } from '../../shared/decisions/products.ts'
import { makeToken } from './collector.ts'
import type { PreviewPorts } from './ports.ts'
import { collectorSettings, PRODUCT } from './settings.ts'

const YEAR_SECONDS = 365 * 86_400
const PROFILE = 'pro_example'
const TARGETS = {
  'patch-management': { level: 3, scope: 'industry' },
  'access-control': { level: 2, scope: 'industry' },
} as const
const DOCUMENT = {
  schema: 1,
  id: PROFILE,
  version: 1,
  kind: 'individual',
  title: 'Example profile of the preview',
  practices: Object.fromEntries(
    Object.entries(TARGETS).map(([practice, target]) => [practice, { target, priority: 'must' }]),
  ),
  review: { everyDays: 180 },
}
const NO_FLAGS = { url: undefined, tokenFile: undefined, caFile: undefined, config: undefined }
const Stored = v.object({ digest: v.string() })

/** The product carries a certificate, so that its drift opens cases. Example data, and named so. */
export async function ensureCertificate(repository: string, home: string, ports: PreviewPorts): Promise<void> {
  const environment = {
    KEEPSEAL_URL: `https://localhost:${ports.https}`,
    KEEPSEAL_TOKEN: makeToken(repository, 'certifier', collectorSettings(home, ports)),
    KEEPSEAL_CA_FILE: join(home, 'collector', 'keys', 'device-ca.pem'),
  }
  const keyFile = (name: string): string => join(home, 'people', `${name}.pem`)
  const decided = (by: string, kind: string, subject: string, detail: Json) =>
    decide({ ...NO_FLAGS, key: keyFile(by) }, environment, {
      kind,
      subject,
      detail,
    })
  const key = (name: string) =>
    (existsSync(keyFile(name)) ? readKey(keyFile(name)) : createKey(keyFile(name))).publicKey

  const certifier = newPerson('Example certifier', 'certifier', key('certifier'))
  await decided('certifier', 'log.begin', 'per_certifier', {
    operator: 'Preview on this machine',
    certifier: { ...certifier },
  })
  await decided('certifier', 'person.add', 'per_vendor', { ...newPerson('Example vendor', 'vendor', key('vendor')) })
  const { digest } = await connect(NO_FLAGS, environment).post('/profile-documents', { document: DOCUMENT }, Stored)
  const change = { kind: 'initial' }
  await decided('vendor', 'profile.submit', PROFILE, { version: 1, digest, targets: TARGETS, change })
  await decided('certifier', 'profile.approve', PROFILE, { version: 1, digest })
  const now = Math.floor(Date.now() / 1000)
  await decided('certifier', 'certificate.draft', 'crt_example', {
    number: 'EXAMPLE-1',
    products: [
      {
        product: productName(PRODUCT),
        hardwareRevisions: ['*'],
        firmwareLines: ['*'],
        representative: true,
        rationale: 'the only product of the example',
      },
    ],
    line: null,
    profile: { id: PROFILE, version: 1, digest },
    agreement: { publicConformity: 'none', claimsWhileSuspended: false, closingShare: 95 },
    validFrom: now,
    validUntil: now + YEAR_SECONDS,
    supportUntil: now + YEAR_SECONDS,
    supersedes: null,
    isReduction: false,
  })
  await decided('certifier', 'certificate.issue', 'crt_example', { reason: 'an example, which nobody has assessed' })
}

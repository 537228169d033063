import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { parseProfile } from '../../../collector/maturity/profile-file.ts'
import { defaultCatalogue } from '../../../shared/maturity/catalogue/catalogue.ts'
import { productName } from '../../../shared/decisions/products.ts'
import type { ProfileDocument } from '../../../shared/maturity/profile.ts'
import type { PreviewPorts } from '../ports.ts'
import { SIMULATED_PRODUCT } from '../../simulator/run.ts'
import { PRODUCT } from '../settings.ts'
import { attest } from './documents.ts'
import { record } from './events.ts'
import { ExamplePeople } from './people.ts'
import { release } from './releases.ts'

const YEAR_SECONDS = 365 * 86_400
const Stored = v.looseObject({ digest: v.string() })
const Created = v.looseObject({ id: v.string() })

/** The members of the line; the machine that the preview runs on is one more. */
const MODELS = [
  { model: 'EG-400', rationale: 'the same image and board, without modem and bus' },
  { model: 'EG-410', rationale: 'the same image and board, without the bus' },
  { model: 'EG-420', rationale: 'has everything that the others have' },
] as const
const REPRESENTATIVE = 'EG-420'

/**
 * A whole product line with its profile, documents, releases and certificate, for trying things: every name says that it
 * is an example. The machine of the preview belongs to the line, so that its drift opens cases.
 */
export async function loadExample(repository: string, home: string, ports: PreviewPorts): Promise<void> {
  const directory = join(repository, 'deploy', 'preview', 'example')
  const people = new ExamplePeople(repository, home, ports)
  const certifier = { ...people.person('certifier') }
  await people.decide('certifier', 'log.begin', 'per_certifier', { operator: 'Preview on this machine', certifier })
  await people.decide('certifier', 'person.add', 'per_vendor', { ...people.person('vendor') })

  const profiles = ['industrial-gateways.yaml', 'edge-gateway-line.yaml']
  let profile: ProfileDocument | undefined
  let digest = ''
  for (const file of profiles) {
    profile = parseProfile(readFileSync(join(directory, file), 'utf8'), defaultCatalogue)
    digest = await agree(people, profile)
  }
  if (profile === undefined) throw new Error('no profile')

  const vendor = people.api('vendor')
  const policies = { identityPolicy: 'tofu', approvalPolicy: 'manual' }
  const made = new Map<string, string>()
  for (const { model } of MODELS) {
    const created = await vendor.post('/products', { vendor: PRODUCT.vendor, model, ...policies }, Created)
    made.set(model, created.id)
  }
  const simulated = { ...SIMULATED_PRODUCT, identityPolicy: 'tofu', approvalPolicy: 'automatic' }
  await vendor.post('/products', simulated, Created)
  const listed = [
    ...MODELS,
    { model: PRODUCT.model, rationale: 'this very machine, which stands in for a gateway' },
    { model: SIMULATED_PRODUCT.model, rationale: 'gateways that do not exist, for looking at' },
  ]
  const products = listed.map(({ model }) => productName({ ...PRODUCT, model }))
  await attest(people, profile, products)

  const now = Math.floor(Date.now() / 1000)
  await people.decide('certifier', 'certificate.draft', 'crt_example', {
    number: 'EXAMPLE-1',
    products: listed.map(({ model, rationale }) => ({
      product: productName({ ...PRODUCT, model }),
      hardwareRevisions: ['*'],
      firmwareLines: MODELS.some((each) => each.model === model) ? ['2.*'] : ['*'],
      representative: model === REPRESENTATIVE,
      rationale,
    })),
    line: { name: 'Edge Gateway (example)', codeBase: 'one image for all', hardware: 'one board, parts left out' },
    profile: { id: profile.id, version: profile.version, digest },
    agreement: { publicConformity: 'full', claimsWhileSuspended: false, closingShare: 95 },
    validFrom: now,
    validUntil: now + 3 * YEAR_SECONDS,
    supportUntil: now + 5 * YEAR_SECONDS,
    supersedes: null,
    isReduction: false,
  })
  await people.decide('certifier', 'certificate.issue', 'crt_example', {
    reason: 'an example, which nobody has assessed',
  })
  const representative = made.get(REPRESENTATIVE) ?? ''
  await release(people, directory, representative)
  await record(people, representative)
}

/** Handed in by the vendor, approved by the certifier. Gives its digest. */
async function agree(people: ExamplePeople, document: ProfileDocument): Promise<string> {
  const { id, version, kind, basedOn, practices } = document
  const { digest } = await people.api('vendor').post('/profile-documents', { document }, Stored)
  const targets = Object.fromEntries(Object.entries(practices).map(([practice, { target }]) => [practice, target]))
  await people.decide('vendor', 'profile.submit', id, {
    version,
    digest,
    targets,
    change: { kind: 'initial' },
    profileKind: kind,
    basedOn,
  })
  await people.decide('certifier', 'profile.approve', id, { version, digest })
  return digest
}

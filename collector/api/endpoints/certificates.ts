import * as v from 'valibot'
import { KeepsealError } from '../../../shared/errors.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { CertificateStanding, certificateStandingJson } from './certificate-json.ts'
import { READERS } from './roles.ts'

const certificates = defineEndpoint({
  method: 'GET',
  path: '/certificates',
  operationId: 'listCertificateStandings',
  summary: 'All certificates of the decision log with their standing now, newest last',
  roles: READERS,
  scope: 'own',
  response: v.strictObject({ items: v.array(CertificateStanding) }),
  run: async ({ decisions, clock }) => {
    const { certificates: known } = await decisions.register()
    return { items: [...known.values()].map((each) => certificateStandingJson(each, Math.floor(clock() / 1000))) }
  },
})

const certificate = defineEndpoint({
  method: 'GET',
  path: '/certificates/:id',
  operationId: 'getCertificateStanding',
  summary: 'One certificate with its standing now',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: v.pipe(v.string(), v.maxLength(128)) }),
  response: CertificateStanding,
  run: async ({ decisions, clock }, { params }) => {
    const found = (await decisions.register()).certificates.get(params.id)
    if (found === undefined) throw new KeepsealError('request.not-found', `certificate ${params.id}`)
    return certificateStandingJson(found, Math.floor(clock() / 1000))
  },
})

export const certificateEndpoints: readonly Endpoint[] = [certificates, certificate]

import * as v from 'valibot'
import { toBase64Url } from '../../../shared/bytes/bytes.ts'
import { encodeCertificateFile } from '../../../shared/certificate/file.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { defineEndpoint, type Endpoint } from '../endpoint.ts'
import { StatusBook } from '../public/status-book.ts'
import {
  CertificateDetail,
  certificateLiveJson,
  CertificateStanding,
  certificateStandingJson,
} from './certificate-json.ts'
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
  summary: 'One certificate with its standing now, how it is kept, and which units it covers',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: v.pipe(v.string(), v.maxLength(128)) }),
  response: CertificateDetail,
  run: async ({ decisions, clock, conformityOf, coverageOf }, { params }) => {
    const register = await decisions.register()
    const found = register.certificates.get(params.id)
    if (found === undefined) throw new KeepsealError('request.not-found', `certificate ${params.id}`)
    const { id, version } = found.profile
    const targets = register.profiles.get(id)?.find((each) => each.version === version)?.targets ?? {}
    const now = clock()
    const conformity = await conformityOf(found, register, now)
    const coverage = await coverageOf(found, register, now)
    return {
      ...certificateStandingJson(found, Math.floor(now / 1000)),
      ...certificateLiveJson(conformity, coverage, targets),
    }
  },
})

const file = defineEndpoint({
  method: 'GET',
  path: '/certificates/:id/file',
  operationId: 'getCertificateFile',
  summary: 'One certificate as a file that can be checked without this collector',
  roles: READERS,
  scope: 'own',
  params: v.strictObject({ id: v.pipe(v.string(), v.maxLength(128)) }),
  /** certificate.cddl, certificate-file, in base64url. */
  response: v.strictObject({ file: v.string() }),
  run: async (services, { params }) => {
    const { entries, head } = await services.decisions.excerpt(params.id)
    const { status, bytes } = await new StatusBook(services).of(params.id)
    // Somebody may have decided in between: then the file would contradict itself.
    if (status.body.log.index !== head.index) throw new KeepsealError('log.moved-on')
    const profile = (await services.profileDocument(status.body.profile.digest)) ?? null
    const { publicKey } = services.keys
    if (publicKey.curve !== 'Ed25519') throw new KeepsealError('internal.failure', 'the key of the collector')
    const content = { certificate: params.id, entries, head, profile, status: bytes, collectorKey: publicKey }
    return { file: toBase64Url(encodeCertificateFile(content)) }
  },
})

export const certificateEndpoints: readonly Endpoint[] = [certificates, certificate, file]

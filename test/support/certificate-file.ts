import { encodeCertificateFile, excerptOf, type CertificateFile } from '../../shared/certificate/file.ts'
import { deflateZlib } from '../../collector/zlib.ts'
import {
  packStatuses,
  signStatusList,
  STATUS_LIST_TTL,
  statusesOf,
  type StatusList,
} from '../../shared/certificate/status-list.ts'
import { signStatus, STATUS_LIFETIME_SECONDS, statusBodyOf } from '../../shared/certificate/status.ts'
import { coseKeyThumbprint, type CoseKey } from '../../shared/cose/key.ts'
import type { Signer } from '../../shared/cose/sign1.ts'
import * as nodeCrypto from '../../shared/crypto/node.ts'
import { DecisionLog } from '../../shared/decisions/log.ts'
import { toHex } from '../../shared/bytes/bytes.ts'
import type { DecidingPeople } from './decision-log.ts'
import { ed25519Signer } from './node-signer.ts'

const made = ed25519Signer(new Uint8Array(32).fill(7))
export const COLLECTOR: { readonly signer: Signer; readonly key: CoseKey & { readonly curve: 'Ed25519' } } = {
  signer: made.signer,
  key: { curve: 'Ed25519', x: made.x },
}
export const COLLECTOR_ID = toHex(coseKeyThumbprint(COLLECTOR.key, nodeCrypto.hash))

export const LIST_URI = 'https://collector.example/status-lists/1'

/** The list of statuses that a collector would sign now. */
export function statusListOf(
  people: DecidingPeople,
  over: Partial<StatusList> = {},
  signer = COLLECTOR.signer,
): Promise<Uint8Array> {
  const times = { issuedAt: people.now, expiresAt: people.now + STATUS_LIFETIME_SECONDS, ttl: STATUS_LIST_TTL }
  const bytes = packStatuses(statusesOf(people.log.register, people.now))
  return signStatusList({ uri: LIST_URI, ...times, bytes, ...over }, signer, deflateZlib)
}

/** The status that a collector would sign now. */
export function statusOf(people: DecidingPeople, id = 'crt_1', signer = COLLECTOR.signer): Promise<Uint8Array> {
  const certificate = people.log.register.certificates.get(id)
  if (certificate === undefined) throw new Error(`no ${id}`)
  const extras = { logId: people.id, limitations: null, conformity: undefined }
  const body = statusBodyOf(certificate, people.log.register, people.now, extras)
  const expiresAt = people.now + STATUS_LIFETIME_SECONDS
  const list = { uri: LIST_URI, index: certificate.place }
  return signStatus({ certificate: id, issuedAt: people.now, expiresAt, list, body }, signer)
}

/** The file that a collector would export now. */
export async function certificateFile(
  people: DecidingPeople,
  over: Partial<CertificateFile> = {},
  id = 'crt_1',
): Promise<Uint8Array> {
  const log = new DecisionLog(nodeCrypto)
  const entries = people.entries.map((entry) => log.append(entry))
  const { head } = log.register
  if (head === null) throw new Error('no log')
  return encodeCertificateFile({
    certificate: id,
    entries: excerptOf(log, entries, id),
    head: { index: head.index, hash: head.hash },
    profile: null,
    status: await statusOf(people, id),
    collectorKey: COLLECTOR.key,
    ...over,
  })
}

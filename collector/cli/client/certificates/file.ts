import * as v from 'valibot'
import { fromBase64Url } from '../../../../shared/bytes/bytes.ts'
import type { ApiClient } from '../api.ts'

export const pathOf = (id: string): string => `/certificates/${encodeURIComponent(id)}`

/** One certificate as it can be checked without a server: certificate.cddl, certificate-file. */
export async function fileOf(client: ApiClient, certificate: string): Promise<Uint8Array> {
  const { file } = await client.get(`${pathOf(certificate)}/file`, v.object({ file: v.string() }))
  return fromBase64Url(file)
}

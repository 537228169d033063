import { KeepsealError } from '../../../shared/errors.ts'
import type { CollectorConfig } from '../../config/options.ts'
import { readSecretFile } from '../../trust/key-files.ts'
import { OidcProvider } from './provider.ts'
import { claimRolesOf } from './roles.ts'

/** Where the provider sends browsers back to, below the address of the collector. */
export const OIDC_RETURN = '/api/v1/session/oidc/return'

/** The provider that the configuration names; null: none. Reads the secret. Errors: state.*, config.invalid-value. */
export async function oidcProviderOf(
  { oidc }: CollectorConfig,
  publicUrl: string,
  clock: () => number,
): Promise<OidcProvider | null> {
  const { issuer, clientId, clientSecretFile: file, scope, claim, roles } = oidc
  if (issuer === '') return null
  const clientSecret = file === '' ? null : (await readSecretFile(file)).toString('utf8').replace(/\r?\n$/, '')
  if (clientSecret === '') throw new KeepsealError('config.invalid-value', `${file} is empty`)
  const settings = { issuer, clientId, clientSecret, scope, claim, roles: claimRolesOf(roles) }
  return new OidcProvider(settings, new URL(OIDC_RETURN, publicUrl).href, clock)
}

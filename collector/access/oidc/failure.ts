import { AuthorizationResponseError, ResponseBodyError, WWWAuthenticateChallengeError } from 'openid-client'
import type { ErrorCode } from '../../../shared/codes/errors.ts'
import { KeepsealError } from '../../../shared/errors.ts'

/** What the library says of a claim that is not as it has to be. */
const CLAIMS: Readonly<Record<string, ErrorCode>> = {
  iss: 'oidc.issuer-wrong',
  aud: 'oidc.audience-wrong',
  azp: 'oidc.audience-wrong',
  nonce: 'oidc.nonce-wrong',
}

/** And of the rest, by its codes. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED: 'oidc.issuer-wrong',
  OAUTH_JWT_TIMESTAMP_CHECK_FAILED: 'oidc.token-expired',
  OAUTH_KEY_SELECTION_FAILED: 'oidc.signature-invalid',
  OAUTH_TIMEOUT: 'oidc.provider-unreachable',
  OAUTH_ABORT: 'oidc.provider-unreachable',
  OAUTH_RESPONSE_IS_NOT_CONFORM: 'oidc.provider-unreachable',
}

/** Errors of the library, and of the network below it, as ours: each reason has its code, and none passes for a login. */
export function oidcFailure(error: unknown): KeepsealError {
  if (error instanceof KeepsealError) return error
  const made = (code: ErrorCode, detail?: string) => new KeepsealError(code, detail, { cause: error })
  if (error instanceof AuthorizationResponseError) return made('oidc.refused', named(error.error))
  if (error instanceof ResponseBodyError) {
    return made(error.error === 'invalid_grant' ? 'oidc.code-refused' : 'oidc.client-refused', named(error.error))
  }
  if (error instanceof WWWAuthenticateChallengeError) return made('oidc.client-refused')
  const { code, claim } = reasonOf(error)
  if (claim !== undefined && CLAIMS[claim] !== undefined) return made(CLAIMS[claim])
  if (code !== undefined && CODES[code] !== undefined) return made(CODES[code])
  if (/signature/i.test(messagesOf(error))) return made('oidc.signature-invalid')
  // What fetch throws: no name, no answer, no TLS that can be trusted.
  if (error instanceof TypeError && error.message === 'fetch failed') return made('oidc.provider-unreachable')
  return made('oidc.token-invalid')
}

/** Of the standards' short words alone: what else a provider says comes from whoever sent the browser here. */
const named = (word: string): string | undefined => (/^[a-z_]{1,40}$/.test(word) ? word : undefined)

function chainOf(error: unknown): readonly Error[] {
  const chain: Error[] = []
  for (let each = error; each instanceof Error && chain.length < 5; each = each.cause) chain.push(each)
  return chain
}

function reasonOf(error: unknown): { readonly code: string | undefined; readonly claim: string | undefined } {
  const chain = chainOf(error)
  const codes = chain.map((each) => (each as { code?: unknown }).code)
  const claims = chain.map(({ cause }) => (cause as { claim?: unknown } | undefined)?.claim)
  const firstText = (all: readonly unknown[]) => all.find((each): each is string => typeof each === 'string')
  return { code: firstText(codes), claim: firstText(claims) }
}

const messagesOf = (error: unknown): string =>
  chainOf(error)
    .map(({ message }) => message)
    .join('; ')

import * as v from 'valibot'
import { option } from '../../shared/config/definition.ts'
import { serverUrl } from '../../shared/config/url-types.ts'
import { optionalPath, text, type ValueType } from '../../shared/config/value-types.ts'
import { isPrintable } from '../../shared/text/printable.ts'
import { CLAIM_ROLE } from '../access/oidc/roles.ts'

/** `VALUE = ROLE`, or `VALUE = ROLE @ VENDOR`; in the environment and in flags separated by semicolons. */
function claimRoles(): ValueType<readonly string[]> {
  const isRule = (rule: string) => rule.length <= 512 && isPrintable(rule) && CLAIM_ROLE.test(rule)
  return {
    schema: v.pipe(v.array(v.pipe(v.string(), v.check(isRule))), v.maxLength(256)),
    requirement: 'a list of "VALUE = ROLE" or "VALUE = ROLE @ VENDOR", roles vendor, operator, certifier, auditor',
    fromText: (value) => (value === '' ? [] : value.split(';').map((rule) => rule.trim())),
  }
}

/** Logging in by OpenID Connect, at a provider that knows the people. */
export const oidcSection = {
  issuer: option(
    serverUrl({ schemes: ['https:'], loopbackSchemes: ['http:'], words: [''] }),
    '',
    'Provider of OpenID Connect, as its tokens name it. Empty: people log in with accounts of the collector alone.',
  ),
  client_id: option(text(256), '', 'What the provider knows this collector as.'),
  client_secret_file: option(optionalPath(), '', 'Secret of that client. Empty: a public client, by PKCE alone.', {
    secretFile: true,
  }),
  scope: option(text(256), 'openid profile', 'Scopes that are asked for.'),
  claim: option(text(128), 'groups', 'Claim of the ID token that says what somebody is: a text, or a list of texts.'),
  roles: option(
    claimRoles(),
    [],
    'Roles by values of that claim, the first that fits: "staff = vendor @ Acme Corp". Nobody else is let in.',
  ),
} as const

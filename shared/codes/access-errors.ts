import { defineCodes } from './registry.ts'

/** Errors of whoever asks: tokens, sessions, passkeys, and providers of OpenID Connect. Part of ./errors.ts. */
export const accessErrors = defineCodes({
  'auth.missing': { title: 'no or an unknown API token', remedy: 'Send Authorization: Bearer ksa_…' },
  'auth.login-failed': {
    title: 'login, password, code or passkey are not right',
    remedy: 'Try again with the next code of the app, or with a recovery code; a certifier can reset the account.',
  },
  'auth.passkey-unavailable': {
    title: 'passkeys cannot be used at this address',
    remedy: 'Set http.public_url to an address with a host name, and open the pages by it.',
  },
  'auth.challenge-expired': {
    title: 'what was to be answered is unknown, answered already or too old',
    remedy: 'Begin again: it is good once, and for two minutes.',
  },
  'auth.csrf-missing': {
    title: 'the request does not come from a page of this collector',
    remedy: 'Send the csrfToken of GET /api/v1/session as X-CSRF-Token, or use an API token.',
  },
  'auth.invitation-invalid': {
    title: 'the invitation is unknown, used or too old',
    remedy: 'Ask for another one: keepseal-collector account reset LOGIN',
  },
  'auth.password-weak': {
    title: 'the password is too easy to guess',
    remedy: 'Take a longer one: several words that have nothing to do with each other.',
  },
  'auth.code-wrong': {
    title: 'the code is not the one of this moment',
    remedy: 'Check the clock of the app, and type the code that it shows now.',
  },
  'auth.assertion-invalid': {
    title: 'the passkey did not sign this',
    remedy: 'Use the passkey on a page of this collector, with its PIN or fingerprint, and try again.',
  },
  'auth.forbidden': { title: 'the token does not allow this', remedy: 'Ask for a token of a role that does.' },
  'oidc.provider-unreachable': {
    title: 'the provider that people log in at does not answer as it should',
    remedy: 'Try again in a while; otherwise check oidc.issuer, the network and the certificate of the provider.',
  },
  'oidc.refused': {
    title: 'the provider has not let this person in',
    remedy: 'Log in again; ask whoever runs the provider when it stays so.',
  },
  'oidc.code-refused': {
    title: 'the provider does not take the code, or not once more',
    remedy: 'Begin the login again: a code is good once.',
  },
  'oidc.client-refused': {
    title: 'the provider does not know this collector',
    remedy: 'Check oidc.client_id, oidc.client_secret_file, and the address of return that the provider has for it.',
  },
  'oidc.issuer-wrong': {
    title: 'the provider is not the one that is configured',
    remedy: 'Set oidc.issuer to what the provider calls itself, letter by letter.',
  },
  'oidc.audience-wrong': {
    title: 'the token is for somebody else',
    remedy: 'Check oidc.client_id; if it is right somebody has tried to use the token of another program.',
  },
  'oidc.nonce-wrong': {
    title: 'the token was not made for this login',
    remedy: 'Begin the login again; if it happens again somebody uses tokens of others.',
  },
  'oidc.token-expired': {
    title: 'the token is not valid at this time',
    remedy: 'Check the clocks of the collector and of the provider.',
  },
  'oidc.signature-invalid': {
    title: 'none of the keys of the provider has signed the token',
    remedy: 'Begin the login again; if it stays so, check what the provider publishes as its keys.',
  },
  'oidc.token-invalid': {
    title: 'the token is not as OpenID Connect says',
    remedy: 'Check that the provider gives ID tokens for the scope openid.',
  },
  'oidc.no-role': {
    title: 'nothing says what this person may do here',
    remedy: 'Add a value of the claim to oidc.roles, or ask whoever runs the provider for it.',
  },
})

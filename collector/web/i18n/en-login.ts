/** Texts of the other ways to log in. */
export const enLogin = {
  'login.or': 'or',
  'login.passkey': 'Log in with a passkey',
  'login.passkeyNone': 'No passkey was used. You can try again, or log in with your password.',
  'login.provider': 'Log in at {host}',
} as const

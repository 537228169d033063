/** Texts of the other ways to log in, and of the page on which somebody adds one. */
export const enLogin = {
  'login.or': 'or',
  'login.passkey': 'Log in with a passkey',
  'login.passkeyNone': 'No passkey was used. You can try again, or log in with your password.',
  'login.provider': 'Log in at {host}',
  'account.title': 'Your account',
  'account.name': 'Name',
  'account.role': 'Role',
  'account.passkeys': 'Passkeys',
  'account.passkeys.hint':
    'Each logs you in without password and code. Decisions are signed by keys of the decision log, which are others.',
  'account.passkeys.none': 'You have none yet.',
  'account.added': 'Added {at}.',
  'account.used': 'Used last {at}.',
  'account.unused': 'Not used yet.',
  'account.add': 'Add a passkey',
  'account.remove': 'Remove {name}',
  'account.remove.hint': 'It logs in no more. What is stored in your authenticator stays there until you delete it.',
  'account.passkeyName': 'What you call it',
  'account.passkeyName.example': 'Laptop',
  'account.isAdded': 'It is added, and logs you in from now on.',
  'account.isKnown': 'This authenticator has a passkey of your account already.',
  'account.cancelled': 'Nothing was added: the passkey was not made. Your code is used up; take the next one.',
  'account.impossible':
    'Not with this browser, or at this address: a passkey needs a host name and a connection that the browser trusts.',
} as const

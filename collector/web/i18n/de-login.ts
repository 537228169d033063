import type { enLogin } from './en-login.ts'

export const deLogin: Readonly<Record<keyof typeof enLogin, string>> = {
  'login.or': 'oder',
  'login.passkey': 'Mit einem Passkey anmelden',
  'login.passkeyNone': 'Es wurde kein Passkey benutzt. Versuchen Sie es noch einmal, oder nehmen Sie Ihr Kennwort.',
  'login.provider': 'Bei {host} anmelden',
  'account.title': 'Ihr Konto',
  'account.name': 'Name',
  'account.role': 'Rolle',
  'account.passkeys': 'Passkeys',
  'account.passkeys.hint':
    'Jeder meldet Sie ohne Kennwort und Code an. Entscheidungen signieren Schlüssel des Entscheidungsprotokolls, die andere sind.',
  'account.passkeys.none': 'Sie haben noch keinen.',
  'account.added': 'Hinzugefügt {at}.',
  'account.used': 'Zuletzt benutzt {at}.',
  'account.unused': 'Noch nicht benutzt.',
  'account.add': 'Einen Passkey hinzufügen',
  'account.remove': '{name} entfernen',
  'account.remove.hint':
    'Er meldet nicht mehr an. Was Ihr Authenticator gespeichert hat, bleibt dort, bis Sie es löschen.',
  'account.passkeyName': 'Wie Sie ihn nennen',
  'account.passkeyName.example': 'Laptop',
  'account.isAdded': 'Er ist hinzugefügt und meldet Sie von jetzt an an.',
  'account.isKnown': 'Dieser Authenticator hat schon einen Passkey Ihres Kontos.',
  'account.cancelled':
    'Nichts wurde hinzugefügt: der Passkey wurde nicht erzeugt. Ihr Code ist verbraucht; nehmen Sie den nächsten.',
  'account.impossible':
    'Nicht mit diesem Browser oder unter dieser Adresse: ein Passkey braucht einen Hostnamen und eine Verbindung, der der Browser vertraut.',
}

import type { enLogin } from './en-login.ts'

export const deLogin: Readonly<Record<keyof typeof enLogin, string>> = {
  'login.or': 'oder',
  'login.passkey': 'Mit einem Passkey anmelden',
  'login.passkeyNone': 'Es wurde kein Passkey benutzt. Versuchen Sie es noch einmal, oder nehmen Sie Ihr Kennwort.',
  'login.provider': 'Bei {host} anmelden',
}

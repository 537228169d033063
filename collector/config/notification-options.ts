import { option } from '../../shared/config/definition.ts'
import { serverUrl } from '../../shared/config/url-types.ts'
import { choice, integer, optionalPath, text } from '../../shared/config/value-types.ts'

const severity = (description: string) => option(choice(['low', 'medium', 'high', 'critical']), 'medium', description)
const group = () =>
  option(integer(0, 86_400), 0, 'Time over which events are gathered into one message; 0: each alone.')

/** The ways by which people are told. An address that is empty switches its way off. */
export const notificationSections = {
  webhook: {
    url: option(
      serverUrl({ schemes: ['https:'], loopbackSchemes: ['http:'], words: [''] }),
      '',
      'Address that events are posted to. Empty: none.',
    ),
    secret_file: option(optionalPath(), '', 'What signs the posted events.', { secretFile: true }),
    minimum_severity: severity('Least severity that is posted.'),
    group_seconds: group(),
  },
  mail: {
    url: option(
      serverUrl({ schemes: ['smtps:', 'smtp:'], words: [''] }),
      '',
      'Mail server; smtp: is with STARTTLS, but on this machine. Empty: none.',
    ),
    user: option(text(256), '', 'Name to log in with. Empty: without.'),
    password_file: option(optionalPath(), '', 'Password to log in with.', { secretFile: true }),
    from: option(text(256), '', 'Sender of the mails.'),
    to: option(text(1024), '', 'Receivers of the mails, separated by commas.'),
    minimum_severity: severity('Least severity that is mailed.'),
    group_seconds: option(integer(0, 86_400), 60, 'Time over which events are gathered into one mail; 0: each alone.'),
  },
  syslog: {
    url: option(
      serverUrl({ schemes: ['tls:'], loopbackSchemes: ['tcp:'], words: [''] }),
      '',
      'Syslog server, RFC 5424 over TLS. Empty: none.',
    ),
    format: option(choice(['cef', 'plain']), 'cef', 'Text of the messages: Common Event Format, or plain.'),
    minimum_severity: severity('Least severity that is logged there.'),
  },
} as const

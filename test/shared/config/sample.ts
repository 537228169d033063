import { defineConfig, option } from '../../../shared/config/definition.ts'
import { serverUrl } from '../../../shared/config/url-types.ts'
import { boolean, choice, integer, integerList, optionalPath, text } from '../../../shared/config/value-types.ts'

/** A small configuration with one option of each kind. */
export const sample = defineConfig(
  'sample',
  {
    server: {
      url: option(serverUrl({ schemes: ['https:'], loopbackSchemes: ['http:'], words: [''] }), '', 'Where to.'),
      key_file: option(optionalPath(), '', 'The key.', { secretFile: true }),
    },
    report: {
      interval_seconds: option(integer(10, 1000), 300, 'How often.'),
      resend_seconds: option(integer(10, 10_000), 1500, 'How late.'),
      verbose: option(boolean(), false, 'More.'),
      label: option(text(20), 'none', 'A label.'),
      level: option(choice(['low', 'high']), 'low', 'A level.'),
      pcrs: option(
        integerList('PCRs', (pcr) => pcr < 24),
        [0, 7],
        'A list.',
      ),
    },
  },
  [
    {
      names: ['report.resend_seconds', 'report.interval_seconds'],
      requirement: 'be at least report.interval_seconds',
      holds: ({ report }) => report.resendSeconds >= report.intervalSeconds,
    },
  ],
)

import { FILE_KEYS } from '../../collector/cli/client/settings.ts'
import { bold, entry, example, page, paragraphs, section, type Page } from './roff.ts'

const FILE = '~/.config/keepseal/cli.toml'

/** The file of the command line, out of the table that keepseal itself reads it by. */
export const clientConfigPage = ({ version, date }: { readonly version: string; readonly date: string }): Page =>
  page(
    { name: 'keepseal-cli.toml', section: 5, summary: 'which collector keepseal asks, and as whom', version, date },
    [
      ...section('SYNOPSIS', [bold(FILE)]),
      ...section('DESCRIPTION', [
        ...paragraphs([
          'A file in TOML, below XDG_CONFIG_HOME where that is set; the option --config names another. What is not known is an error.',
          'The environment overrides the file, and options of the command line override both. Where the file holds a token it must have mode 0600.',
        ]),
        ...example([
          'url = "https://collector.example:8443"',
          'ca_file = "/etc/ssl/keepseal-ca.pem"',
          'token = "ksa_…"',
        ]),
      ]),
      ...section(
        'OPTIONS',
        Object.entries(FILE_KEYS).flatMap(([key, { type, variable, description }]) =>
          entry(bold(key), [description, `Must be ${type.requirement}. Environment: ${variable}.`]),
        ),
      ),
      ...section('SEE ALSO', [bold('keepseal(1)')]),
    ],
  )

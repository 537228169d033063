import { withCompletion } from '../../../shared/cli/completion/command.ts'
import { version } from '../../../shared/version.ts'
import { accountCommands } from './account.ts'
import { apiTokenCreateCommand } from './api-token.ts'
import { brokerCertificateCommand } from './broker-certificate.ts'
import { checkConfigCommand } from './check-config.ts'
import { backupCommand, migrateCommand, restoreCommand } from './database.ts'
import { keysCommands } from './keys.ts'
import { serveCommand } from './serve.ts'

/** `keepseal-collector`: what is done on the server itself. */
export const server = withCompletion({
  name: 'keepseal-collector',
  summary: 'Verifies what gateways attest, and keeps watch over what was certified',
  version,
  commands: [
    serveCommand,
    checkConfigCommand,
    migrateCommand,
    backupCommand,
    restoreCommand,
    apiTokenCreateCommand,
    ...accountCommands,
    brokerCertificateCommand,
    ...keysCommands,
  ],
})

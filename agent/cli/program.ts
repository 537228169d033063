import { withCompletion } from '../../shared/cli/completion/command.ts'
import { version } from '../../shared/version.ts'
import { bugreportCommand } from './bugreport-command.ts'
import { configCheckCommand, configShowCommand } from './config-command.ts'
import { doctorCommand } from './doctor-command.ts'
import { enrollCommand } from './enroll-command.ts'
import { onceCommand } from './once-command.ts'
import { runCommand } from './run-command.ts'
import { statusCommand } from './status-command.ts'

/** `keepseal-agent`: one file a command. */
export const agent = withCompletion({
  name: 'keepseal-agent',
  summary: 'Measures this gateway and attests it to a Keepseal collector',
  version,
  commands: [
    runCommand,
    onceCommand,
    enrollCommand,
    statusCommand,
    doctorCommand,
    bugreportCommand,
    configShowCommand,
    configCheckCommand,
  ],
})

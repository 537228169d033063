import type { Command } from '../../../../shared/cli/command.ts'
import { inspectBootCommand } from './boot.ts'
import { inspectEventlogCommand } from './eventlog.ts'
import { inspectLogCommand } from '../decisions/log.ts'
import { inspectEvidenceCommand } from './evidence.ts'
import { inspectImaCommand } from './ima.ts'
import { inspectQuoteCommand } from './quote.ts'
import { inspectResultCommand } from './result.ts'

/** Commands that explain a file and speak to no server. */
export const inspectCommands: readonly Command[] = [
  inspectEvidenceCommand,
  inspectQuoteCommand,
  inspectBootCommand,
  inspectEventlogCommand,
  inspectImaCommand,
  inspectResultCommand,
  inspectLogCommand,
]

import type { Command } from '../../../../shared/cli/command.ts'
import { certificateDecisions } from './decisions.ts'
import { certificateDrafts } from './drafts.ts'
import { certificateReaders } from './readers.ts'
import { releaseClassification } from './releases.ts'
import { statusCommand, verifyCommand } from './verify.ts'

export const certificateCommands: readonly Command[] = [
  ...certificateReaders,
  ...certificateDrafts,
  ...certificateDecisions,
  verifyCommand,
  statusCommand,
  ...releaseClassification,
]

import type { Command } from '../../../../shared/cli/command.ts'
import { assessmentCommands } from './assessment.ts'
import { caseReaders } from './readers.ts'
import { remediationCommands } from './remediation.ts'

export const caseCommands: readonly Command[] = [...caseReaders, ...remediationCommands, ...assessmentCommands]

import { rm } from 'node:fs/promises'
import { KeepsealError } from '../../shared/errors.ts'
import type { AgentConfig } from '../config/options.ts'
import type { Log } from '../log.ts'
import type { Attempt } from '../service/patience.ts'
import { ensurePrivateDirectory } from '../state/files.ts'
import { loadIdentity } from '../state/identity.ts'
import { lockState } from '../state/lock.ts'
import { enrol } from './enrol.ts'
import { enrolmentOf, tokenLaidReady } from './inputs.ts'

export interface FirstBoot {
  readonly config: AgentConfig
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
}

/** Done when this device is enrolled; where a token lies ready, or its TPM may stand for one, this enrols it. Throws what `enrol` throws. */
export async function tryToEnrol({ config, environment, log }: FirstBoot): Promise<Attempt<true>> {
  if (await isEnrolled(config)) return { done: true }
  const ready = await tokenLaidReady(config, environment)
  if (ready === undefined && !config.collector.enrolWithoutToken) {
    return { wait: 'not enrolled, and no token lies ready: keepseal-agent enroll' }
  }
  const { directory } = config.state
  await ensurePrivateDirectory(directory)
  const lock = await lockState(directory)
  try {
    const { ueid, assurance } = await enrol(await enrolmentOf(config, ready?.token ?? null, false))
    log.info(`enrolled as ${ueid}, ${assurance}`)
  } finally {
    await lock.release()
  }
  if (ready === undefined) return { done: true }
  // It is used up. Where it may not be removed it opens nothing any more.
  await rm(ready.file, { force: true }).catch(() => {
    log.warn(`${ready.file} cannot be removed: the token in it is used up, and opens nothing any more`)
  })
  return { done: true }
}

async function isEnrolled({ state }: AgentConfig): Promise<boolean> {
  try {
    await loadIdentity(state.directory)
    return true
  } catch (error) {
    if (error instanceof KeepsealError && error.code === 'agent.not-enrolled') return false
    throw error
  }
}

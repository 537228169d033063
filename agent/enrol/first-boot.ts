import { rm } from 'node:fs/promises'
import { KeepsealError } from '../../shared/errors.ts'
import type { AgentConfig } from '../config/options.ts'
import type { Log } from '../log.ts'
import { ensurePrivateDirectory } from '../state/files.ts'
import { loadIdentity } from '../state/identity.ts'
import { lockState } from '../state/lock.ts'
import { enrol } from './enrol.ts'
import { enrolmentOf, tokenLaidReady } from './inputs.ts'

/** How long to wait for what somebody else has to do, and at first for what may heal by itself. */
const LOOK_AGAIN_MS = 30_000
const LONGEST_PAUSE_MS = 600_000

export interface FirstBoot {
  readonly config: AgentConfig
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Log
  /** Told once, when there is something to wait for. */
  readonly waiting: (why: string) => void
  /** Resolves after that time, or at once with false when the service is to stop. */
  readonly pause: (ms: number) => Promise<boolean>
}

/**
 * Waits until this device is enrolled, and enrols it where a token lies ready. True when it is, false when the service
 * is stopped before. Each reason to wait is logged once. Throws what no waiting mends: `state.*`, `config.*`.
 */
export async function untilEnrolled(boot: FirstBoot): Promise<boolean> {
  let told: string | undefined
  let pauseMs = LOOK_AGAIN_MS
  for (;;) {
    if (await isEnrolled(boot.config)) return true
    const why = await tryToEnrol(boot).catch((error: unknown) => {
      if (!(error instanceof KeepsealError) || !mayHeal(error)) throw error
      return `${error.message}. ${error.remedy}`
    })
    if (why === undefined) continue
    if (why !== told) {
      boot.log.warn(why)
      boot.waiting(why)
      told = why
      pauseMs = LOOK_AGAIN_MS
    }
    if (!(await boot.pause(pauseMs))) return false
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
  }
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

/** The collector's, the TPM's and the network's troubles, and a token or product that somebody will correct. */
const mayHeal = ({ code }: KeepsealError): boolean =>
  /^(collector|enrol|tpm|usage|file|agent|auth|request)\./.test(code)

/** Undefined when it has enrolled; otherwise what there is to wait for. */
async function tryToEnrol({ config, environment, log }: FirstBoot): Promise<string | undefined> {
  const ready = await tokenLaidReady(config, environment)
  if (ready === undefined) return 'not enrolled, and no token lies ready: keepseal-agent enroll'
  const { directory } = config.state
  await ensurePrivateDirectory(directory)
  const lock = await lockState(directory)
  try {
    const { ueid, assurance } = await enrol(await enrolmentOf(config, ready.token, false))
    log.info(`enrolled as ${ueid}, ${assurance}`)
  } finally {
    await lock.release()
  }
  // It is used up. Where it may not be removed it opens nothing any more.
  await rm(ready.file, { force: true }).catch(() => undefined)
  return undefined
}

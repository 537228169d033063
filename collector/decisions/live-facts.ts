import { refuse, type GuardResult } from '../../shared/decisions/kind.ts'
import { caseGuards } from './live-case-guards.ts'
import { certificateGuards } from './live-certificate-guards.ts'
import type { LiveContext, LiveGuard } from './live-guard.ts'
import { nonconformityGuards } from './live-nonconformity-guards.ts'

const liveGuards: readonly LiveGuard[] = [...caseGuards, ...nonconformityGuards, ...certificateGuards]

const guardsOf = (kind: string): readonly LiveGuard[] => liveGuards.filter(({ kinds }) => kinds.includes(kind))

/** Each guard with its outcome. */
export async function checkFacts(context: LiveContext): Promise<readonly GuardResult[]> {
  const results: GuardResult[] = []
  for (const { code, wants, breach } of guardsOf(context.kind)) {
    results.push({ code, wants, wrong: (await breach(context)) ?? null })
  }
  return results
}

/** Throws KeepsealError with the code of the first guard that does not hold. */
export async function assertFacts(context: LiveContext): Promise<void> {
  for (const { code, breach } of guardsOf(context.kind)) {
    const wrong = await breach(context)
    if (wrong !== undefined) refuse(code, wrong)
  }
}

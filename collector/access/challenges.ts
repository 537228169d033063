import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import { sha256 } from '../../shared/crypto/node.ts'
import type { ChallengePurpose } from '../model/passkey.ts'
import type { Store } from '../store/index.ts'

/** Long enough for a person to find an authenticator and to touch it. */
export const CHALLENGE_MS = 120_000
const SIZE = 32

interface Question {
  readonly purpose: ChallengePurpose
  readonly accountId: string | null
  readonly content: Readonly<Record<string, string>>
}

/** Something that nobody could know before, to be answered once and soon. Only its hash is kept. */
export async function ask(
  store: Store,
  { purpose, accountId, content }: Question,
  {
    now,
    random,
    lastsMs = CHALLENGE_MS,
  }: { readonly now: number; readonly random: RandomFunction; readonly lastsMs?: number },
): Promise<Uint8Array> {
  const challenge = random(SIZE)
  await store.loginChallenges.forgetExpired(now)
  await store.loginChallenges.create({
    hash: sha256(challenge),
    purpose,
    accountId,
    content: JSON.stringify(content),
    expiresAt: now + lastsMs,
  })
  return challenge
}

/** What was asked; undefined when it was answered already, is too old, or was never asked. It is used up in any case. */
export async function answered(
  store: Store,
  purpose: ChallengePurpose,
  challenge: Uint8Array,
  now: number,
  lastsMs = CHALLENGE_MS,
): Promise<Question | undefined> {
  const found = await store.transaction((transaction) => transaction.loginChallenges.take(sha256(challenge), purpose))
  // A clock that was put back lengthens nothing.
  const isGood = found !== undefined && found.expiresAt > now && found.expiresAt <= now + lastsMs
  if (!isGood) return undefined
  return { purpose, accountId: found.accountId, content: JSON.parse(found.content) as Question['content'] }
}

import { fromBase64Url } from '../../../../shared/bytes/bytes.ts'
import { standingOf, type Certificate } from '../../../../shared/decisions/certificate.ts'
import { signDecision } from '../../../../shared/decisions/entry.ts'
import { DecisionLog } from '../../../../shared/decisions/log.ts'
import { ecdsaKey, ed25519Key, hash } from '../../../../shared/crypto/node.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import * as v from 'valibot'
import { connect, type ApiClient } from '../api.ts'
import type { ConnectionFlags } from '../settings.ts'
import { keyPath, readKey } from '../decisions/key-file.ts'
import type { NewDecision } from '../decisions/decide.ts'

const Page = v.object({ entries: v.array(v.string()), nextFrom: v.nullable(v.number()) })

/** The whole log, each entry checked on this machine. */
export async function readLogOf(client: ApiClient): Promise<DecisionLog> {
  const log = new DecisionLog({ hash, ed25519Key, ecdsaKey })
  let from: number | null = 0
  while (from !== null) {
    const page: v.InferOutput<typeof Page> = await client.get(`/decisions?from=${from}`, Page)
    for (const entry of page.entries) log.append(fromBase64Url(entry))
    from = page.nextFrom
  }
  return log
}

export interface Plan {
  readonly before: readonly Certificate[]
  readonly after: readonly Certificate[]
}

type Flags = ConnectionFlags & { readonly key: string | undefined }

/**
 * What a decision would change: it is signed and tried on a copy of the log here, and handed to nobody. Throws the
 * KeepsealError of the guard that would refuse it.
 */
export async function planDecision(
  flags: Flags,
  environment: Readonly<Record<string, string | undefined>>,
  { kind, subject, detail }: NewDecision,
): Promise<Plan> {
  const { signer } = readKey(keyPath(flags.key, environment))
  const log = await readLogOf(connect(flags, environment))
  if (log.id === undefined) throw new KeepsealError('decision.wrong-state', 'there is no log yet')
  const { certificates } = log.register
  const known = new Map(certificates)
  const at = Math.floor(Date.now() / 1000)
  log.append(await signDecision({ log: log.id, ...log.next(), at, kind, subject, detail }, signer))
  const changed = [...certificates.values()].filter((each) => known.get(each.id) !== each)
  return { before: changed.flatMap(({ id }) => known.get(id) ?? []), after: changed }
}

/** One line a field that the decision changes. */
export function describePlan({ before, after }: Plan, now: number): readonly string[] {
  return after.flatMap((certificate) => {
    const was = before.find(({ id }) => id === certificate.id)
    const [old, fresh] = [was === undefined ? {} : factsOf(was, now), factsOf(certificate, now)]
    return [
      `${certificate.id} (${certificate.number})`,
      ...Object.entries(fresh)
        .filter(([name, value]) => old[name] !== value)
        .map(([name, value]) => `  ${name.padEnd(12)} ${old[name] ?? '-'} -> ${value}`),
    ]
  })
}

const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')

function factsOf(certificate: Certificate, now: number): Readonly<Record<string, string>> {
  const { conditions, suspension, state, validUntil, supportUntil } = certificate
  return {
    state,
    claims: standingOf(certificate, now).claimsAllowedFor.join(', ') || 'none',
    conditions: conditions === null ? 'none' : `until ${day(conditions.until)}`,
    suspension: suspension === null ? 'none' : `until ${day(suspension.until)}`,
    'valid until': day(validUntil),
    support: day(supportUntil),
  }
}

import * as v from 'valibot'
import { fromHex, toBase64Url } from '../../../../shared/bytes/bytes.ts'
import { text } from '../../../../shared/config/value-types.ts'
import { random } from '../../../../shared/crypto/node.ts'
import { signDecision } from '../../../../shared/decisions/entry.ts'
import type { Json } from '../../../../shared/decisions/json-cbor.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { connect } from '../api.ts'
import { connectionOptions, type ConnectionFlags } from '../settings.ts'
import { keyPath, readKey } from './key-file.ts'

/** The options of every command that decides. */
export const decisionOptions = {
  ...connectionOptions,
  key: { description: 'Your key in place of ~/.config/keepseal/key.pem.', value: text(4096), placeholder: 'FILE' },
} as const

type DecisionFlags = ConnectionFlags & { readonly key: string | undefined }

const Next = v.object({ log: v.nullable(v.string()), index: v.number(), previous: v.nullable(v.string()) })
const Appended = v.object({ index: v.number(), hash: v.string(), author: v.string() })
export type Appended = v.InferOutput<typeof Appended>

export interface NewDecision {
  readonly kind: string
  readonly subject: string
  readonly detail: Json
}

/**
 * Signs a decision here, for the place in the log that is next, and hands it to the collector. When somebody else was
 * quicker it is refused and nothing is signed again: it may not be right any more.
 */
export async function decide(
  flags: DecisionFlags,
  environment: Readonly<Record<string, string | undefined>>,
  { kind, subject, detail }: NewDecision,
): Promise<Appended> {
  const { signer } = readKey(keyPath(flags.key, environment))
  const client = connect(flags, environment)
  const { log, index, previous } = await client.get('/decisions/next', Next)
  if ((log === null) !== (kind === 'log.begin')) {
    const remedy = log === null ? 'A certifier begins it: keepseal log begin' : 'keepseal log show shows it.'
    throw new KeepsealError('decision.wrong-state', log === null ? 'there is no log yet' : 'there is a log', { remedy })
  }
  const entry = await signDecision(
    {
      log: log === null ? random(16) : fromHex(log),
      index,
      previous: previous === null ? null : fromHex(previous),
      at: Math.floor(Date.now() / 1000),
      kind,
      subject,
      detail,
    },
    signer,
  )
  return client.post('/decisions', { entry: toBase64Url(entry) }, Appended)
}

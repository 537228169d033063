import { equal } from '../../../shared/bytes/bytes.ts'
import { OutcomeError } from '../../../shared/errors.ts'
import type { Host } from '../../sensors/host.ts'
import {
  decodeLogAnswer,
  decodeSectionsAnswer,
  type LogAnswer,
  type SectionsAnswer,
  type SystemIdentity,
} from '../answer.ts'
import type { LogProbe, ProbeId } from '../protocol.ts'
import { systemIdentity } from '../system-identity.ts'
import { absent, refused, type Asked, type Refusal } from './asked.ts'
import { exchange } from './exchange.ts'

/** The agent's side of the privileged helper. Nothing here rejects: without a helper there is less to see, no more. */
export interface Helper {
  sections(): Promise<Asked<SectionsAnswer>>
  log(probe: LogProbe): Promise<Asked<LogAnswer>>
}

export interface HelperOptions {
  /** Empty: there is none. */
  readonly socket: string
  /** The system that the agent measures: answers about any other are refused. */
  readonly host: Host
  /** Is told a refusal when it begins, and not again while it lasts. */
  readonly tell?: (message: string) => void
  readonly timeoutMs?: number
}

export function createHelper({ socket, host, tell = () => undefined, timeoutMs }: HelperOptions): Helper {
  const told = new Map<ProbeId, Refusal>()
  const ask = async <T extends SystemIdentity>(probe: ProbeId, decode: (bytes: Uint8Array) => T): Promise<Asked<T>> => {
    if (socket === '') return absent('none is configured')
    const asked = await exchange(socket, probe, timeoutMs)
    const answer = asked.status === 'answered' ? accept(asked.answer, decode, host) : asked
    if (answer.status !== 'refused') told.delete(probe)
    else if (told.get(probe) !== answer.reason) {
      told.set(probe, answer.reason)
      tell(`the privileged helper's answer is not used (${answer.reason}): ${answer.detail}`)
    }
    return answer
  }
  return {
    sections: () => ask('sections', decodeSectionsAnswer),
    log: (probe) => ask(probe, (bytes) => decodeLogAnswer(probe, bytes)),
  }
}

function accept<T extends SystemIdentity>(bytes: Uint8Array, decode: (bytes: Uint8Array) => T, host: Host): Asked<T> {
  let answer: T
  try {
    answer = decode(bytes)
  } catch (error) {
    if (error instanceof OutcomeError) return refused('malformed', error.message)
    throw error
  }
  const own = systemIdentity(host)
  if (own === undefined) return refused('other-system', 'this system cannot be told from others')
  if (!equal(own.boot, answer.boot)) return refused('other-system', 'it names another boot')
  if (own.root !== answer.root) return refused('other-system', 'it is about another root directory')
  return { status: 'answered', answer }
}

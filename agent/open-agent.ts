import { join } from 'node:path'
import { random } from '../shared/crypto/node.ts'
import { KeepsealError } from '../shared/errors.ts'
import { Agent } from './attest/agent.ts'
import type { QuoteFunction } from './attest/make-evidence.ts'
import { attributesAt } from './attest/tpm-attributes.ts'
import { logReader } from './attest/read-log.ts'
import { quoteWith } from './attest/tpm-session.ts'
import { readEndorsementPassword } from './config/endorsement-password.ts'
import type { AgentConfig } from './config/options.ts'
import type { Log } from './log.ts'
import { createHelper } from './measure/client/helper.ts'
import { TimelyHelper } from './measure/client/timely-helper.ts'
import { DEFAULT_BACKLOG_PER_SECOND } from './outbox/delivery.ts'
import { openUnsent, type Unsent } from './outbox/open.ts'
import { readBootIdentity } from './sensors/boot-identity.ts'
import { knowSelf } from './self/self.ts'
import { createHost, type Host } from './sensors/host.ts'
import { SocketSampler } from './sensors/sockets/sampler.ts'
import { loadIdentity, type Identity } from './state/identity.ts'
import { lockState, type StateLock } from './state/lock.ts'
import { statePaths } from './state/paths.ts'
import { ProgressFile } from './state/progress.ts'
import { countStart } from './state/starts.ts'
import { fileKeyContextStore } from './tpm/key-context.ts'
import { chooseTcti } from './tpm/tcti.ts'
import type { TpmTransport } from './tpm/tpm.ts'
import { timeFloor } from './transport/floor.ts'

export interface OpenAgent {
  readonly agent: Agent
  readonly identity: Identity
  readonly unsent: Unsent
  readonly sampler: SocketSampler
  /** null for a device that was enrolled without a TPM. */
  readonly quote: QuoteFunction | null
  /** By which way the TPM was reached last; null before, and without one. */
  readonly transport: () => TpmTransport | null
  readonly lock: StateLock
}

/**
 * An agent over the state directory, which no other process may use meanwhile.
 * Throws `agent.not-enrolled`, `agent.running`, `state.*`, `tpm.unavailable`.
 */
export async function openAgent(config: AgentConfig, log: Log): Promise<OpenAgent> {
  const { directory } = config.state
  const identity = await loadIdentity(directory)
  const lock = await lockState(directory)
  try {
    const paths = statePaths(directory)
    const report = (problem: KeepsealError): void => log.warn(problem.message)
    const owner = { ueid: identity.ueid, collectorId: identity.collector.id }
    // What has passed has passed, whatever the clock says: a report that was made in 1970 would be too old to be kept as
    // soon as the clock is right.
    const begun = timeFloor({ certificate: identity.tls.certificate, newestEpochMs: null })
    const known: { agent?: Agent } = {}
    const now = (): number => Math.floor(Math.max(Date.now(), begun, known.agent?.newestEpochMs ?? 0) / 1000)
    const tcti = tctiOf(config, identity)
    const self = knowSelf(config)
    const host = createHost({ root: config.host.root, tpm: attributesAt(tcti, config.tpm.transport), self })
    const helper = createHelper({ socket: config.measure.socket, host, tell: (message) => log.warn(message) })
    const sampler = new SocketSampler(host, config.report.sampleSeconds)
    const progress = await ProgressFile.open(paths.progress, owner, report)
    const unsent = await openUnsent({
      paths,
      maxBytes: config.state.outboxMaxBytes,
      maxAgeSeconds: config.state.outboxMaxAgeSeconds,
      now,
      report,
    })
    let transport: TpmTransport | null = null
    const quote = await quoteFunction(config, identity, tcti, host, log, (by) => {
      transport = by
    })
    const agent = new Agent({
      identity,
      progress,
      restarts: await countStart(progress, host, log),
      unsent,
      host,
      helper: new TimelyHelper({
        helper,
        host,
        maxAgeSeconds: config.measure.maxAgeSeconds,
        monotonic: () => performance.now(),
      }),
      sampler,
      quote,
      firmwareLog: logReader({
        probe: 'firmware-log',
        title: 'boot log',
        file: config.tpm.firmwareLogFile,
        helper,
        log,
      }),
      measurementList: logReader({
        probe: 'measurement-list',
        title: 'measurement list of the kernel',
        file: config.tpm.imaLogFile,
        helper,
        log,
      }),
      statedInterval: statedInterval(config),
      resendSeconds: config.report.resendSeconds,
      backlogPerSecond: DEFAULT_BACKLOG_PER_SECOND,
      log,
      now,
      monotonic: () => performance.now(),
      random,
    })
    known.agent = agent
    return { agent, identity, unsent, sampler, quote, transport: () => transport, lock }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** What collectors expect where nobody configures anything. */
const USUAL_INTERVAL_SECONDS = 300

const statedInterval = ({ report, mqtt }: AgentConfig): number | null =>
  report.intervalSeconds > USUAL_INTERVAL_SECONDS || mqtt.connection === 'for-reports' ? report.intervalSeconds : null

/** Undefined only for a device that was enrolled without a TPM: one that has lost its TPM must not look like that. */
function tctiOf(config: AgentConfig, { attestationKey }: Identity): string | undefined {
  if (attestationKey === null) return undefined
  const tcti = config.tpm.tcti === 'none' ? undefined : chooseTcti(config.tpm.tcti)
  if (tcti !== undefined) return tcti
  throw new KeepsealError('tpm.unavailable', 'this device was enrolled with a TPM, and there is none now')
}

async function quoteFunction(
  config: AgentConfig,
  { attestationKey }: Identity,
  tcti: string | undefined,
  host: Host,
  log: Log,
  reached: (transport: TpmTransport) => void,
): Promise<QuoteFunction | null> {
  if (attestationKey === null || tcti === undefined) return null
  const { bootId } = readBootIdentity(host)
  const boot = 'value' in bootId ? bootId.value : random(16)
  const file = join(config.state.directory, 'attestation-key.context')
  return quoteWith({
    tcti,
    transport: config.tpm.transport,
    key: attestationKey,
    selection: [{ bank: config.tpm.bank, pcrs: config.tpm.pcrs }],
    contexts: fileKeyContextStore(file, boot, () =>
      log.info('the attestation key is made anew for each quote: its context cannot be kept'),
    ),
    endorsementPassword: await readEndorsementPassword(config.tpm.endorsementAuthFile),
    reached,
  })
}

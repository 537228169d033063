import { toHex } from '../../shared/bytes/bytes.ts'
import { defineCommand } from '../../shared/cli/command.ts'
import { configOptions } from '../../shared/cli/config-report.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import { printable } from '../../shared/text/printable.ts'
import { loadAgentConfig } from '../config/load.ts'
import { loadIdentity } from '../state/identity.ts'
import { FALLBACK_SECONDS, type Fallback } from '../state/trust.ts'
import { describeTransport } from '../tpm/tcti.ts'
import type { TpmTransport } from '../tpm/tpm.ts'
import { readStatus, type StatusFile } from '../state/status-file.ts'

export const statusCommand = defineCommand({
  name: 'status',
  summary: 'Show who this device is, and how its reporting goes.',
  description: [
    'Exit code 1 where the agent does not run, or where something stands against its reporting. What the collector ' +
      'concludes about the device is shown as it was signed last, and changes nothing of that.',
  ],
  options: configOptions,
  json: true,
  async run(context) {
    const { values: config } = loadAgentConfig(context.options, context.terminal.env)
    const { directory } = config.state
    const identity = await loadIdentity(directory)
    const status = await readStatus(directory)
    const running = status !== undefined && isRunning(status.pid)
    const good = running && status.problem === null && (status.connected || status.resting)
    const { ueid, assurance, product, collector, trust } = identity
    const succession = { number: trust.number, key: toHex(collector.key.thumbprint), fallback: trust.fallback }
    const tpm = identity.attestationKey === null ? 'none' : (status?.transport ?? null)
    context.present(
      {
        ueid,
        tpm,
        identity: assurance,
        product,
        collector: collector.url,
        succession,
        running,
        status: status ?? null,
      },
      () =>
        [
          `device      ${ueid}`,
          `identity    ${assurance}`,
          `tpm         ${tpmText(tpm)}`,
          `product     ${printable(`${product.vendor} ${product.model} ${product.hardwareRevision}`)}`,
          `collector   ${printable(collector.url)}`,
          ...successionLines(succession),
          `running     ${running ? `yes, process ${status.pid}` : 'no'}`,
          ...(status === undefined ? [] : statusLines(status)),
          ...(good ? [] : ['  next: keepseal-agent doctor']),
        ].join('\n'),
    )
    return good ? exitCodes.good : exitCodes.finding
  },
})

/** By which way it is reached, as `doctor` says it. null: no quote was made since the agent has started. */
function tpmText(tpm: TpmTransport | 'none' | null): string {
  if (tpm === 'none') return 'none: enrolled without one'
  return tpm === null ? 'not used yet' : describeTransport({ transport: tpm })
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // It exists, and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

const time = (seconds: number | null): string => (seconds === null ? 'never' : new Date(seconds * 1000).toISOString())

function statusLines(status: StatusFile): string[] {
  return [
    `connected   ${status.connected ? 'yes' : status.resting ? 'no, until the next report' : 'no'}`,
    `measured    ${time(status.lastMeasurementAt)}`,
    `receipt     ${time(status.lastReceiptAt)}`,
    `epoch       ${status.epoch ?? 'none yet'}`,
    `waiting     ${status.waiting} reports, ${status.dropped} dropped, ${status.refused} refused`,
    ...resultLines(status.result),
    ...(status.problem === null ? [] : [`problem     ${printable(status.problem)}`]),
  ]
}

/** What has changed about the collector since the enrolment; nothing where nothing has. */
function successionLines({
  number,
  key,
  fallback,
}: {
  number: number
  key: string
  fallback: Fallback | null
}): string[] {
  if (number === 0) return []
  const until = fallback === null ? null : fallback.since + FALLBACK_SECONDS
  return [
    `followed    statement ${number}, key ${key.slice(0, 16)}`,
    ...(until === null ? [] : [`            not proven yet; the way before holds until ${time(until)}`]),
  ]
}

const SHOWN_REASONS = 5

/** What the collector concludes, which is not what the exit code is about: that is how the reporting goes. */
function resultLines(result: StatusFile['result']): string[] {
  if (result === null) return ['concluded   nothing yet']
  const { status, latch, liveness, since, issuedAt, reasons } = result
  const said = status === 'none' ? 'not appraised, or not fresh' : status
  const more = reasons.length - SHOWN_REASONS
  return [
    `concluded   ${said}, since ${time(since)}`,
    `            latch ${printable(latch)}, ${printable(liveness)} when signed at ${time(issuedAt)}`,
    ...reasons.slice(0, SHOWN_REASONS).map((reason) => `reason      ${printable(reason)}`),
    ...(more > 0 ? [`            and ${more} more: keepseal-agent status --json`] : []),
  ]
}

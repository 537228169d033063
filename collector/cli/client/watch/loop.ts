import type { ErrorCode } from '../../../../shared/codes/errors.ts'
import type { Command, ParsedCommandLine } from '../../../../shared/cli/command.ts'
import { exitCodes, type ExitCode } from '../../../../shared/cli/exit-codes.ts'
import { createOutput, type Output } from '../../../../shared/cli/output.ts'
import { styler, type Terminal } from '../../../../shared/cli/terminal.ts'
import { KeepsealError } from '../../../../shared/errors.ts'
import { printable } from '../../../../shared/text/printable.ts'
import { appendingSink, jsonSink, screenSink, type Look, type Sink, type Size } from './sink.ts'

/** What a watch needs of the process that it runs in. */
export interface WatchPorts {
  readonly now: () => Date
  readonly size: () => Size
  /** Waits that long, or less when the terminal has another size, or something has changed. */
  readonly pause: (milliseconds: number) => Promise<void>
  /** Once somebody has ended it, by Ctrl-C or by closing what it writes to. */
  readonly ended: Promise<'ended'>
  /** Takes back what was set up. `isBusy`: an answer is still outstanding, and nobody waits for it. */
  readonly close: (isBusy: boolean) => void
}

export interface Watched {
  readonly title: string
  readonly intervalMs: number
  readonly volatile: readonly string[]
}

/** What a collector that is started anew, or loses its database for a while, answers or does not. */
const TEMPORARY: readonly ErrorCode[] = ['collector.unreachable', 'collector.refused', 'state.unreachable']

/** Runs the command again and again, and shows what it tells whenever that is something else. */
export async function watchCommand(
  command: Command,
  parsed: ParsedCommandLine,
  output: Output,
  { title, intervalMs, volatile }: Watched,
  ports: WatchPorts,
): Promise<ExitCode> {
  const sink = sinkFor(output, title, volatile, ports)
  let hasAnswered = false
  let lostAt: Date | undefined
  let isBusy = false
  try {
    for (;;) {
      isBusy = true
      const look = await Promise.race([ports.ended, lookAt(command, parsed, output, ports)])
      if (look === 'ended') return exitCodes.good
      isBusy = false
      if (look instanceof KeepsealError) {
        // An address that was never right is told at once.
        if (!hasAnswered) throw look
        lostAt ??= ports.now()
        sink.problem(printable(look.message), lostAt)
      } else {
        hasAnswered = true
        lostAt = undefined
        sink.show(look, ports.now())
      }
      if ((await Promise.race([ports.ended, ports.pause(intervalMs)])) === 'ended') return exitCodes.good
    }
  } finally {
    sink.close()
    ports.close(isBusy)
  }
}

function sinkFor({ terminal, json }: Output, title: string, volatile: readonly string[], ports: WatchPorts): Sink {
  if (json) return jsonSink(terminal, volatile)
  if (!terminal.isTty || terminal.env['TERM'] === 'dumb') return appendingSink(terminal)
  const style = styler(terminal)
  return screenSink(terminal, title, ports.size, (text) => style('dim', text))
}

/** One run of the command, kept instead of written. Errors that pass are an answer; all others end the watch. */
async function lookAt(
  command: Command,
  parsed: ParsedCommandLine,
  { terminal, json }: Output,
  ports: WatchPorts,
): Promise<Look | KeepsealError> {
  let text = ''
  let notes = ''
  const values: unknown[] = []
  const kept: Terminal = {
    ...terminal,
    columns: terminal.isTty ? ports.size().columns : terminal.columns,
    write: (written) => void (text += written),
    error: (written) => void (notes += written),
  }
  const captured = createOutput(kept, json)
  try {
    await command.execute(parsed, json ? { ...captured, present: (value) => void values.push(value) } : captured)
    return { text, notes, values }
  } catch (error) {
    if (error instanceof KeepsealError && TEMPORARY.includes(error.code)) return error
    throw error
  }
}

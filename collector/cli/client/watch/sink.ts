import { wrap } from '../../../../shared/cli/help.ts'
import type { Terminal } from '../../../../shared/cli/terminal.ts'
import { printableJson } from '../../../../shared/text/printable.ts'

/** What one look has told. */
export interface Look {
  /** For people: standard output, and what went to standard error beside it. */
  readonly text: string
  readonly notes: string
  /** Under --json: what was presented. */
  readonly values: readonly unknown[]
}

/** Where looks go. `problem`: why there is no newer one, in one line. */
export interface Sink {
  readonly show: (look: Look, at: Date) => void
  readonly problem: (message: string, at: Date) => void
  readonly close: () => void
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

const timeOf = (at: Date): string => `${at.toISOString().slice(0, 19).replace('T', ' ')}Z`

/** One document a line, and only when something has changed. `volatile`: keys that say when it was asked, not what is. */
export function jsonSink(terminal: Terminal, volatile: readonly string[]): Sink {
  const same = (values: readonly unknown[]): string =>
    JSON.stringify(values, (key, value: unknown) => (volatile.includes(key) ? undefined : value))
  let last: string | undefined
  let isLost = false
  return {
    show: ({ values }) => {
      isLost = false
      if (same(values) === last) return
      last = same(values)
      terminal.write(values.map((value) => `${printableJson(value, 0)}\n`).join(''))
    },
    problem: (message, at) => {
      if (!isLost) terminal.error(`${printableJson({ noAnswerSince: at.toISOString(), message }, 0)}\n`)
      isLost = true
    },
    close: () => {},
  }
}

/** For pipes and logs: whatever has changed, whole, under a line with the time. */
export function appendingSink(terminal: Terminal): Sink {
  let last: string | undefined
  let isLost = false
  return {
    show: ({ text, notes }, at) => {
      if (isLost) terminal.error(`${timeOf(at)} it answers again\n`)
      isLost = false
      if (`${text}\n${notes}` === last) return
      last = `${text}\n${notes}`
      terminal.write(`--- ${timeOf(at)}\n${text}`)
      terminal.error(notes)
    },
    problem: (message, at) => {
      if (!isLost) terminal.error(`${timeOf(at)} ${message}; it is asked again\n`)
      isLost = true
    },
    close: () => {},
  }
}

/** Control functions of ECMA-48, and private modes of DEC that every terminal emulator has. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'
const HOME = '\u001b[H'
const CLEAR_TO_LINE_END = '\u001b[K'
const CLEAR_BELOW = '\u001b[J'

/**
 * For people at a terminal: on the other screen, each time in one piece over what was there, so that nothing flickers.
 * What was seen last stays behind on the first screen.
 */
export function screenSink(terminal: Terminal, title: string, size: () => Size, dim: (text: string) => string): Sink {
  let entered = false
  let last: Look | undefined
  const draw = (status: readonly string[]): void => {
    const { rows } = size()
    const lines = [...lineList(last?.text ?? ''), ...lineList(last?.notes ?? '')]
    const room = Math.max(1, rows - status.length - 1)
    const cut =
      lines.length <= room ? lines : [...lines.slice(0, room - 1), dim(`… ${lines.length - room + 1} more lines`)]
    const frame = [...status, '', ...cut].map((line) => `${line}${CLEAR_TO_LINE_END}`).join('\r\n')
    terminal.write(`${entered ? '' : ENTER}${HOME}${frame}${CLEAR_BELOW}`)
    entered = true
  }
  return {
    show: (look, at) => {
      last = look
      draw([dim(`${timeOf(at)}  ${title}  Ctrl-C ends`)])
    },
    problem: (message, at) => draw(wrap(`${message} (since ${timeOf(at)}); it is asked again`, size().columns)),
    close: () => {
      if (!entered) return
      terminal.write(`${LEAVE}${last?.text ?? ''}`)
      terminal.error(last?.notes ?? '')
    },
  }
}

const lineList = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

import { describe, expect, it } from 'vitest'
import { watchCommand, type WatchPorts } from '../../../collector/cli/client/watch/loop.ts'
import { watchable } from '../../../collector/cli/client/watch/watchable.ts'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { createOutput } from '../../../shared/cli/output.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { recordTerminal, type RecordedTerminal } from '../../support/terminal.ts'

const NOW = Date.parse('2026-11-27T01:00:00Z')
type Answer = object | Error

/** A command that answers so, time after time, and is ended when it has nothing more to say. */
async function watch(
  answers: readonly Answer[],
  {
    json = false,
    isTty = false,
    rows = 24,
    env = {},
  }: Partial<{ json: boolean; isTty: boolean; rows: number; env: Record<string, string> }> = {},
): Promise<{ code: number | Error; terminal: RecordedTerminal; closed: boolean[]; pauses: number[] }> {
  let end = (): void => {}
  const ended = new Promise<'ended'>((resolve) => (end = () => resolve('ended')))
  const closed: boolean[] = []
  const pauses: number[] = []
  let round = 0
  const ports: WatchPorts = {
    now: () => new Date(NOW + round * 1000),
    size: () => ({ columns: 40, rows }),
    pause: async (milliseconds) => {
      pauses.push(milliseconds)
      if (round >= answers.length) end()
      await Promise.resolve()
    },
    ended,
    close: (isBusy) => void closed.push(isBusy),
  }
  const terminal = recordTerminal({ isTty, env })
  const code = await watchCommand(
    commandOf(answers, () => round++),
    { options: {}, arguments: {} },
    createOutput(terminal, json),
    { title: 'keepseal sample', intervalMs: 2000, volatile: ['at'] },
    ports,
  ).catch((error: Error) => error)
  return { code, terminal, closed, pauses }
}

const commandOf = (answers: readonly Answer[], next: () => number): Command =>
  defineCommand({
    name: 'sample',
    summary: 'For tests.',
    json: true,
    run: ({ present, terminal }) => {
      const answer = answers[next()]
      if (answer instanceof Error) throw answer
      present(answer, () => `state ${JSON.stringify(answer)}`)
      terminal.error('a note\n')
      return exitCodes.good
    },
  })

const unreachable = new KeepsealError('collector.unreachable', 'https://localhost: ECONNREFUSED')

describe('a watched command in a pipe', () => {
  it('appends what it tells whenever that is something else, and nothing otherwise', async () => {
    const { code, terminal, pauses } = await watch([{ a: 1 }, { a: 1 }, { a: 2 }])
    expect(code).toBe(0)
    expect(terminal.stdout()).toBe('--- 2026-11-27 01:00:01Z\nstate {"a":1}\n--- 2026-11-27 01:00:03Z\nstate {"a":2}\n')
    expect(terminal.stderr()).toBe('a note\na note\n')
    expect(pauses).toEqual([2000, 2000, 2000])
  })

  it('says once that the collector is away, and once that it is back', async () => {
    const { code, terminal } = await watch([{ a: 1 }, unreachable, unreachable, { a: 1 }])
    expect(code).toBe(0)
    expect(terminal.stdout().match(/---/g)).toHaveLength(1)
    expect(terminal.stderr().match(/ECONNREFUSED/g)).toHaveLength(1)
    expect(terminal.stderr().match(/answers again/g)).toHaveLength(1)
  })

  it('ends at once where the collector was never reached, or refuses', async () => {
    const never = await watch([unreachable, { a: 1 }])
    expect(never.code).toMatchObject({ code: 'collector.unreachable' })
    expect(never.closed).toEqual([false])
    const refused = await watch([{ a: 1 }, new KeepsealError('auth.forbidden'), { a: 1 }])
    expect(refused.code).toMatchObject({ code: 'auth.forbidden' })
  })
})

describe('with --json', () => {
  it('gives one document a line, none for a mere time, and nothing that a terminal obeys', async () => {
    const { terminal } = await watch(
      [
        { n: 'x\u001b[2J', at: 1 },
        { n: 'x\u001b[2J', at: 2 },
        { n: 'y', at: 3 },
      ],
      {
        json: true,
        isTty: true,
      },
    )
    expect(terminal.stdout()).toBe('{"n":"x\\u001b[2J","at":1}\n{"n":"y","at":3}\n')
  })

  it('tells an absence on standard error', async () => {
    const { terminal } = await watch([{ n: 1 }, unreachable, { n: 1 }], { json: true })
    expect(terminal.stdout()).toBe('{"n":1}\n')
    expect(JSON.parse(terminal.stderr())).toMatchObject({ noAnswerSince: '2026-11-27T01:00:02.000Z' })
  })
})

describe('on a terminal', () => {
  it('draws in one piece over what was there, and leaves the last on the screen before', async () => {
    const { terminal } = await watch([{ a: 1 }, { a: 2 }], { isTty: true })
    const parts = terminal.stdout().split('\u001b[H')
    expect(parts).toHaveLength(3)
    expect(terminal.stdout()).not.toContain('\u001b[2J')
    expect(terminal.stdout().endsWith('\u001b[?1049lstate {"a":2}\n')).toBe(true)
    expect(
      terminal
        .stdout()
        .replaceAll('\u001b', '')
        .match(/\[\?25[lh]/g),
    ).toEqual(['[?25l', '[?25h'])
  })

  it('cuts what is longer than the terminal, and says how much', async () => {
    const { terminal } = await watch([{ text: 'long' }], { isTty: true, rows: 3 })
    expect(terminal.stdout()).toContain('… 2 more lines')
  })

  it('keeps what was last seen while the collector is away, with the reason above', async () => {
    const { terminal } = await watch([{ a: 1 }, unreachable], { isTty: true })
    const [, , lost = ''] = terminal.stdout().split('\u001b[H')
    expect(lost).toMatch(/^the collector does not[\s\S]*ECONNREFUSED[\s\S]*asked again[\s\S]*state \{"a":1\}/)
  })

  it('draws nothing on one that cannot: it appends', async () => {
    const { terminal } = await watch([{ a: 1 }], { isTty: true, env: { TERM: 'dumb' } })
    expect(terminal.stdout()).toBe('--- 2026-11-27 01:00:01Z\nstate {"a":1}\n')
  })
})

describe('a reader that can be watched', () => {
  const command = watchable(
    commandOf([{ a: 1 }], () => 0),
    {
      ports: () => {
        throw new Error('not asked to')
      },
    },
  )

  it('does what it did without --watch', async () => {
    const terminal = recordTerminal()
    const parsed = { options: { watch: false }, arguments: {} }
    expect(await command.execute(parsed, createOutput(terminal, false))).toBe(0)
    expect(terminal.stdout()).toBe('state {"a":1}\n')
  })

  it('refuses an interval for nothing', async () => {
    const parsed = { options: { watch: false, interval: 3 }, arguments: {} }
    await expect(command.execute(parsed, createOutput(recordTerminal(), false))).rejects.toMatchObject({
      code: 'usage.invalid',
    })
  })
})

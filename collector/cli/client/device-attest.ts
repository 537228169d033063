import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { defineCommand, type Command } from '../../../shared/cli/command.ts'
import { exitCodes, type ExitCode } from '../../../shared/cli/exit-codes.ts'
import { integer } from '../../../shared/config/value-types.ts'
import { KeepsealError } from '../../../shared/errors.ts'
import { printable } from '../../../shared/text/printable.ts'
import { connect } from './api.ts'
import { DEFAULT_ITEMS, listOptions, presentList } from './listing.ts'
import { field, timeText, toneOf } from './text.ts'

const Challenge = v.looseObject({
  id: v.string(),
  status: v.string(),
  askedAt: v.string(),
  expiresAt: v.string(),
  sentAt: v.nullable(v.string()),
  tries: v.number(),
  answer: v.nullable(
    v.looseObject({
      at: v.string(),
      evidenceHash: v.string(),
      fresh: v.boolean(),
      verdict: v.string(),
      code: v.nullable(v.string()),
    }),
  ),
})
type Challenge = v.InferOutput<typeof Challenge>

const POLL_MS = 1_000
const DEFAULT_WAIT_SECONDS = 120

function describeChallenge({ status, askedAt, expiresAt, sentAt, answer }: Challenge): string[] {
  const asked = field('asked', timeText(askedAt))
  if (answer === null) {
    const sent = sentAt === null ? 'not yet' : timeText(sentAt)
    return [
      ...asked,
      ...field('sent', sent),
      ...field('answered', `not yet (${printable(status)})`),
      ...field('until', timeText(expiresAt)),
    ]
  }
  return [
    ...asked,
    ...field('answered', timeText(answer.at)),
    ...field('verdict', printable(answer.code === null ? answer.verdict : `${answer.verdict}: ${answer.code}`)),
    ...field('arrived', answer.fresh ? 'in time for its epoch' : 'late for its epoch: it says nothing of now'),
    ...field('evidence', printable(answer.evidenceHash)),
  ]
}

/** Scripts ask this: does the device prove, after now, that it is as approved? */
function codeOf({ answer }: Challenge): ExitCode {
  return answer !== null && answer.fresh && answer.verdict === 'affirming' ? exitCodes.good : exitCodes.finding
}

const attest = defineCommand({
  name: 'device attest',
  summary: 'Ask a device for evidence at once, made after this question',
  description: [
    'The answer carries a nonce of this question alone, under the signature of the device and the quote of its TPM. A ' +
      'device that is away answers when it is back, as long as the question holds. A device is asked once a minute at ' +
      'most; a new question takes the place of one that waits.',
    'With --wait it ends with 0 when the answer is affirming, with 1 when it is anything else, and with 3 when none has ' +
      'come. --history lists what was asked before.',
  ],
  examples: ['keepseal device attest 01… --wait', 'keepseal device attest 01… --history'],
  arguments: { ueid: { description: 'The device, as `device list` shows it.' } },
  options: {
    ...listOptions,
    history: { description: 'List questions and answers; asks nothing.' },
    wait: { description: 'Wait for the answer.' },
    'wait-seconds': {
      description: `With --wait: how long (without this option ${DEFAULT_WAIT_SECONDS} s).`,
      value: integer(1, 86_400),
      placeholder: 'SECONDS',
    },
    'valid-seconds': {
      description: 'How long the question holds (without this option a day).',
      value: integer(60, 604_800),
      placeholder: 'SECONDS',
    },
  },
  json: true,
  async run(context) {
    const { options, terminal, present } = context
    const { history, wait, waitSeconds, validSeconds, limit = DEFAULT_ITEMS } = options
    if (history && (wait || validSeconds !== undefined)) {
      throw new KeepsealError('usage.invalid', '--history asks nothing')
    }
    if (waitSeconds !== undefined && !wait) throw new KeepsealError('usage.invalid', '--wait-seconds belongs to --wait')
    const client = connect(options, terminal.env)
    const path = `/devices/${encodeURIComponent(context.arguments.ueid.toLowerCase())}/challenges`
    if (history) {
      const columns = [
        { title: 'ASKED', shrinks: false },
        { title: 'STATUS' },
        { title: 'ANSWERED', shrinks: false },
        { title: 'VERDICT', style: toneOf },
        { title: 'CODE' },
      ]
      return presentList(
        context,
        await client.list(path, {}, Challenge, limit),
        columns,
        ({ askedAt, status, answer }) => [
          timeText(askedAt),
          status,
          answer === null ? '-' : timeText(answer.at),
          answer?.verdict ?? '-',
          answer?.code ?? '-',
        ],
        'It was never asked: keepseal device attest UEID --wait.',
      )
    }
    let challenge = await client.post(path, { validSeconds }, Challenge)
    const deadline = Date.now() + (waitSeconds ?? DEFAULT_WAIT_SECONDS) * 1000
    const isOver = () => !wait || challenge.status !== 'waiting' || Date.now() >= deadline
    while (!isOver()) {
      await sleep(POLL_MS)
      challenge = await client.get(`${path}/${challenge.id}`, Challenge)
    }
    present(challenge, () => describeChallenge(challenge).join('\n'))
    if (!wait) return exitCodes.good
    return challenge.answer === null ? exitCodes.unreachable : codeOf(challenge)
  },
})

export const attestCommands: readonly Command[] = [attest]

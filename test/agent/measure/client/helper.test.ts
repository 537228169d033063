import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createHelper } from '../../../../agent/measure/client/helper.ts'
import { encodeLogAnswer, encodeSectionsAnswer } from '../../../../agent/measure/answer.ts'
import { useScratchDirectories } from '../../../support/scratch.ts'
import { treeHost } from '../../../support/host-tree.ts'
import { answerOf, identifiedHost, saying, standIn } from '../support.ts'

const scratch = useScratchDirectories('helper')

test('without a socket in the configuration there is none', async () => {
  const helper = createHelper({ socket: '', host: identifiedHost() })
  expect(await helper.sections()).toMatchObject({ status: 'absent' })
  expect(await helper.log('firmware-log')).toMatchObject({ status: 'absent' })
})

test('an answer about this system is taken', async () => {
  const host = identifiedHost()
  const answer = answerOf(host)
  const socket = await standIn(scratch(), saying(encodeSectionsAnswer(answer)))
  expect(await createHelper({ socket, host }).sections()).toEqual({ status: 'answered', answer })
})

test('a log is taken as it is', async () => {
  const host = identifiedHost()
  const { readings: _, ...system } = answerOf(host)
  const answer = { ...system, log: { status: 'found', content: Uint8Array.of(1, 2) } } as const
  const socket = await standIn(scratch(), saying(encodeLogAnswer('firmware-log', answer)))
  expect(await createHelper({ socket, host }).log('firmware-log')).toEqual({ status: 'answered', answer })
})

describe('an answer is refused', () => {
  const host = () => identifiedHost()

  test('of another boot', async () => {
    const own = host()
    const answer = answerOf(own, { boot: new Uint8Array(16) })
    const socket = await standIn(scratch(), saying(encodeSectionsAnswer(answer)))
    expect(await createHelper({ socket, host: own }).sections()).toMatchObject({
      status: 'refused',
      reason: 'other-system',
    })
  })

  test('about another root directory, as of another container', async () => {
    const [own, other] = [host(), host()]
    const socket = await standIn(scratch(), saying(encodeSectionsAnswer(answerOf(other))))
    expect(await createHelper({ socket, host: own }).sections()).toMatchObject({
      status: 'refused',
      reason: 'other-system',
    })
  })

  test('where this system cannot be told from others', async () => {
    const socket = await standIn(scratch(), saying(encodeSectionsAnswer(answerOf(host()))))
    expect(await createHelper({ socket, host: treeHost({}) }).sections()).toMatchObject({ reason: 'other-system' })
  })

  test('that is cut anywhere', async () => {
    const own = host()
    const whole = encodeSectionsAnswer(answerOf(own))
    for (const length of [1, 10, whole.length - 1]) {
      const socket = await standIn(scratch(), saying(whole.subarray(0, length)))
      expect(await createHelper({ socket, host: own }).sections()).toMatchObject({ reason: 'malformed' })
    }
  })
})

test('a refusal is told once, and again after an answer that was good', async () => {
  const own = identifiedHost()
  const good = encodeSectionsAnswer(answerOf(own))
  let bytes: Uint8Array = Uint8Array.of(0xff)
  const directory = scratch()
  const socket = await standIn(directory, (connection) => saying(bytes)(connection))
  const told: string[] = []
  const helper = createHelper({ socket, host: own, tell: (message) => void told.push(message) })
  for (let n = 0; n < 3; n++) await helper.sections()
  expect(told).toHaveLength(1)
  bytes = good
  await helper.sections()
  bytes = Uint8Array.of(0xff)
  await helper.sections()
  expect(told).toHaveLength(2)
})

test('a refusal of one question is told once, whatever comes of the others', async () => {
  const own = identifiedHost()
  const good = encodeSectionsAnswer(answerOf(own))
  const socket = await standIn(scratch(), saying(good))
  const told: string[] = []
  const helper = createHelper({ socket, host: own, tell: (message) => void told.push(message) })
  for (let n = 0; n < 3; n++) {
    expect(await helper.sections()).toMatchObject({ status: 'answered' })
    expect(await helper.log('firmware-log')).toMatchObject({ status: 'refused' })
  }
  expect(told).toHaveLength(1)
})

test('that none is there is not told: most systems begin without', async () => {
  const told: string[] = []
  const socket = join(scratch(), 'none.sock')
  await createHelper({ socket, host: identifiedHost(), tell: (message) => void told.push(message) }).sections()
  expect(told).toEqual([])
})

import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { decodeLogAnswer, decodeSectionsAnswer } from '../../../agent/measure/answer.ts'
import { measureSections } from '../../../agent/measure/probes.ts'
import { encodeRequest, LOGS } from '../../../agent/measure/protocol.ts'
import { serve, type ServeOptions } from '../../../agent/measure/serve.ts'
import { systemIdentity } from '../../../agent/measure/system-identity.ts'
import type { Reading, Sensor } from '../../../agent/sensors/sensor.ts'
import { SENSORS } from '../../../agent/sensors/registry.ts'
import { treeHost, withoutPermission } from '../../support/host-tree.ts'
import { useScratchDirectories } from '../../support/scratch.ts'
import type { OutcomeError } from '../../../shared/errors.ts'
import { socketTable } from '../../support/proc-net.ts'
import { identifiedHost, standIn } from './support.ts'

const scratch = useScratchDirectories('serve')

/** One connection to a helper, and what became of both sides. */
async function talk(options: ServeOptions, say: (connection: Socket) => void) {
  let ended: Promise<unknown> = Promise.resolve()
  const path = await standIn(scratch(), (connection) => {
    ended = serve(connection, options).then(
      () => undefined,
      (error: unknown) => error,
    )
  })
  const chunks: Buffer[] = []
  const client = connect({ path, allowHalfOpen: true })
  client.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => undefined)
  say(client)
  await new Promise((resolve) => client.once('close', resolve).once('end', () => client.destroy()))
  return { answer: new Uint8Array(Buffer.concat(chunks)), problem: await ended }
}

const asking = (bytes: Uint8Array) => (connection: Socket) => void connection.end(bytes)

describe('the helper', () => {
  test('answers with the sections of the sensors that see more, about its own system', async () => {
    const host = identifiedHost({ '/proc/net/tcp': socketTable([]), '/proc/1/fd/0': { link: '/dev/null' } })
    const { answer, problem } = await talk({ host }, asking(encodeRequest('sections')))
    expect(problem).toBeUndefined()
    const { readings, cpuMs, ...system } = decodeSectionsAnswer(answer)
    const privileged = SENSORS.filter((sensor) => sensor.privileged === true).map(({ section }) => section)
    expect(readings.map(({ section }) => section).sort()).toEqual([...privileged].sort())
    expect(system).toEqual(systemIdentity(host))
    expect(cpuMs).toBeGreaterThan(0)
  })

  test('takes a request that arrives in pieces', async () => {
    const bytes = encodeRequest('firmware-log')
    const { answer } = await talk({ host: identifiedHost() }, (connection) => {
      connection.write(bytes.subarray(0, 5))
      setTimeout(() => connection.end(bytes.subarray(5)), 30)
    })
    expect(decodeLogAnswer('firmware-log', answer).log).toEqual({ status: 'absent' })
  })

  test.each(['firmware-log', 'measurement-list'] as const)('reads the %s, or says why not', async (probe) => {
    const host = identifiedHost({ [LOGS[probe].path]: Uint8Array.of(1, 2, 3) })
    const ask = async (of: typeof host) =>
      decodeLogAnswer(probe, (await talk({ host: of }, asking(encodeRequest(probe)))).answer).log
    expect(await ask(host)).toEqual({ status: 'found', content: Uint8Array.of(1, 2, 3) })
    expect(await ask(withoutPermission(host, '/sys'))).toEqual({ status: 'no-permission' })
    expect(await ask(identifiedHost())).toEqual({ status: 'absent' })
  })

  test.each([
    ['a request for anything else', Uint8Array.of(0xa0)],
    ['no request', new Uint8Array()],
    ['a request that is too large', new Uint8Array(100_000)],
  ])('closes without a word after %s', async (_, bytes) => {
    const { answer, problem } = await talk({ host: identifiedHost() }, asking(bytes))
    expect(answer.length).toBe(0)
    expect(problem).toBeInstanceOf(Error)
  })

  test('does not take in a request that goes on and on', async () => {
    const { answer, problem } = await talk({ host: identifiedHost() }, (connection) => {
      const chunk = new Uint8Array(64 * 1024)
      const more = (): void => {
        while (!connection.destroyed && connection.write(chunk));
      }
      connection.on('drain', more)
      more()
    })
    expect(answer.length).toBe(0)
    expect((problem as OutcomeError).code).toBe('cbor.too-large')
  })

  test('closes without a word where the request does not end', async () => {
    const { answer, problem } = await talk({ host: identifiedHost(), requestTimeoutMs: 100 }, (connection) => {
      connection.write(encodeRequest('sections'))
    })
    expect(answer.length).toBe(0)
    expect(problem).toBeInstanceOf(Error)
  })

  test('closes without a word where it cannot say which system it is about', async () => {
    const { answer, problem } = await talk({ host: treeHost({}) }, asking(encodeRequest('sections')))
    expect(answer.length).toBe(0)
    expect(problem).toBeInstanceOf(Error)
  })

  test('survives that nobody waits for its answer', async () => {
    const { problem } = await talk({ host: identifiedHost() }, (connection) => {
      connection.end(encodeRequest('sections'), () => connection.destroy())
    })
    expect(problem === undefined || problem instanceof Error).toBe(true)
  })
})

describe('what a sensor says in the helper', () => {
  const { privileged: _, ...base } = SENSORS.find(({ section }) => section === 'system') as Sensor
  const measured = async (...sensors: readonly Partial<Sensor>[]) => {
    const host = identifiedHost()
    const system = systemIdentity(host)
    if (system === undefined) throw new Error('no boot id')
    const all = sensors.map((sensor) => ({ ...base, ...sensor }) as Sensor)
    return decodeSectionsAnswer(await measureSections(host, system, all)).readings
  }
  const answering = (reading: Reading) => ({ privileged: true, measure: () => reading })

  test('is told with why it could not, within bounds', async () => {
    const detail = `/x/\ud800${'y'.repeat(2000)}`
    const [reading] = await measured(answering({ status: 'failed', code: 'input-malformed', detail }))
    expect(reading).toMatchObject({ section: 'system', reading: { status: 'failed', code: 'input-malformed' } })
    expect(reading?.detail).toMatch(/^\/x\/\?y+$/)
    expect(reading?.detail).toHaveLength(512)
  })

  test('is not asked where the agent sees as much', async () => {
    const never = { measure: () => expect.unreachable() }
    expect(await measured(never, { ...never, privileged: false })).toEqual([])
  })

  const missing = { missing: 'absent' } as const
  const system = (build: string) => ({
    os: missing,
    kernel: { release: missing, machine: missing, build: { value: build } },
  })
  const other = { ...answering({ status: 'not-supported', reason: 'no-procfs' }), section: 'boot' as const }

  test.each([
    ['larger than a section may be', 'x'.repeat(5 * 1024 * 1024), 'input-too-large'],
    ['what the schema does not take', 'a\nb', 'sensor-fault'],
    ['what the wire does not take', '\ud800', 'sensor-fault'],
  ])('has failed where it is %s, and the others are there', async (_, build, code) => {
    const readings = await measured(answering({ status: 'measured', content: system(build) }), other)
    expect(readings.map(({ section }) => section)).toEqual(['system', 'boot'])
    expect(readings[0]?.reading).toEqual({ status: 'failed', code })
  })

  test('brings no state that the agent would refuse', async () => {
    const state = { 'system.age': 1.5, 'system.text': 'ä'.repeat(300), 'system.count': 3 }
    const content = system('x')
    const [reading] = await measured(answering({ status: 'measured', content, state }))
    expect(reading?.state).toEqual(
      new Map<string, unknown>([
        ['system.text', 'ä'.repeat(128)],
        ['system.count', 3],
      ]),
    )
  })
})

import * as fc from 'fast-check'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import type { NotificationEvent } from '../../../collector/model/notification.ts'
import type { Channel, ChannelMessage } from '../../../collector/notify/channel.ts'
import { Dispatcher, pauseAfter } from '../../../collector/notify/dispatcher.ts'
import type { Store } from '../../../collector/store/index.ts'
import { NOW } from '../store/samples.ts'
import { describeStore } from '../store/support.ts'

const logger = pino({ level: 'silent' })
const DAY_MS = 86_400_000

const event = (subject: string, over: Partial<NotificationEvent> = {}): NotificationEvent => ({
  kind: 'finding.opened',
  at: NOW,
  severity: 'high',
  productId: null,
  ueid: null,
  code: null,
  subject,
  text: `a finding: ${subject}`,
  ...over,
})

/** A receiver that a test can break. */
class Receiver implements Channel {
  readonly minimumSeverity = 'medium' as const
  readonly received: ChannelMessage[] = []
  readonly name: string
  readonly groupMs: number
  broken = false
  constructor(name = 'webhook', groupMs = 0) {
    this.name = name
    this.groupMs = groupMs
  }
  async send(message: ChannelMessage): Promise<void> {
    if (this.broken) throw new Error('it answered 503')
    this.received.push(message)
  }
  get subjects(): string[] {
    return this.received.flatMap(({ events }) => events.map(({ subject }) => subject))
  }
}

function dispatching(into: Store, ...channels: Channel[]) {
  const clock = { now: NOW }
  const dispatcher = new Dispatcher({ store: into, channels, clock: () => clock.now, logger })
  const rounds = async (): Promise<void> => {
    while ((await dispatcher.round()) > 0);
  }
  return { clock, rounds }
}

const states = async (into: Store): Promise<string[]> =>
  (await into.notifications.list({ limit: 100 })).items.map(({ channel, state }) => `${channel} ${state}`).sort()

describeStore('the dispatcher of notifications', (store) => {
  describe('an event', () => {
    test('reaches every channel that wants it, once', async () => {
      const [webhook, syslog] = [new Receiver(), new Receiver('syslog')]
      const { rounds } = dispatching(store(), webhook, syslog)
      await store().notifications.add(event('a'))
      await store().notifications.add(event('b', { severity: 'low' }))
      await rounds()
      await rounds()
      expect([webhook.subjects, syslog.subjects]).toEqual([['a'], ['a']])
    })

    test('of an undone transaction is told to nobody', async () => {
      const webhook = new Receiver()
      const { rounds } = dispatching(store(), webhook)
      const undone = store().transaction(async (transaction) => {
        await transaction.notifications.add(event('a'))
        throw new Error('the disk is full')
      })
      await expect(undone).rejects.toThrow('the disk is full')
      await rounds()
      expect(webhook.subjects).toEqual([])
    })

    test('that is a test goes to the channel that it names alone, whatever its severity', async () => {
      const [webhook, syslog] = [new Receiver(), new Receiver('syslog')]
      const { rounds } = dispatching(store(), webhook, syslog)
      await store().notifications.add(event('syslog', { kind: 'test', severity: 'low' }))
      await rounds()
      expect([webhook.subjects, syslog.subjects]).toEqual([[], ['syslog']])
    })
  })

  describe('a receiver that does not answer', () => {
    test('is tried again under the same id, later and later, and holds nobody else back', async () => {
      const [broken, other] = [new Receiver(), new Receiver('syslog')]
      broken.broken = true
      const { clock, rounds } = dispatching(store(), broken, other)
      await store().notifications.add(event('a'))
      await rounds()
      expect(other.subjects).toEqual(['a'])
      const [first] = (await store().notifications.list({ limit: 1, cursor: null }, { channel: 'webhook' })).items
      expect(first).toMatchObject({
        state: 'pending',
        attempts: 1,
        error: 'it answered 503',
        nextAttemptAt: NOW + 5000,
      })
      broken.broken = false
      await rounds()
      expect(broken.subjects).toEqual([])
      clock.now += 5000
      await rounds()
      expect(broken.received).toMatchObject([{ id: `ntf_${first?.id}`, events: [{ subject: 'a' }] }])
    })

    test('is given up after three days, visibly, and a person can try again', async () => {
      const webhook = new Receiver()
      webhook.broken = true
      const { clock, rounds } = dispatching(store(), webhook)
      await store().notifications.add(event('a'))
      for (let hours = 0; hours < 80; hours++) {
        await rounds()
        clock.now += 3_600_000
      }
      expect(await states(store())).toEqual(['webhook dead'])
      webhook.broken = false
      await rounds()
      expect(webhook.subjects).toEqual([])
      expect(await store().notifications.revive(clock.now)).toBe(1)
      await rounds()
      expect(webhook.subjects).toEqual(['a'])
    })

    test('is left longer alone with each attempt, up to an hour', () => {
      expect([1, 2, 3, 10, 11, 1000].map(pauseAfter)).toEqual([5000, 10_000, 20_000, 2_560_000, 3_600_000, 3_600_000])
    })
  })

  describe('a channel that gathers', () => {
    test('sends what happens within its time as one message', async () => {
      const mail = new Receiver('mail', 60_000)
      const { clock, rounds } = dispatching(store(), mail)
      await store().notifications.add(event('a'))
      await rounds()
      clock.now += 59_000
      await store().notifications.add(event('b', { at: clock.now }))
      await rounds()
      expect(mail.received).toEqual([])
      clock.now += 1000
      await rounds()
      expect(mail.received).toHaveLength(1)
      expect(mail.subjects).toEqual(['a', 'b'])
    })

    test('repeats a message that was not taken as it was, and sends what came since apart', async () => {
      const mail = new Receiver('mail', 60_000)
      mail.broken = true
      const { clock, rounds } = dispatching(store(), mail)
      await store().notifications.add(event('a'))
      clock.now += 60_000
      await rounds()
      mail.broken = false
      await store().notifications.add(event('b', { at: clock.now }))
      clock.now += 60_000
      await rounds()
      expect(mail.received.map(({ events }) => events.map(({ subject }) => subject))).toEqual([['a'], ['b']])
    })
  })

  test('whatever was sent before it was killed, the same id never stands for other events', async () => {
    const mail = new Receiver('mail', 60_000)
    const { clock, rounds } = dispatching(store(), mail)
    await store().notifications.add(event('a'))
    await store().notifications.add(event('b'))
    clock.now += 60_000
    await rounds()
    // Killed before it wrote down that the message was taken.
    const ids = (await store().notifications.list({ limit: 9 })).items.map(({ id }) => id)
    const before = { attempts: 0, firstAttemptAt: null, nextAttemptAt: NOW, error: null, sentAt: null }
    await store().notifications.settle(ids, { state: 'pending', ...before })
    await store().notifications.add(event('c'))
    await rounds()
    expect(mail.received.map(({ events }) => events.length)).toEqual([2, 3])
    expect(new Set(mail.received.map(({ id }) => id)).size).toBe(2)
  })

  test('a clock that was put back a day holds nothing back', async () => {
    const [webhook, mail] = [new Receiver(), new Receiver('mail', 60_000)]
    webhook.broken = true
    const { clock, rounds } = dispatching(store(), webhook, mail)
    await store().notifications.add(event('a'))
    await rounds()
    webhook.broken = false
    clock.now -= DAY_MS
    await rounds()
    expect([webhook.subjects, mail.subjects]).toEqual([['a'], ['a']])
  })

  test('what nobody wants to hear is forgotten after a month too', async () => {
    const { clock, rounds } = dispatching(store())
    const number = await store().notifications.add(event('a'))
    await rounds()
    clock.now += 31 * DAY_MS
    await rounds()
    // Its place is free: nothing waits for it, and nothing speaks of it.
    const later = await store().notifications.add(event('b'))
    expect(later).toBeGreaterThan(number)
    expect(await store().notifications.forgetSent(clock.now, 10)).toBe(0)
    await store().notifications.dispatch(later, [], clock.now)
    expect(await store().notifications.forgetSent(clock.now, 10)).toBe(1)
  })

  test('what was sent is forgotten after a month, what waits is not', async () => {
    const [webhook, broken] = [new Receiver(), new Receiver('syslog')]
    broken.broken = true
    const { clock, rounds } = dispatching(store(), webhook, broken)
    await store().notifications.add(event('a'))
    await rounds()
    clock.now += 31 * DAY_MS
    await rounds()
    expect(await states(store())).toEqual(['syslog dead'])
  })

  test('whatever fails and restarts in whatever order, each event is taken at least once by each channel', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('event' as const) }),
      fc.record({ kind: fc.constant('break' as const), broken: fc.boolean(), which: fc.nat(1) }),
      fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(120_000) }),
      fc.record({ kind: fc.constant('restart' as const) }),
    )
    let number = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const channels = [new Receiver(), new Receiver('mail', 30_000)]
        let { clock, rounds } = dispatching(store(), ...channels)
        const wanted: string[] = []
        for (const each of steps) {
          if (each.kind === 'event') {
            const subject = `event ${number++}`
            wanted.push(subject)
            await store().notifications.add(event(subject, { at: clock.now }))
          } else if (each.kind === 'break') (channels[each.which] as Receiver).broken = each.broken
          else if (each.kind === 'pass') clock.now += each.ms
          else {
            const { now } = clock
            ;({ clock, rounds } = dispatching(store(), ...channels))
            clock.now = now
          }
          await rounds()
        }
        for (const channel of channels) channel.broken = false
        clock.now += 2 * 3_600_000
        await rounds()
        for (const channel of channels) expect([...new Set(channel.subjects)].sort()).toEqual([...wanted].sort())
      }),
      { numRuns: 40 },
    )
  })
})

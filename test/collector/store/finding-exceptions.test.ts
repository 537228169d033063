import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { subjectPattern, type FindingException } from '../../../collector/model/exception.ts'
import type { Device } from '../../../collector/model/device.ts'
import type { Store } from '../../../collector/store/index.ts'
import { describeStore } from './support.ts'
import { finding, id, NOW, storedDevice, storedProduct } from './samples.ts'

const DAY_MS = 86_400_000

const exception = (productId: string, over: Partial<FindingException> = {}): FindingException => ({
  id: id('exc'),
  productId,
  deviceUeid: null,
  groupId: null,
  code: 'sockets.listener-added',
  subject: 'tcp/0.0.0.0:8080',
  reason: 'a diagnosis',
  createdBy: 'api_x',
  createdAt: NOW,
  expiresAt: NOW + DAY_MS,
  endedBy: null,
  endedAt: null,
  ...over,
})

async function found(store: Store, device: Device, subject: string, over = {}) {
  const made = finding(device.id, { subject, ...over })
  await store.findings.insert(made)
  return made.id
}

describeStore('exceptions', (createStore) => {
  async function fleet() {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    const [one, two] = [await storedDevice(store, 'one', productId), await storedDevice(store, 'two', productId)]
    return { store, productId, one, two }
  }

  it('suppress what they name, in their time, and nothing else', async () => {
    const { store, productId, one, two } = await fleet()
    const stranger = await storedDevice(store, 'stranger')
    const own = await found(store, one, 'tcp/0.0.0.0:8080')
    const all = [
      own,
      await found(store, two, 'tcp/0.0.0.0:8080'),
      await found(store, one, 'tcp/0.0.0.0:80801'),
      await found(store, one, 'tcp/0.0.0.0:8080', { code: 'sockets.listener-changed' }),
      await found(store, stranger, 'tcp/0.0.0.0:8080'),
    ]
    const made = exception(productId)
    await store.findingExceptions.insert(made, null)
    const over = async (now: number) => [...(await store.findingExceptions.overFindings(all, now)).keys()].sort()
    expect(await over(NOW)).toEqual([all[0], all[1]].sort())
    expect(await store.findingExceptions.overFindings([own], NOW)).toEqual(new Map([[own, made.id]]))
    expect(await store.findingExceptions.suppressedCounts([one.id, two.id, stranger.id], NOW)).toEqual(
      new Map([
        [one.id, 1],
        [two.id, 1],
      ]),
    )
    expect(await store.findingExceptions.suppressedNow(NOW)).toEqual({ findings: 2, exceptions: 1 })
    // By time alone.
    expect(await over(NOW + DAY_MS)).toEqual([])
    expect(await store.findingExceptions.suppressedNow(NOW + DAY_MS)).toEqual({ findings: 0, exceptions: 0 })
    await store.findingExceptions.end(made.id, 'api_y', NOW + 5)
    expect(await over(NOW + 6)).toEqual([])
  })

  it('are for one device, or for what has the labels of a group while it has them', async () => {
    const { store, productId, one, two } = await fleet()
    const [first, second] = [await found(store, one, 'tcp/[::]:22'), await found(store, two, 'tcp/[::]:22')]
    const over = async () => [...(await store.findingExceptions.overFindings([first, second], NOW)).keys()]
    const ofDevice = exception(productId, { deviceUeid: two.ueid, subject: '*' })
    await store.findingExceptions.insert(ofDevice, two.id)
    expect(await store.findingExceptions.byId(ofDevice.id)).toEqual(ofDevice)
    expect(await over()).toEqual([second])
    await store.findingExceptions.end(ofDevice.id, 'api_x', NOW)

    const group = { id: id('grp'), vendor: null, name: 'pilots', createdBy: 'api_x', createdAt: NOW }
    await store.deviceGroups.create({ ...group, labels: { site: 'plant-7', stage: 'pilot' } })
    await store.findingExceptions.insert(exception(productId, { groupId: group.id, subject: '*' }), null)
    expect(await over()).toEqual([])
    await store.deviceLabels.set(one.id, { site: 'plant-7' })
    expect(await over()).toEqual([])
    await store.deviceLabels.set(one.id, { stage: 'pilot', color: 'red' })
    await store.deviceLabels.set(two.id, { stage: 'pilot', site: 'plant-8' })
    expect(await over()).toEqual([first])
    await store.deviceLabels.remove(one.id, ['stage'])
    expect(await over()).toEqual([])
    expect(await store.deviceGroups.isNamed(group.id)).toBe(true)
  })

  it('match a subject as their pattern says, on every database', async () => {
    const { store, productId, one } = await fleet()
    const word = fc.string({ unit: fc.constantFrom('a', 'A', 'b', '%', '_', '?', '['), maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(word, word, fc.boolean(), word, async (start, end, isOpen, subject) => {
        const pattern = isOpen ? `${start}*${end}` : start
        const made = exception(productId, { subject: pattern })
        await store.findingExceptions.insert(made, null)
        const each = await found(store, one, subject)
        const matches = isOpen
          ? subject.startsWith(start) && subject.endsWith(end) && subject.length >= start.length + end.length
          : subject === start
        expect((await store.findingExceptions.overFindings([each], NOW)).size > 0, `${pattern} ${subject}`).toBe(
          matches,
        )
        await store.findings.remove(each)
        await store.findingExceptions.end(made.id, 'api_x', NOW)
      }),
      { numRuns: 60 },
    )
  })

  it('have at most one *', () => {
    expect(subjectPattern('a*b')).toEqual({ start: 'a', end: 'b' })
    expect(subjectPattern('ab')).toEqual({ start: 'ab', end: null })
    expect(subjectPattern('*a*')).toBeUndefined()
  })
})

describeStore('labels and groups', (createStore) => {
  it('select devices that have all of them', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    const devices = [await storedDevice(store, 'one', productId), await storedDevice(store, 'two', productId)]
    const [one, two] = devices as [Device, Device]
    await store.deviceLabels.set(one.id, { site: 'plant-7', stage: 'pilot' })
    await store.deviceLabels.set(two.id, { site: 'plant-7' })
    const listed = async (...labels: [string, string][]) =>
      (await store.devices.list({ limit: 5 }, { labels })).items.map(({ device }) => device.serial)
    expect(await listed(['site', 'plant-7'])).toEqual(['two', 'one'])
    expect(await listed(['site', 'plant-7'], ['stage', 'pilot'])).toEqual(['one'])
    expect(await listed(['site', 'plant-8'])).toEqual([])
    expect((await store.devices.select({ labels: [['stage', 'pilot']] }, 5)).map(({ device }) => device.id)).toEqual([
      one.id,
    ])
    expect(await store.deviceLabels.of([one.id, two.id])).toEqual(
      new Map([
        [one.id, { site: 'plant-7', stage: 'pilot' }],
        [two.id, { site: 'plant-7' }],
      ]),
    )
  })

  it('have one name', async () => {
    const { deviceGroups } = createStore()
    const group = (name: string, vendor: string | null = null) => ({
      id: id('grp'),
      vendor,
      name,
      labels: { a: 'b' },
      createdBy: 'api_x',
      createdAt: NOW,
    })
    const first = group('pilots')
    await deviceGroups.create(first)
    await expect(deviceGroups.create(group('pilots'))).rejects.toMatchObject({ code: 'request.conflict' })
    await deviceGroups.create(group('pilots', 'Acme'))
    expect(await deviceGroups.byId(first.id)).toEqual(first)
    await deviceGroups.remove(first.id)
    expect((await deviceGroups.list({ limit: 5 })).items.map(({ vendor }) => vendor)).toEqual(['Acme'])
  })
})

describeStore('the summary of findings', (createStore) => {
  it('counts devices of each release with the same finding, of all that are active', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    const made: Device[] = []
    for (let index = 0; index < 6; index++) {
      const enrolment = index === 5 ? 'pending' : 'active'
      const device = await storedDevice(store, `device ${index}`, productId, { enrolment })
      const state = await store.devices.stateOf(device.id)
      const release = { ...state.release, current: index < 4 ? 'rel_1' : null }
      await store.devices.saveState(device.id, { ...state, release })
      made.push(device)
    }
    await storedDevice(store, 'of another product')
    const listener = { code: 'sockets.listener-added', subject: 'tcp/0.0.0.0:8080' } as const
    for (const device of made.slice(0, 3)) await found(store, device, listener.subject)
    await found(store, made[3] as Device, listener.subject, { state: 'suspected' })
    await found(store, made[4] as Device, listener.subject, { after: 'socat' })
    await found(store, made[5] as Device, listener.subject)
    await found(store, made[0] as Device, 'tcp/[::]:22', { state: 'resolved' })
    const acknowledged = finding((made[1] as Device).id, { subject: 'tcp/[::]:22' })
    await store.findings.insert(acknowledged)
    const aside = { by: 'api_x', at: NOW, until: NOW + 5, reason: 'known' }
    await store.findings.setAcknowledgement(acknowledged.id, aside)
    await store.findingExceptions.insert(
      exception(productId, { deviceUeid: made[2]?.ueid ?? null }),
      made[2]?.id ?? null,
    )

    const { devices, groups } = await store.findingSummary({ productId, now: NOW, byValue: false })
    expect(devices).toEqual(
      new Map([
        ['rel_1', 4],
        [null, 1],
      ]),
    )
    const nothing = { value: null, suppressed: 0, acknowledged: 0 }
    expect(groups).toEqual([
      { ...nothing, ...listener, releaseId: 'rel_1', devices: 3, suppressed: 1 },
      { ...nothing, ...listener, releaseId: null, devices: 1 },
      { ...nothing, ...listener, subject: 'tcp/[::]:22', releaseId: 'rel_1', devices: 1, acknowledged: 1 },
    ])
    const later = await store.findingSummary({ productId, now: NOW + DAY_MS, byValue: true })
    expect(
      later.groups.map(({ value, devices: count, suppressed, acknowledged: known }) => [
        value,
        count,
        suppressed,
        known,
      ]),
    ).toEqual([
      ['nc', 3, 0, 0],
      ['socat', 1, 0, 0],
      ['nc', 1, 0, 0],
    ])
  })

  it('of a product without devices is empty', async () => {
    const store = createStore()
    const { id: productId } = await storedProduct(store)
    expect(await store.findingSummary({ productId, now: NOW, byValue: false })).toEqual({
      devices: new Map(),
      groups: [],
    })
  })
})

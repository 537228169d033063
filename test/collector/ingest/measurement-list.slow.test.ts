import { describe, expect, it } from 'vitest'
import type { ImaPolicyDocument } from '../../../collector/model/ima-policy.ts'
import { toHex } from '../../../shared/bytes/bytes.ts'
import { decodeEvidence } from '../../../shared/evidence/evidence.ts'
import { sha256 } from '../../../shared/crypto/node.ts'
import { agileLog, goodBoot, pcrsOf } from '../../support/eventlog-builder.ts'
import { fileDigest, binaryList, pcr10Of, type ImaSpec } from '../../support/ima-builder.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { aggregateOf, MeasuringDevice } from '../../support/measuring-device.ts'
import { describeStore } from '../store/support.ts'

const PAGE = { limit: 200 }
const violation: ImaSpec = { path: '/var/log/x', violation: true }
const digestOf = (spec: ImaSpec): string => `sha256:${fileDigest(spec).toString('hex')}`

describeStore('a device that sends its measurement list', (createStore) => {
  const keys = useCollectorKeys()

  /** Approved, with three entries verified. */
  async function measuring(policy?: Partial<ImaPolicyDocument>) {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const gateway = new MeasuringDevice(collector, device)
    if (policy !== undefined) await setPolicy(collector, policy)
    gateway.files('/init', '/usr/bin/gateway')
    await gateway.report()
    await collector.content(device)
    await collector.approve(device)
    const state = async () => collector.state(device)
    const summary = async () => (await state()).ima?.summary
    const findings = async () => collector.findings(device)
    return { collector, device, gateway, state, summary, findings }
  }

  async function setPolicy(collector: IngestingCollector, policy: Partial<ImaPolicyDocument>) {
    const document = { version: 1, allow: {}, signers: [], excludes: [], ...policy }
    const about = { productId: collector.productId, createdAt: collector.now, createdBy: 'api_x' }
    await collector.store.imaPolicies.add({ ...about, policy: JSON.stringify(document) })
  }

  const allowing = (...paths: string[]): Partial<ImaPolicyDocument> => ({
    allow: Object.fromEntries(paths.map((path) => [path, [digestOf({ path })]])),
  })

  it('sends it from its start, then what came since, and nothing while nothing came', async () => {
    const { gateway, state } = await measuring()
    expect((await state()).ima).toMatchObject({ base: { entries: 3, bank: 'sha256' }, verdict: 'not-appraised' })
    gateway.files('/usr/bin/new')
    await gateway.collector.epoch(gateway.device)
    const { bytes, carried } = await gateway.make()
    expect(carried?.suffix.first).toBe(3)
    await gateway.send(bytes)
    expect((await state()).ima?.base).toMatchObject({ entries: 4, pcr10: new Uint8Array(pcr10Of(gateway.specs)) })
    expect(await state()).toMatchObject({ verdict: 'affirming' })
    gateway.device.acknowledged = gateway.acknowledged
    const steady = await gateway.make()
    expect(steady.carried).toBeNull()
    expect(steady.bytes.length).toBeLessThanOrEqual(800)
    await gateway.send(steady.bytes)
    expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 4 } } })
  })

  it('leaves entries after the quote for the next', async () => {
    const { gateway, state } = await measuring()
    gateway.files('/a')
    gateway.afterQuote = [{ path: '/b' }, { path: '/c' }]
    await gateway.period()
    expect((await state()).ima?.base?.entries).toBe(4)
    await gateway.period()
    expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 6 } } })
  })

  it('is believed also where the list holds more than the quote covers', async () => {
    const { collector, device, gateway, state } = await measuring()
    await collector.epoch(device)
    const entries = new Uint8Array(binaryList([...gateway.specs, { path: '/later' }, { path: '/later/still' }]))
    gateway.device.bootId = new Uint8Array(16).fill(1)
    const { bytes } = await device.report({}, { measurementList: async () => ({ first: 0, entries }) })
    await gateway.send(bytes)
    expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 3 } } })
  })

  it('may lose a receipt: the same suffix arrives twice, and counts once', async () => {
    const { gateway, state, findings } = await measuring()
    gateway.files('/a', '/b')
    await gateway.period({ losing: true })
    expect((await state()).ima?.base?.entries).toBe(5)
    await gateway.period({ losing: true })
    gateway.files('/c')
    await gateway.collector.epoch(gateway.device)
    const { bytes, carried } = await gateway.make()
    expect(carried?.suffix.first).toBe(3)
    await gateway.send(bytes)
    expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 6 } } })
    expect(await findings()).toEqual([])
  })

  describe('fails, and its verified part is not touched,', () => {
    const cases: readonly (readonly [string, (specs: readonly ImaSpec[]) => Uint8Array, string])[] = [
      ['with a truncated list, which is no reset', (specs) => binaryList(specs.slice(0, 2)), 'ima.replay-mismatch'],
      ['with a list whose new entries were left out', (specs) => binaryList(specs.slice(0, -1)), 'ima.replay-mismatch'],
      [
        'with a list in which a new entry was rewritten',
        (specs) => binaryList([...specs.slice(0, 3), { path: '/harmless' }, ...specs.slice(4)]),
        'ima.replay-mismatch',
      ],
      [
        'with a list from which a new entry was trimmed',
        (specs) => binaryList([...specs.slice(0, 3), ...specs.slice(4)]),
        'ima.replay-mismatch',
      ],
      ['with a list that is cut within an entry', (specs) => binaryList(specs).subarray(0, -3), 'ima.malformed'],
      [
        'with an entry for another PCR',
        (specs) => binaryList([...specs.slice(0, 3), { path: '/a', pcr: 11 }, ...specs.slice(3)]),
        'ima.foreign-pcr',
      ],
      ['with something that is no list', () => Buffer.alloc(100, 7), 'ima.malformed'],
    ]
    it.each(cases)('%s', async (_, lie, code) => {
      const { collector, device, gateway, state, findings } = await measuring()
      const { base } = (await state()).ima ?? {}
      gateway.files('/a', '/b')
      await collector.epoch(device)
      const entries = new Uint8Array(lie(gateway.specs))
      const { bytes } = await device.report({}, { measurementList: async () => ({ first: 0, entries }) })
      await collector.evidence(device, bytes)
      expect(await state()).toMatchObject({
        verdict: 'contraindicated',
        latch: 'failed',
        verdictCode: 'boot.ima-refused',
      })
      expect((await state()).ima).toMatchObject({ base, verdict: 'refused' })
      expect(await findings()).toEqual(['boot.ima-refused measurement list open'])
      const [finding] = (await collector.store.findings.list(PAGE)).items
      expect(finding?.finding.after).toContain(code)
      // The whole truth afterwards is verified from where it was, and a person has to look at what was.
      await gateway.period()
      expect((await state()).ima?.base).toMatchObject({ entries: 5 })
      expect(await findings()).toEqual(['boot.ima-refused measurement list recovered'])
      expect(await state()).toMatchObject({ verdict: 'contraindicated', latch: 'recovered-unacknowledged' })
    })
  })

  it('failed, and has not recovered while no list explains PCR 10', async () => {
    const { collector, device, gateway, state, findings } = await measuring()
    gateway.files('/a')
    await collector.epoch(device)
    const list = { first: 0, entries: new Uint8Array(binaryList(gateway.specs.slice(0, 3))) }
    const { bytes } = await device.report({}, { measurementList: async () => list })
    await collector.evidence(device, bytes)
    gateway.readable = false
    gateway.files('/b')
    await gateway.period()
    expect(await findings()).toEqual(['boot.ima-refused measurement list open'])
    expect((await state()).verdict).toBe('contraindicated')
  })

  it('whose agent sees that its list leads elsewhere sends all of it, once for each value of PCR 10', async () => {
    const { gateway, state, findings } = await measuring()
    gateway.files('/a')
    gateway.lie = new Uint8Array(binaryList([...gateway.specs.slice(0, -1), { path: '/harmless' }]))
    await gateway.collector.epoch(gateway.device)
    const { bytes, carried } = await gateway.make()
    expect(carried?.suffix).toEqual({ first: 0, entries: gateway.lie })
    await gateway.send(bytes)
    await gateway.collector.epoch(gateway.device)
    const again = await gateway.make()
    expect(again.carried).toBeNull()
    const { request } = await gateway.send(again.bytes)
    expect(request).toBeNull()
    expect(await findings()).toEqual(['boot.ima-refused measurement list open'])
    gateway.lie = undefined
    gateway.files('/b')
    await gateway.period()
    expect((await state()).ima?.base?.entries).toBe(5)
  })

  describe('in another boot', () => {
    it('sends it from its start again', async () => {
      const { gateway, device, state } = await measuring()
      gateway.reboot()
      gateway.files('/init')
      await gateway.period()
      expect(await state()).toMatchObject({
        verdict: 'affirming',
        ima: { base: { entries: 2 }, bootSeed: device.bootId },
      })
    })

    it('fails with the list of the boot before', async () => {
      const { gateway, state, findings } = await measuring()
      gateway.lie = new Uint8Array(gateway.list)
      gateway.reboot()
      gateway.files('/another')
      await gateway.period()
      expect(await findings()).toEqual(['boot.ima-refused measurement list open'])
      expect((await state()).ima?.base?.entries).toBe(3)
    })

    it('is not appraised, and no failure, where its boot aggregate fits no values and no log tells why', async () => {
      const { gateway, state, findings } = await measuring()
      for (const pcr of [0, 1, 2, 3, 4, 5, 6, 7]) gateway.tpm.extend(pcr, 'os-separator')
      gateway.reboot()
      const first = { ...aggregateOf(gateway.tpm), digest: Buffer.alloc(32, 1) }
      gateway.tpm.setPcr('sha256', 10, new Uint8Array(pcr10Of([first])))
      gateway.lie = new Uint8Array(binaryList([first]))
      await gateway.period()
      expect(await findings()).toEqual([])
      expect(await state()).toMatchObject({ verdict: 'not-appraised', verdictCode: 'ima.boot-aggregate-unchecked' })
    })

    it('fails with a boot aggregate that is not over the PCRs that its boot log proves', async () => {
      const { collector, device, gateway, state, findings } = await measuring()
      device.reboot(goodBoot())
      await collector.content(device)
      const first = { ...aggregateOf(gateway.tpm), digest: Buffer.alloc(32, 1) }
      const specs = [first, { path: '/init' }]
      gateway.tpm.setPcr('sha256', 10, new Uint8Array(pcr10Of(specs)))
      gateway.lie = new Uint8Array(binaryList(specs))
      await gateway.period()
      await collector.content(device)
      expect(await findings()).toContain('boot.ima-refused boot aggregate open')
      expect(await state()).toMatchObject({ verdict: 'contraindicated', ima: { verdict: 'refused' } })
      // It is so for the whole boot.
      await gateway.period()
      expect(await findings()).toContain('boot.ima-refused boot aggregate open')
    })

    it('whose boot aggregate is in an unknown bank is not appraised, for the whole boot', async () => {
      const { gateway, state } = await measuring()
      gateway.reboot()
      const specs = [{ path: 'boot_aggregate', algorithm: 'sha1', digest: Buffer.alloc(20, 1) }, { path: '/init' }]
      gateway.tpm.setPcr('sha256', 10, new Uint8Array(pcr10Of(specs)))
      gateway.lie = new Uint8Array(binaryList(specs))
      for (let period = 0; period < 2; period++) {
        await gateway.period()
        expect(await state()).toMatchObject({ verdict: 'not-appraised', verdictCode: 'ima.boot-aggregate-unchecked' })
      }
    })

    it('is not appraised when it sends a suffix that begins in the middle, and is asked for the start', async () => {
      const { gateway, collector, device, state } = await measuring()
      gateway.reboot()
      gateway.files('/init', '/a')
      await collector.epoch(device)
      const suffix = { first: 2, entries: new Uint8Array(binaryList(gateway.specs.slice(2))) }
      const { bytes } = await device.report({}, { measurementList: async () => suffix })
      const { request } = await gateway.send(bytes)
      expect(request).toMatchObject({ ima: 0 })
      expect(await state()).toMatchObject({ verdict: 'not-appraised', verdictCode: 'ima.entries-missing' })
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 3 } } })
    })

    it('that it denies is told by the TPM: what was verified before the reset counts no more', async () => {
      const { gateway, device, state } = await measuring()
      const { bootId } = device
      const pcr10 = new Uint8Array(pcr10Of(gateway.specs))
      gateway.reboot()
      device.bootId = bootId
      gateway.tpm.setPcr('sha256', 10, pcr10)
      gateway.readable = false
      for (let period = 0; period < 2; period++) {
        const { request } = await gateway.period()
        expect(request).toMatchObject({ ima: 0 })
        expect(await state()).toMatchObject({ verdict: 'not-appraised', verdictCode: 'ima.entries-missing' })
      }
    })

    it('that it only claims has to send the whole list again, and gains nothing', async () => {
      const { gateway, device, state, findings } = await measuring()
      gateway.measure(violation)
      await gateway.period()
      device.bootId = new Uint8Array(16).fill(9)
      await gateway.period()
      expect(await findings()).toEqual(['ima.violation /var/log/x open'])
      expect((await state()).ima).toMatchObject({ base: { entries: 4 }, bootSeed: device.bootId })
    })
  })

  describe('and stops sending it', () => {
    it('is not appraised and asked, then told; both are over when it sends again', async () => {
      const { gateway, state, findings } = await measuring()
      gateway.readable = false
      gateway.files('/a')
      const { request } = await gateway.period()
      expect(request).toMatchObject({ ima: 3 })
      expect(await state()).toMatchObject({ verdict: 'not-appraised', verdictCode: 'ima.entries-missing' })
      expect(await findings()).toEqual([])
      await gateway.period()
      expect(await findings()).toEqual([])
      for (let period = 0; period < 2; period++) {
        await gateway.period()
        expect(await state()).toMatchObject({ verdict: 'not-appraised' })
        expect(await findings()).toEqual(['boot.list-missing measurement list open'])
      }
      gateway.readable = true
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 4 } } })
      expect(await findings()).toEqual([])
    })

    it('with a reboot is told as well', async () => {
      const { gateway, state, findings } = await measuring()
      gateway.reboot()
      gateway.readable = false
      for (let period = 0; period < 3; period++) await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'not-appraised' })
      expect(await findings()).toEqual(['boot.list-missing measurement list open'])
    })

    it('because its kernel measures nothing any more is told, and not asked for what there is not', async () => {
      const { gateway, state, findings } = await measuring()
      gateway.reboot()
      gateway.tpm.setPcr('sha256', 10, new Uint8Array(32))
      const { request } = await gateway.period()
      expect(request).toBeNull()
      for (let period = 0; period < 2; period++) await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'not-appraised', verdictCode: 'ima.not-measured' })
      expect(await findings()).toEqual(['boot.list-missing measurement list open'])
    })

    it('is good again when a person has accepted it so, and visible as not reporting', async () => {
      const { collector, device, gateway, state, findings } = await measuring()
      gateway.readable = false
      gateway.files('/a')
      for (let period = 0; period < 3; period++) await gateway.period()
      expect(await findings()).toHaveLength(1)
      await collector.approve(device)
      gateway.files('/b')
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'affirming', ima: null })
      expect(await findings()).toEqual([])
    })

    it('and begins its suffixes too far on, again and again, is told as well', async () => {
      const { collector, device, gateway, findings } = await measuring()
      for (let period = 0; period < 3; period++) {
        gateway.files('/a')
        await collector.epoch(device)
        const far = { first: 100, entries: new Uint8Array(binaryList([{ path: '/a' }])) }
        const { bytes } = await device.report({}, { measurementList: async () => far })
        await gateway.send(bytes)
      }
      expect(await findings()).toEqual(['boot.list-missing measurement list open'])
    })

    it('is not told because of content that arrives meanwhile', async () => {
      const { collector, device, gateway, findings } = await measuring()
      gateway.readable = false
      gateway.files('/a')
      await gateway.period()
      await collector.content(device)
      expect(await findings()).toEqual([])
    })
  })

  it('never sent one: it is no obstacle, and seen as not reported', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const gateway = new MeasuringDevice(collector, device)
    gateway.readable = false
    await collector.approved(device)
    gateway.files('/a')
    await gateway.period()
    expect(await collector.state(device)).toMatchObject({ verdict: 'affirming', ima: null })
  })

  it('is asked by a restored collector from the place that it remembers', async () => {
    const { collector, device, gateway, state, findings } = await measuring()
    const row = await collector.row(device)
    const backup = await state()
    gateway.files('/a', '/b')
    await gateway.period()
    const { ima } = backup
    await collector.store.devices.saveState(row.id, { ...(await state()), ima })
    const { request } = await gateway.period()
    expect(request).toMatchObject({ ima: 3 })
    await gateway.period()
    expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 5 } } })
    expect(await findings()).toEqual([])
  })

  it('has sent more of it than its own state knows: it goes on from where the collector is', async () => {
    const { gateway, state } = await measuring()
    const image = gateway.acknowledged
    gateway.files('/a')
    await gateway.period()
    gateway.acknowledged = image
    gateway.device.restart()
    gateway.files('/b')
    await gateway.period()
    expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 5 } } })
  })

  describe('findings from it', () => {
    it('such as violations stay for the boot, and go with the next one', async () => {
      const { gateway, state, findings } = await measuring()
      gateway.measure(violation)
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'warning', verdictCode: 'ima.violation' })
      gateway.files('/a')
      for (let period = 0; period < 2; period++) {
        await gateway.period()
        expect(await state()).toMatchObject({ verdict: 'warning', ima: { verdict: 'refused' } })
        expect(await findings()).toEqual(['ima.violation /var/log/x open'])
      }
      gateway.reboot()
      await gateway.period()
      expect(await findings()).toEqual([])
      expect(await state()).toMatchObject({ verdict: 'affirming', ima: { verdict: 'not-appraised' } })
    })

    it('do not go by a reboot that sends no list', async () => {
      const { gateway, state, findings } = await measuring()
      gateway.measure(violation)
      await gateway.period()
      gateway.reboot()
      gateway.readable = false
      await gateway.period()
      expect(await findings()).toContain('ima.violation /var/log/x open')
      expect(await state()).toMatchObject({ verdict: 'not-appraised' })
    })

    it('go when a person has accepted them, and do not come back in that boot', async () => {
      const { collector, device, gateway, state, findings } = await measuring()
      gateway.measure(violation)
      await gateway.period()
      await collector.approve(device)
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'affirming' })
      expect(await findings()).toEqual([])
    })

    it('tell an unknown file, which is drift, from a changed one, which is a failure', async () => {
      const { gateway, state, findings } = await measuring(allowing('/init', '/usr/bin/gateway'))
      expect((await state()).ima).toMatchObject({ verdict: 'accepted', summary: { allowed: 2, unjudged: 0 } })
      gateway.files('/tmp/miner')
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'warning', latch: 'none', ima: { verdict: 'refused' } })
      gateway.measure({ path: '/init', content: 'another' })
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
      expect(await findings()).toEqual(['ima.file-unknown /tmp/miner open', 'ima.digest-mismatch /init open'])
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'contraindicated', latch: 'failed' })
    })

    it('are bounded, and what has no finding of its own is counted', async () => {
      const { gateway, summary, findings } = await measuring(allowing('/init', '/usr/bin/gateway'))
      const files = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `/tmp/${from + n}`)
      gateway.files(...files(0, 40))
      await gateway.period()
      const first = await findings()
      expect(first).toHaveLength(33)
      expect(first).toContain('ima.file-unknown (further files) open')
      gateway.files(...files(40, 80))
      await gateway.period()
      expect(await summary()).toMatchObject({ problems: 80, untold: { 'ima.file-unknown': 16 } })
      const { items } = await gateway.collector.store.findings.list(PAGE)
      const further = items.find(({ finding }) => finding.subject === '(further files)')
      expect(further?.finding.after).toBe('and 16 more')
      for (let period = 2; period < 12; period++) {
        gateway.files(...files(period * 40, period * 40 + 40))
        await gateway.period()
      }
      expect((await findings()).length).toBe(257)
      expect(await summary()).toMatchObject({ problems: 480, untold: { 'ima.file-unknown': 224 } })
    })

    it('survive any path', async () => {
      const { gateway, findings } = await measuring(allowing('/init', '/usr/bin/gateway'))
      const paths = [Buffer.from([0x2f, 0xff]), Buffer.from([0x2f, 0xfe]), Buffer.from('/\u001b[31m'), Buffer.from('')]
      const long = [Buffer.alloc(4000, 0x61), Buffer.alloc(4001, 0x61)]
      gateway.measure(...[...paths, ...long].map((path) => ({ path })))
      await gateway.period()
      await gateway.period()
      expect(new Set(await findings()).size).toBe(6)
    })
  })

  it('has excludes that are visible with what they let pass', async () => {
    const { gateway, summary, state } = await measuring({
      ...allowing('/init', '/usr/bin/gateway'),
      excludes: ['/tmp/**'],
    })
    gateway.files('/tmp/a', '/tmp/b')
    await gateway.period()
    gateway.files('/tmp/c')
    await gateway.period()
    expect(await state()).toMatchObject({ verdict: 'affirming', ima: { verdict: 'accepted' } })
    expect(await summary()).toMatchObject({ excluded: [{ pattern: '/tmp/**', entries: 3 }] })
  })

  it('gets a policy later: what was measured before it stays unjudged, which is not accepted', async () => {
    const { collector, gateway, state } = await measuring()
    await setPolicy(collector, allowing('/a'))
    gateway.files('/a')
    await gateway.period()
    expect((await state()).ima).toMatchObject({ verdict: 'not-appraised', summary: { unjudged: 3, allowed: 1 } })
    gateway.reboot()
    gateway.files('/a')
    await gateway.period()
    expect((await state()).ima).toMatchObject({ verdict: 'accepted' })
  })

  describe('of more than an evidence can carry', () => {
    const many = Array.from({ length: 600 }, (_, n) => `/usr/lib/library-${n}`)

    it('has its content verified and removed, as nobody else has any use of it', async () => {
      const { collector, gateway, device, state } = await measuring()
      gateway.files(...many)
      await collector.epoch(device)
      const { bytes, carried } = await gateway.make()
      const digest = carried?.content ?? new Uint8Array()
      expect(carried?.suffix).toEqual({ first: 3, entries: digest })
      await gateway.sendContent(digest)
      expect(await collector.store.sections.has('Acme', digest)).toBe(true)
      await gateway.send(bytes)
      expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 603 } } })
      expect(await collector.store.sections.has('Acme', digest)).toBe(false)
      await gateway.period()
      expect(await state()).toMatchObject({ verdict: 'affirming' })
    })

    it('is asked for the content, and appraised when that has come', async () => {
      const { collector, gateway, device, state } = await measuring()
      gateway.files(...many)
      await collector.epoch(device)
      const { bytes, carried } = await gateway.make()
      const digest = carried?.content ?? new Uint8Array()
      const { request } = await gateway.send(bytes)
      expect(request).toMatchObject({ contents: [digest], ima: null })
      expect(await state()).toMatchObject({ verdict: 'not-appraised', verdictCode: 'content.missing' })
      const handled = await gateway.sendContent(digest)
      expect(handled).toMatchObject([{ result: 'reconsidered' }])
      expect(await state()).toMatchObject({ verdict: 'affirming', ima: { base: { entries: 603 } } })
      expect(await collector.store.sections.has('Acme', digest)).toBe(false)
    })

    it('leaves no contents behind that it sent in vain', async () => {
      const { collector, gateway, state } = await measuring()
      const digests: Uint8Array[] = []
      for (let n = 0; n < 6; n++) {
        gateway.files(...many.slice(0, n === 0 ? 600 : 1))
        const lie = binaryList([...gateway.specs.slice(0, -1), { path: `/harmless/${n}` }])
        gateway.lie = new Uint8Array(lie)
        await gateway.period()
        digests.push(sha256(lie))
      }
      const held = async () => {
        const found = await Promise.all(digests.map((digest) => collector.store.sections.has('Acme', digest)))
        return found.filter(Boolean).length
      }
      expect(await held()).toBe(4)
      gateway.lie = undefined
      gateway.files('/a')
      await gateway.period()
      expect((await state()).ima?.base?.entries).toBe(609)
      expect(await held()).toBe(0)
    })

    it('cannot have something else removed by naming it as its list', async () => {
      const { collector, gateway, device, state } = await measuring()
      const [section] = [...device.posture.posture.values()]
      if (section === undefined) throw new Error('no section')
      await collector.epoch(device)
      const named = { first: 0, entries: section }
      const { bytes } = await device.report({}, { measurementList: async () => named })
      await gateway.send(bytes)
      gateway.files('/a')
      await collector.epoch(device)
      const other = await device.report({}, { measurementList: async () => named })
      await gateway.send(other.bytes)
      await gateway.period()
      expect((await state()).ima?.base?.entries).toBe(4)
      expect(await collector.store.sections.has('Acme', section)).toBe(true)
    })
  })

  describe('late', () => {
    it('moves nothing, and tells what was measured from the start of the list', async () => {
      const { collector, gateway, device, state } = await measuring()
      await collector.epoch(device)
      const acknowledged = gateway.acknowledged
      gateway.measure(violation)
      gateway.acknowledged = { ...acknowledged, list: null }
      const whole = await gateway.make()
      gateway.acknowledged = acknowledged
      gateway.files('/a')
      const suffix = await gateway.make()
      gateway.reboot()
      for (let period = 0; period < 3; period++) await gateway.period()
      const before = (await state()).ima
      for (const { bytes } of [whole, suffix]) {
        expect(await collector.evidence(device, bytes)).toMatchObject({ result: 'accepted' })
      }
      expect((await state()).ima).toEqual(before)
      const { items } = await collector.store.findings.list(PAGE)
      expect(items.map(({ finding }) => `${finding.code} ${finding.state}`)).toEqual(['ima.violation resolved'])
    })

    it('fails where it does not lead to its own quote', async () => {
      const { collector, gateway, device, state } = await measuring()
      await collector.epoch(device)
      gateway.files('/a')
      gateway.lie = new Uint8Array(binaryList(gateway.specs.slice(0, 2)))
      const { bytes } = await gateway.make()
      gateway.lie = undefined
      for (let period = 0; period < 3; period++) await gateway.period()
      await collector.evidence(device, bytes)
      expect(await state()).toMatchObject({ verdict: 'contraindicated', latch: 'recovered-unacknowledged' })
    })
  })

  it('whose quoted values are not known is asked for the list together with them', async () => {
    const { collector, gateway, device, state } = await measuring()
    gateway.files('/a')
    await collector.epoch(device)
    const { bytes, pcrDigest } = await gateway.make()
    const bare = await device.resign(bytes, { tpm: (tpm) => ({ ...tpm, pcrs: null }) })
    expect(decodeEvidence(bare).tpm?.logs.ima?.first).toBe(3)
    expect(pcrDigest).not.toBeNull()
    const { request } = await gateway.send(bare)
    expect(request).toMatchObject({ pcrs: true, ima: 3 })
    expect((await state()).ima?.base?.entries).toBe(3)
  })

  it('has a boot aggregate over what firmware had measured, before user space measured more', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const gateway = new MeasuringDevice(collector, device)
    const { tpm } = gateway
    const log = agileLog(goodBoot())
    for (const [pcr, value] of pcrsOf(goodBoot())) tpm.setPcr('sha256', pcr, new Uint8Array(value))
    const specs = [aggregateOf(tpm), { path: '/init' }]
    for (const pcr of [0, 4, 7]) tpm.extend(pcr, 'os-separator')
    tpm.setPcr('sha256', 10, new Uint8Array(pcr10Of(specs)))
    gateway.lie = new Uint8Array(binaryList(specs))
    await collector.store.sections.save('Acme', sha256(log), log)
    await gateway.report({ over: { firmwareLogDigest: sha256(log) } })
    expect((await collector.state(device)).ima?.summary).toMatchObject({ aggregate: 'matches' })
    expect(await collector.findings(device)).toEqual([])
  })

  it('waits with the start of the list for the boot log that tells its boot aggregate', async () => {
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const gateway = new MeasuringDevice(collector, device)
    gateway.files('/init')
    const firmwareLogDigest = sha256(Buffer.from('a boot log'))
    await gateway.report({ over: { firmwareLogDigest } })
    expect((await collector.state(device)).ima).toMatchObject({ base: null, verdict: 'not-reported' })
    const { request } = await gateway.period({ over: { firmwareLogDigest } })
    expect(request).toMatchObject({ ima: 0 })
    expect(toHex(request?.contents[0] ?? new Uint8Array())).toBe(toHex(firmwareLogDigest))
  })
})

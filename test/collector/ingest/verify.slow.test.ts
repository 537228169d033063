import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import * as fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { verifyAhead } from '../../../collector/ingest/verify/ahead.ts'
import { packed, unpacked } from '../../../collector/ingest/verify/batch.ts'
import { VerificationPool } from '../../../collector/ingest/verify/pool.ts'
import { Ingest } from '../../../collector/ingest/ingest.ts'
import type { Handled, ReceivedMessage } from '../../../collector/ingest/evidence-handler.ts'
import { IngestingCollector, useCollectorKeys } from '../../support/ingesting-collector.ts'
import { SILENT } from '../../support/test-collector.ts'
import { SoftwareSigner } from '../../support/tpm-quote.ts'
import type { SoftwareDevice } from '../../support/software-device.ts'
import { describeStore } from '../store/support.ts'

const ROOT = new URL('../../../', import.meta.url).pathname
const BUILT = join(ROOT, 'node_modules', '.cache', `keepseal-verify-${process.pid}`)
const fileOf = (name: string): URL => pathToFileURL(join(BUILT, name))

describeStore('signatures that are checked ahead by threads', (createStore) => {
  const keys = useCollectorKeys()
  const pools: VerificationPool[] = []
  beforeAll(async () => {
    mkdirSync(BUILT, { recursive: true })
    await build({
      entryPoints: [join(ROOT, 'collector', 'ingest', 'verify', 'worker.ts')],
      outfile: join(BUILT, 'worker.mjs'),
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'error',
    })
    writeFileSync(
      join(BUILT, 'dies.mjs'),
      "import { parentPort } from 'node:worker_threads'\nparentPort.on('message', () => process.exit(3))\n",
    )
    writeFileSync(
      join(BUILT, 'hangs.mjs'),
      "import { parentPort } from 'node:worker_threads'\nparentPort.on('message', () => undefined)\n",
    )
    writeFileSync(
      join(BUILT, 'throws.mjs'),
      "import { parentPort } from 'node:worker_threads'\nparentPort.on('message', () => { throw new Error('x') })\n",
    )
    // Says of everything that it is proven, by bytes that are none of its own.
    writeFileSync(
      join(BUILT, 'lies.mjs'),
      "import { parentPort } from 'node:worker_threads'\nparentPort.on('message', (batch) => { const proofs = new Uint8Array(64 * 256).fill(1); parentPort.postMessage(proofs.buffer, [proofs.buffer]) })\n",
    )
  })
  afterEach(async () => {
    for (const pool of pools.splice(0)) await pool.stop()
  })
  afterAll(() => rmSync(BUILT, { recursive: true, force: true }))

  function poolOf(file: string, workers = 2) {
    const failures: unknown[] = []
    const onFailure = (error: unknown): void => void failures.push(error)
    const pool = new VerificationPool({ workers, file: fileOf(file), timeoutMs: 2_000, onFailure })
    pools.push(pool)
    return { pool, failures }
  }

  const told = ({ result, code, detail, sequence, appraisal }: Handled) => ({
    result,
    code,
    detail,
    sequence,
    verdict: appraisal?.verdict,
    deviations: appraisal?.deviations,
  })

  it('are divided as they came, whatever their lengths', () => {
    const part = fc.uint8Array({ maxLength: 300 })
    const message = fc.record({ bytes: part, deviceKey: part, akPublic: part })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 20 }), (messages) => {
        expect(unpacked(packed(messages))).toEqual(messages)
      }),
    )
  })

  it('lead to the same decisions about good and damaged messages as without threads, also with damaged quotes', async () => {
    const { pool, failures } = poolOf('worker.mjs')
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const [other, plain] = [
      await collector.device(),
      await collector.device({ tpm: null }, { tpm: null, identity: 'software' }),
    ]
    const ahead = verifyAhead(collector.store, pool, 65_536)
    const original: { from: SoftwareDevice; bytes: Uint8Array }[] = []
    for (const from of [device, other, plain]) {
      await collector.report(from)
      original.push({ from, bytes: (await from.report()).bytes })
    }
    // Signed by the device, and quoted by a key that is not its own, or for something else.
    for (const lies of [{ signer: new SoftwareSigner('ecdsa') }, { extraData: new Uint8Array(32) }]) {
      original.push({ from: other, bytes: (await other.report(lies)).bytes })
    }
    const damage = fc.record({
      message: fc.nat({ max: 4 }),
      topic: fc.nat({ max: 2 }),
      at: fc.option(fc.nat({ max: 5_000 })),
      bit: fc.nat({ max: 7 }),
    })
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 12 }), async (damages) => {
        const messages = damages.map(({ message, topic, at, bit }): ReceivedMessage => {
          const bytes = Uint8Array.from(original[message]?.bytes ?? [])
          if (at !== null) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit)
          return collector.message(original[topic]?.from ?? device, bytes)
        })
        const whole = collector.message(device, original[0]?.bytes ?? new Uint8Array())
        messages.push(whole, whole)
        const checked = await ahead(messages)
        const outcomes: unknown[] = []
        for (const batch of [messages, checked]) {
          const undone = new Error('undone')
          const decided: Handled[] = []
          await collector.store
            .transaction(async (transaction) => {
              const inner = new IngestingCollector(transaction, keys())
              inner.now = collector.now
              decided.push(...(await inner.receive(...batch)).handled)
              throw undone
            })
            .catch((error: unknown) => {
              if (error !== undone) throw error
            })
          outcomes.push(decided.map(told))
          for (const { result } of decided) seen.add(result)
        }
        expect(outcomes[1]).toEqual(outcomes[0])
      }),
      { numRuns: 40 },
    )
    expect([...seen].sort()).toEqual(['accepted', 'duplicate', 'refused'])
    expect(failures).toEqual([])
    // It was not all for nothing: what is good was proven.
    const [good] = await ahead([collector.message(device, original[0]?.bytes ?? new Uint8Array())])
    expect(good?.proofs?.quote.some((byte) => byte !== 0)).toBe(true)
  })

  it.each(['dies.mjs', 'hangs.mjs', 'throws.mjs', 'lies.mjs'])(
    'are checked without them when each of them %s, and no device is blamed and no forgery taken',
    async (file) => {
      const { pool, failures } = poolOf(file)
      const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
      const handled: Handled[] = []
      const ingest = new Ingest({
        store: collector.store,
        deps: collector.deps,
        clock: () => collector.now,
        logger: SILENT,
        publish: () => Promise.resolve(),
        onHandled: (each) => handled.push(each),
        onFailure: (error) => expect.fail(String(error)),
        verifyAhead: verifyAhead(collector.store, pool, 65_536),
      })
      ingest.start()
      const { topic } = collector.message(device, new Uint8Array())
      for (let index = 0; index < 4; index++) await ingest.accept(topic, (await device.report()).bytes)
      const forged = Uint8Array.from((await device.report()).bytes)
      forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
      await ingest.accept(topic, forged)
      await ingest.stop()
      expect(handled.map(({ result, code }) => [result, code])).toEqual([
        ...Array.from({ length: 4 }, () => ['accepted', expect.anything()]),
        ['refused', 'cose.signature-invalid'],
      ])
      expect(ingest.backlog).toBe(0)
      expect(failures.length > 0).toBe(file !== 'lies.mjs')
    },
  )

  it('spare nothing to a device that has other keys by the time that its message is decided', async () => {
    const { pool } = poolOf('worker.mjs', 1)
    const { collector, device } = await IngestingCollector.withDevice(createStore(), keys())
    const { bytes } = await device.report()
    const [checked] = await verifyAhead(collector.store, pool, 65_536)([collector.message(device, bytes)])
    expect(checked?.proofs).toBeDefined()
    const row = await collector.row(device)
    const stranger = await collector.device()
    const { deviceKey, deviceKeyThumbprint, tpm } = await collector.row(stranger)
    expect(() => {
      const { deviceKey: key } = collector.deps.keys.keysOf({ ...row, deviceKey, tpm }, checked?.proofs)
      return key.key.verify(bytes, new Uint8Array(64))
    }).not.toThrow()
    const swapped = collector.deps.keys.keysOf({ ...row, deviceKey, deviceKeyThumbprint, tpm }, checked?.proofs)
    expect(swapped.deviceKey.key.verify(bytes, bytes.subarray(-64))).toBe(false)
  })
})

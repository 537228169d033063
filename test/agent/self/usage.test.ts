import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { counted, UsageMeter } from '../../../agent/self/usage.ts'

test('what is used is reported once, whichever reports come about', () => {
  const step = fc.record({ cpuMs: fc.nat(1000), sent: fc.nat(5000), meanwhile: fc.nat(100), exists: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      let cpu = 0
      let sent = 0
      const meter = new UsageMeter(() => cpu)
      const told = { cpuMs: 0, bytesSent: 0 }
      for (const { cpuMs, sent: bytes, meanwhile, exists } of steps) {
        cpu += cpuMs
        meter.sent(bytes)
        sent += bytes
        const usage = meter.sinceReport()
        cpu += meanwhile
        if (!exists) continue
        meter.reported(usage)
        told.cpuMs += usage.cpuMs
        told.bytesSent += usage.bytesSent
      }
      const rest = meter.sinceReport()
      expect(told.cpuMs + rest.cpuMs).toBe(cpu)
      expect(told.bytesSent + rest.bytesSent).toBe(sent)
    }),
  )
})

test('fractions of milliseconds do not go onto the wire, and are not lost', () => {
  let cpu = 0.6
  const meter = new UsageMeter(() => cpu)
  const first = meter.sinceReport()
  meter.reported(first)
  cpu = 1.2
  expect([first.cpuMs, meter.sinceReport().cpuMs]).toEqual([1, 0])
})

test('a message counts when it is handed to the connection', async () => {
  const meter = new UsageMeter(() => 0)
  const publisher = counted({ publish: () => Promise.reject(new Error('gone')) }, meter)
  await expect(publisher.publish('t', new Uint8Array(7))).rejects.toThrow('gone')
  expect(meter.sinceReport().bytesSent).toBe(7)
})

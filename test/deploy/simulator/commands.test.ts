import { parseArgs } from 'node:util'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runCommand, scenariosCommand } from '../../../deploy/simulator/commands.ts'
import { NETWORKS, networkOf, nextReportAt } from '../../../deploy/simulator/network.ts'
import { SCENARIOS } from '../../../deploy/simulator/scenarios.ts'
import { findings } from '../../../shared/codes/findings.ts'
import { runProgram } from '../../../shared/cli/program.ts'
import { recordTerminal } from '../../support/terminal.ts'

const program = { name: 'simulate', summary: 'test', version: '0', commands: [runCommand, scenariosCommand] }

async function told(...line: readonly string[]) {
  const terminal = recordTerminal({ env: { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent' } })
  const code = await runProgram(program, line, terminal, parseArgs)
  return { code, out: terminal.stdout(), error: terminal.stderr() }
}

describe('the simulator on the command line', () => {
  it('lists every scenario and network', async () => {
    const { code, out } = await told('scenarios')
    expect(code).toBe(0)
    for (const name of [...Object.keys(SCENARIOS), ...Object.keys(NETWORKS)]) expect(out).toContain(name)
    expect(Object.keys(JSON.parse((await told('scenarios', '--json')).out).scenarios)).toEqual(Object.keys(SCENARIOS))
  })

  it.each([
    ['--scenario', 'nothing-like-it'],
    ['--network', 'carrier-pigeon=1'],
    ['--network', 'always=0'],
    ['--network', 'always=-1'],
    ['--gateways', '0'],
    ['--gateways', '100000'],
    ['--speed', '0'],
  ])('refuses %s %s before it does anything', async (option, value) => {
    expect((await told('run', '--url', 'https://localhost:1', option, value)).code).toBe(2)
  })

  it('asks for the address of a collector', async () => {
    const { code, error } = await told('run', '--network', 'always=8,nb-iot=2')
    expect(code).toBe(2)
    expect(error).toContain('KEEPSEAL_URL')
  })
})

describe('scenarios', () => {
  it.each(Object.entries(SCENARIOS))(
    '%s tells of codes that exist, in steps that come before its end',
    (_, scenario) => {
      for (const code of scenario.findings) expect(Object.keys(findings)).toContain(code)
      for (const { atSeconds } of scenario.steps) expect(atSeconds).toBeLessThan(scenario.durationSeconds)
    },
  )
})

describe('networks', () => {
  it('are chosen in proportion to their parts, and never one without', () => {
    const part = fc.integer({ min: 0, max: 9 })
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(part, part, part, fraction, (always, duty, slow, drawn) => {
        fc.pre(always + duty + slow > 0)
        const place = drawn * (always + duty + slow)
        const expected = place < always ? 'always' : place < always + duty ? 'duty-cycled' : 'nb-iot'
        expect(networkOf({ always, 'duty-cycled': duty, 'nb-iot': slow }, drawn)).toBe(NETWORKS[expected])
      }),
    )
  })

  it('never report twice in an interval', () => {
    const network = fc.constantFrom(...Object.values(NETWORKS))
    const fraction = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(network, fraction, (model, drawn) => {
        const next = nextReportAt(model, 1_000, drawn) - 1_000
        expect(next).toBeGreaterThanOrEqual(model.intervalSeconds * 1000)
        expect(next).toBeLessThanOrEqual((model.intervalSeconds + model.jitterSeconds) * 1000)
      }),
    )
  })
})

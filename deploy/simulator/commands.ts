import { join } from 'node:path'
import * as v from 'valibot'
import { connect } from '../../collector/cli/client/api.ts'
import { connectionOptions, loadSettings } from '../../collector/cli/client/settings.ts'
import { defineCommand } from '../../shared/cli/command.ts'
import { exitCodes } from '../../shared/cli/exit-codes.ts'
import { choice, integer, path, text, type ValueType } from '../../shared/config/value-types.ts'
import { FleetSeed } from './keys/seed.ts'
import { NETWORKS, type NetworkMix, type NetworkName } from './network.ts'
import { runFleet } from './run.ts'
import { SCENARIOS, type ScenarioName } from './scenarios.ts'
import type { Summary } from './statistics.ts'

const scenarioNames = Object.keys(SCENARIOS) as ScenarioName[]
const networkNames = Object.keys(NETWORKS) as NetworkName[]

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1_000_000))
const mix: ValueType<NetworkMix> = {
  schema: v.pipe(
    v.strictObject(Object.fromEntries(networkNames.map((name) => [name, v.exactOptional(share)]))),
    v.check((shares) => Object.values(shares).some((one) => one !== undefined && one > 0)),
  ) as v.GenericSchema<unknown, NetworkMix>,
  requirement: `names of ${networkNames.join(', ')}, with their parts: always=8,nb-iot=2`,
  fromText: (given) =>
    Object.fromEntries(
      given.split(',').map((entry) => {
        const [name = '', part = '1'] = entry.split('=')
        return [name, /^\d{1,6}$/.test(part) ? Number(part) : part]
      }),
    ),
}

export const runCommand = defineCommand({
  name: 'run',
  summary: 'Let simulated gateways report to a collector',
  description: [
    'Enrols them over HTTPS as agents do, each with an endorsement key in software that the collector takes on first ' +
      'use, then connects each over MQTT with its own certificate. What they report is SIMULATED, and says so.',
    'Their identities stay in the directory: with the same directory and seed the same gateways come back.',
    'With --speed the scenario goes faster than the time: an interval of five minutes takes five seconds at 60. ' +
      'The epochs of the collector and its windows do not.',
  ],
  examples: [
    'npm run simulate -- run --url https://localhost:8443 --token-file token --ca-file ca.pem --gateways 20 --approve',
    'npm run simulate -- run --gateways 20 --scenario tampered-boot --speed 60 --approve',
  ],
  options: {
    url: connectionOptions.url,
    'token-file': connectionOptions['token-file'],
    'ca-file': connectionOptions['ca-file'],
    gateways: { description: 'How many. 20 if absent', value: integer(1, 500), placeholder: 'N' },
    scenario: {
      description: 'What happens to them. steady if absent',
      value: choice(scenarioNames),
      placeholder: 'NAME',
    },
    network: { description: 'How they are connected. always if absent', value: mix, placeholder: 'NAME=PARTS,…' },
    seed: { description: 'What keys and times are drawn from. 1 if absent', value: text(64), placeholder: 'TEXT' },
    speed: {
      description: 'Seconds of the scenario in one second. 1 if absent',
      value: integer(1, 120),
      placeholder: 'N',
    },
    directory: {
      description: 'Where their identities are. .cache/simulator in this folder if absent',
      value: path(),
      placeholder: 'DIR',
    },
    approve: { description: 'Approve for the product what one of them reports first' },
  },
  json: true,
  async run({ options, terminal, present }) {
    const flags = { url: options.url, tokenFile: options.tokenFile, caFile: options.caFile, config: undefined }
    const stop = new AbortController()
    const interrupt = (): void => stop.abort()
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt)
    const summary = await runFleet({
      api: connect(flags, terminal.env),
      authorities: loadSettings(flags, terminal.env).authority,
      directory: options.directory ?? join(process.cwd(), '.cache', 'simulator'),
      seed: new FleetSeed(options.seed ?? '1'),
      gateways: options.gateways ?? 20,
      networks: options.network ?? { always: 1 },
      scenario: SCENARIOS[options.scenario ?? 'steady'],
      speed: options.speed ?? 1,
      approve: options.approve,
      stop: stop.signal,
      say: (line) => terminal.error(`${line}\n`),
    })
    present(summary, () => summaryText(summary))
    const isRefused = Object.keys(summary.refused).length > 0
    return isRefused ? exitCodes.finding : exitCodes.good
  },
})

function summaryText({ made, sent, contentsSent, receipted, refused, lost, receiptMs }: Summary): string {
  const lines = [
    `reports made       ${made}`,
    `evidence sent      ${sent}`,
    `contents sent      ${contentsSent}`,
    `receipted          ${receipted}`,
    ...Object.entries(refused).map(([code, count]) => `refused            ${count} ${code}`),
    `dropped            ${lost}`,
  ]
  if (receiptMs !== null) {
    const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
    lines.push(`time to receipt    ${seconds(receiptMs.p50)} median, ${seconds(receiptMs.p99)} for 99 %`)
  }
  return lines.join('\n')
}

export const scenariosCommand = defineCommand({
  name: 'scenarios',
  summary: 'List what can happen to a simulated fleet, and how it can be connected',
  json: true,
  run({ present, table }) {
    const rows = Object.entries(SCENARIOS).map(([name, { title, durationSeconds }]) => [
      name,
      `${durationSeconds / 3600} h`,
      title,
    ])
    const networks = Object.entries(NETWORKS).map(([name, { title }]) => [name, title])
    present({ scenarios: SCENARIOS, networks: NETWORKS }, () =>
      [
        table([{ title: 'SCENARIO' }, { title: 'TAKES' }, { title: 'WHAT HAPPENS' }], rows),
        '',
        table([{ title: 'NETWORK' }, { title: 'HOW' }], networks),
      ].join('\n'),
    )
    return exitCodes.good
  },
})

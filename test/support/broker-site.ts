import { parseArgs } from 'node:util'
import { join } from 'node:path'
import { brokerCertificateCommand } from '../../collector/cli/server/broker-certificate.ts'
import { runProgram } from '../../shared/cli/program.ts'
import { shippedMosquitto, type ShippedMosquitto, type ShippedOptions } from './shipped-mosquitto.ts'
import { recordTerminal } from './terminal.ts'
import { settingsIn } from './test-collector.ts'

const PROGRAM = { name: 'keepseal-collector', summary: 'test', version: '0', commands: [brokerCertificateCommand] }

/** mosquitto as shipped, with certificates of the collector in `directory`. */
export interface BrokerSite {
  readonly broker: ShippedMosquitto
  /** How each of the collectors reaches it: each is another client to the broker. */
  readonly settings: readonly (readonly string[])[]
}

export async function brokerFor(
  directory: string,
  collectors = 1,
  options: Omit<ShippedOptions, 'replicas'> = {},
): Promise<BrokerSite> {
  const names = Array.from({ length: collectors }, (_, index) => `keepseal-collector${index === 0 ? '' : `-${index}`}`)
  const places = names.map((name) => join(directory, 'broker', name))
  const set = settingsIn(directory).flatMap((setting) => ['--set', setting])
  for (const [index, name] of names.entries()) {
    const terminal = recordTerminal()
    const hosts = ['--host', '127.0.0.1', '--host', 'localhost']
    const line = ['broker-certificate', '--directory', places[index] ?? '', '--name', name, ...hosts, ...set]
    const code = await runProgram(PROGRAM, line, terminal, parseArgs)
    if (code !== 0) throw new Error(terminal.stderr())
  }
  const broker = await shippedMosquitto(places[0] ?? '', { ...options, replicas: names.slice(1) })
  await broker.start()
  const settings = names.map((name, index) => [
    `mqtt.broker=mqtts://127.0.0.1:${broker.port}`,
    `mqtt.ca_file=${places[index]}/ca.pem`,
    `mqtt.client_certificate_file=${places[index]}/${name}.pem`,
    `mqtt.client_key_file=${places[index]}/${name}-key.pem`,
  ])
  return { broker, settings }
}

import { defineCommand } from '../../../shared/cli/command.ts'
import { configOptions } from '../../../shared/cli/config-report.ts'
import { exitCodes } from '../../../shared/cli/exit-codes.ts'
import { host, path, text } from '../../../shared/config/value-types.ts'
import { random } from '../../../shared/crypto/node.ts'
import { loadCollectorConfig } from '../../config/load.ts'
import { DEFAULT_COLLECTOR_NAME, writeBrokerCertificates } from '../../trust/broker-certificates.ts'
import { loadOrCreateKeys } from '../../trust/keys.ts'
import { DEFAULT_SERVER_NAMES } from '../../trust/server-certificate.ts'

export const brokerCertificateCommand = defineCommand({
  name: 'broker-certificate',
  summary: 'Make the certificates of an external broker and of the collector as its client',
  description: [
    "They are issued by this collector's own authority, as those of the devices are, and hold for two years; run it " +
      'again to renew them. deploy/mosquitto/mosquitto.conf says where each file belongs.',
    'Run this as the user that the collector runs as.',
  ],
  examples: ['keepseal-collector broker-certificate --directory /root/broker --host mqtt.example.org'],
  options: {
    ...configOptions,
    directory: { description: 'Where to write the files', value: path(), placeholder: 'DIR', required: true },
    host: {
      description: 'Name or address of the broker. This machine alone if absent',
      value: host(),
      placeholder: 'HOST',
      multiple: true,
    },
    name: {
      description: `Name of the collector at the broker, another for each replica. ${DEFAULT_COLLECTOR_NAME} if absent`,
      value: text(64),
    },
  },
  json: true,
  async run({ options, present }) {
    const { values: config } = loadCollectorConfig(options, process.env)
    const now = Date.now()
    const { authority, authorities } = await loadOrCreateKeys({ dataDirectory: config.data.directory, now, random })
    const { directory, host: hosts, name } = options
    const { files, notAfter } = await writeBrokerCertificates({
      authority,
      authorities,
      directory,
      hosts: hosts.length === 0 ? DEFAULT_SERVER_NAMES : hosts,
      collectorName: name ?? DEFAULT_COLLECTOR_NAME,
      now,
      random,
    })
    const until = new Date(notAfter).toISOString()
    present({ files, notAfter: until }, () => [...files, `valid until ${until}`].join('\n'))
    return exitCodes.good
  },
})

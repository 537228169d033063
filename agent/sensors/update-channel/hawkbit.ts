import type { Host } from '../host.ts'
import { required } from '../required.ts'
import { redactAddress } from './address.ts'
import { iniEntries, parseIni } from './ini.ts'
import { settingsOf, truth, type Manager, type ManagerReading, type SettingRule } from './manager.ts'
import { serviceRuns, serviceState, unitSetting } from './systemd-units.ts'

const FILES = ['/etc/rauc-hawkbit-updater/config.conf', '/etc/rauc-hawkbit-updater.conf', '/etc/hawkbit/config.cfg']
const SERVICE = 'rauc-hawkbit-updater.service'
const MAX_FILE_BYTES = 1024 * 1024

/** docs/reference.rst of rauc-hawkbit-updater. `target_name` differs from unit to unit. */
const RULES: Readonly<Record<string, SettingRule>> = {
  ssl: 'weakens-if-false',
  ssl_verify: 'weakens-if-false',
  tenant_id: 'neutral',
  stream_bundle: 'neutral',
  post_update_reboot: 'neutral',
  auth_token: 'secret',
  gateway_token: 'secret',
  ssl_cert: 'neutral',
  ssl_key: 'secret',
}

/** The client that fetches bundles for RAUC, which checks their signatures: nothing is decided about them here. */
function measure(host: Host): ManagerReading | undefined {
  const path = FILES.find((one) => host.stat(one).status !== 'absent')
  if (path === undefined) return undefined
  const text = required(host.readText(path, MAX_FILE_BYTES), path, 'file')
  if (text === undefined) return undefined
  const configuration = parseIni(text)
  const client = iniEntries(configuration, 'client')
  const server = client.get('hawkbit_server')
  const service = serviceState(host, SERVICE)
  return {
    channel: {
      signatures: 'enforced',
      sources:
        server === undefined || server === ''
          ? []
          : [
              {
                id: 'server',
                uris: [redactAddress(server)],
                transports: [truth(client.get('ssl')) === false ? 'http' : 'https'],
                signatures: 'enforced',
                signedBy: [],
                settings: settingsOf(client, RULES),
              },
            ],
      keyrings: [],
      settings: [],
      automatic: {
        state: serviceRuns(service),
        settings: [unitSetting(SERVICE, service)],
      },
      malformed: configuration.malformed,
      unreadable: [],
    },
  }
}

export const hawkbit: Manager = { id: 'hawkbit', measure }

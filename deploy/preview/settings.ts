import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { helperSocket } from './helper.ts'
import type { PreviewPorts } from './ports.ts'
import type { PreviewTpm } from './tpm.ts'

const INTERVAL_SECONDS = 10
export const PRODUCT = { vendor: 'Example Works', model: 'Preview Gateway' } as const

export function collectorSettings(home: string, ports: PreviewPorts): Record<string, string> {
  mkdirSync(join(home, 'ek-roots'), { recursive: true })
  const settings = {
    DATA__DIRECTORY: join(home, 'collector'),
    HTTP__HOST: '127.0.0.1',
    HTTP__PORT: ports.https,
    HTTP__PUBLIC_URL: `https://localhost:${ports.https}`,
    HTTP__PLAIN: true,
    HTTP__PLAIN_PORT: ports.plain,
    MQTT__LISTEN_HOST: '127.0.0.1',
    MQTT__LISTEN_PORT: ports.mqtt,
    METRICS__PORT: ports.metrics,
    TRUST__EK_ROOTS_DIRECTORY: join(home, 'ek-roots'),
    FRESHNESS__EPOCH_PERIOD_SECONDS: 30,
    FRESHNESS__WINDOW_SECONDS: 60,
    LIVENESS__REPORT_INTERVAL_SECONDS: INTERVAL_SECONDS,
    LIVENESS__STALE_INTERVALS: 6,
    PRACTICES__EVALUATION_SECONDS: 60,
  }
  return prefixed('KEEPSEAL_COLLECTOR_', settings)
}

export function agentSettings(home: string, ports: PreviewPorts, tpm: PreviewTpm): Record<string, string> {
  return prefixed('KEEPSEAL_AGENT_', {
    COLLECTOR__URL: `https://localhost:${ports.https}`,
    COLLECTOR__CA_FILE: join(home, 'collector', 'keys', 'device-ca.pem'),
    STATE__DIRECTORY: join(home, 'agent'),
    REPORT__INTERVAL_SECONDS: INTERVAL_SECONDS,
    REPORT__JITTER_SECONDS: 0,
    REPORT__RESEND_SECONDS: 60,
    MEASURE__SOCKET: helperSocket(home),
    TPM__TCTI: tpm.tcti,
    TPM__FIRMWARE_LOG_FILE: tpm.firmwareLog,
    PRODUCT__VENDOR: PRODUCT.vendor,
    PRODUCT__MODEL: PRODUCT.model,
    PRODUCT__HARDWARE_REVISION: 'A',
    PRODUCT__SERIAL: 'preview-1',
  })
}

function prefixed(prefix: string, settings: Readonly<Record<string, unknown>>): Record<string, string> {
  const entries = Object.entries(settings).filter(([key]) => key.includes('__'))
  return Object.fromEntries(entries.map(([key, value]) => [prefix + key, String(value)]))
}

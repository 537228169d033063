import type { UpdateChannel, UpdateSource } from '../../../shared/posture/sections/update-channel.ts'
import { transportOf } from '../apt/uri.ts'
import type { Host } from '../host.ts'
import { redactAddress } from './address.ts'
import { ChannelFiles } from './files.ts'
import { settingsOf, type Manager, type ManagerReading, type SettingRule } from './manager.ts'
import { readKeyFile } from './pem-keys.ts'
import { serviceState, unitSetting, type UnitState } from './systemd-units.ts'

/** Mender's documentation, "Configuration file": what the first says holds over the second. */
const FILES = ['/etc/mender/mender.conf', '/var/lib/mender/mender.conf']
/** mender-updated since version 4, mender-client before. */
const SERVICES = ['mender-updated.service', 'mender-client.service']
const MAX_SERVERS = 16
const MAX_KEYS = 64

const RULES: Readonly<Record<string, SettingRule>> = {
  ServerCertificate: 'neutral',
  SkipVerify: 'weakens-if-true',
  UpdatePollIntervalSeconds: 'neutral',
  InventoryPollIntervalSeconds: 'neutral',
  RetryPollIntervalSeconds: 'neutral',
  StateScriptTimeoutSeconds: 'neutral',
  RootfsPartA: 'neutral',
  RootfsPartB: 'neutral',
  TenantToken: 'secret',
  'HttpsClient.Certificate': 'neutral',
  'HttpsClient.Key': 'secret',
  'HttpsClient.SkipVerify': 'weakens-if-true',
}

type JsonObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The object of a file; undefined if it is no JSON object. Mender's client demands nothing more of it. */
export function parseMenderFile(text: string): JsonObject | undefined {
  try {
    const parsed: unknown = JSON.parse(text)
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Scalars by name, those of HttpsClient by their path. */
function scalars(configuration: JsonObject): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const add = (name: string, value: unknown): void => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      found.set(name, String(value))
    }
  }
  for (const [name, value] of Object.entries(configuration)) add(name, value)
  const { HttpsClient: client } = configuration
  if (isObject(client)) for (const [name, value] of Object.entries(client)) add(`HttpsClient.${name}`, value)
  return found
}

function serversOf({ ServerURL: url, Servers: servers }: JsonObject): UpdateSource[] {
  const more = Array.isArray(servers)
    ? servers.map((one: unknown) => (isObject(one) ? one['ServerURL'] : undefined))
    : []
  const urls = [url, ...more].flatMap((one) => textOf(one) ?? []).slice(0, MAX_SERVERS)
  if (urls.length === 0) return []
  // One source: each of them is asked in turn for the same updates.
  const transports = urls.map(transportOf)
  const rest = { signatures: 'default' as const, signedBy: [], settings: [] }
  return [{ id: 'server', uris: urls.map(redactAddress), transports, ...rest }]
}

/** Paths of keys; one can be limited to some types of updates: `{"Path": …, "UpdateTypes": […]}`. */
function verifyKeys({ ArtifactVerifyKey: one, ArtifactVerifyKeys: more }: JsonObject) {
  const keys = [one, ...listOf(more)].flatMap((key) => {
    const path = textOf(isObject(key) ? key['Path'] : key)
    return path === undefined ? [] : [{ path, isForAll: !isObject(key) || listOf(key['UpdateTypes']).length === 0 }]
  })
  return keys.slice(0, MAX_KEYS)
}

/** Without a key, artifacts that are not signed are installed; whether all are covered by limited ones is not told. */
function signaturesOf(keys: ReturnType<typeof verifyKeys>, isComplete: boolean): UpdateChannel['signatures'] {
  if (keys.some(({ isForAll }) => isForAll)) return 'enforced'
  return keys.length === 0 && isComplete ? 'not-enforced' : 'unknown'
}

function automaticState(services: readonly UnitState[], hasServer: boolean): 'on' | 'off' | 'none' | 'unknown' {
  if (!hasServer) return 'none'
  if (services.includes('unknown')) return 'unknown'
  const known = services.filter((state) => state !== 'absent')
  if (known.length === 0) return 'unknown'
  return known.includes('enabled') ? 'on' : 'off'
}

function measure(host: Host): ManagerReading | undefined {
  const files = new ChannelFiles(host)
  const texts = FILES.map((path) => files.find(path))
  const present = texts.filter((text) => text !== undefined)
  if (present.length === 0) return files.absent()
  const parsed = present.map(parseMenderFile)
  const configuration: JsonObject = Object.assign({}, ...parsed.toReversed()) as JsonObject
  const keys = verifyKeys(configuration)
  const paths = new Set(keys.map(({ path }) => path))
  const services = SERVICES.map((unit) => ({ unit, state: serviceState(host, unit) }))
  const sources = serversOf(configuration)
  const isComplete = files.unreadable.length === 0 && !parsed.includes(undefined)
  return {
    channel: {
      signatures: signaturesOf(keys, isComplete),
      sources,
      keyrings: [...paths].map((path) => readKeyFile(host, path)),
      settings: settingsOf(scalars(configuration), RULES),
      automatic: {
        state: automaticState(
          services.map(({ state }) => state),
          sources.length > 0,
        ),
        settings: services.filter(({ state }) => state !== 'absent').map(({ unit, state }) => unitSetting(unit, state)),
      },
      malformed: parsed.filter((one) => one === undefined).length,
      unreadable: files.unreadable,
    },
  }
}

export const mender: Manager = { id: 'mender', measure }

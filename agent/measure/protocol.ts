import { decodeCbor, encodeCbor } from '../../shared/cbor/codec.ts'
import { field } from '../../shared/cbor/fields.ts'
import { MAX_LIST_SIZE } from '../../shared/ima/constants.ts'

/**
 * What the agent and its privileged helper say to each other over a stream socket: one request, of which the end of
 * the stream is the end, one answer likewise, both deterministic CBOR (docs/privileged-helper.md).
 */
export const PROTOCOL_VERSION = 1

export const MAX_REQUEST_BYTES = 256

/** Where systemd and --listen put the socket if nothing else is said. */
export const DEFAULT_SOCKET = '/run/keepseal/measure.sock'

export const MAX_FIRMWARE_LOG_BYTES = 2 * 1024 * 1024

/** The logs of the system that root alone may read, mostly. The helper reads these paths and no others. */
export const LOGS = {
  'firmware-log': {
    path: '/sys/kernel/security/tpm0/binary_bios_measurements',
    maxBytes: MAX_FIRMWARE_LOG_BYTES,
  },
  'measurement-list': { path: '/sys/kernel/security/ima/binary_runtime_measurements', maxBytes: MAX_LIST_SIZE },
} as const

export type LogProbe = keyof typeof LOGS

/** All that can be asked for. What each does is in ./probes.ts. */
export const PROBE_IDS = ['sections', 'firmware-log', 'measurement-list'] as const
export type ProbeId = (typeof PROBE_IDS)[number]

/** Of what stands around the contents of an answer. */
const FRAME_BYTES = 4096

/** The largest answer that may come to each. */
export const MAX_ANSWER_BYTES: Readonly<Record<ProbeId, number>> = {
  sections: 8 * 1024 * 1024,
  'firmware-log': LOGS['firmware-log'].maxBytes + FRAME_BYTES,
  'measurement-list': LOGS['measurement-list'].maxBytes + FRAME_BYTES,
}

export function encodeRequest(probe: ProbeId): Uint8Array {
  return encodeCbor(
    new Map<string, string | number>([
      ['version', PROTOCOL_VERSION],
      ['probe', probe],
    ]),
  )
}

/** Throws OutcomeError: `section.malformed`, or a `cbor.*` code. */
export function decodeRequest(bytes: Uint8Array): ProbeId {
  const item = decodeCbor(bytes, { maxBytes: MAX_REQUEST_BYTES, maxDepth: 2, maxItems: 8 })
  const request = field(item, 'section.malformed', 'request').requireOnly(['version', 'probe'])
  request.at('version').uint({ min: PROTOCOL_VERSION, max: PROTOCOL_VERSION })
  return request.at('probe').oneOf(PROBE_IDS)
}

import type { Selectable } from 'kysely'
import type { Device, DeviceState, DeviceTpm } from '../model/device.ts'
import { imaColumns, toImaState } from './ima-rows.ts'
import type { DeviceStatesTable, DevicesTable } from './schema.ts'

/** Between the rows of `devices` and `device_states` and their models. */

export function toDevice(row: Selectable<DevicesTable>): Device {
  return {
    id: row.id,
    ueid: row.ueid,
    productId: row.product_id,
    vendor: row.vendor,
    model: row.model,
    hardwareRevision: row.hardware_revision,
    serial: row.serial,
    enrolment: row.enrolment,
    identity: row.identity,
    deviceKey: row.device_key,
    deviceKeyThumbprint: row.device_key_thumbprint,
    tlsKeyHash: row.tls_key_hash,
    certificateNotAfter: row.certificate_not_after,
    tpm: toTpm(row),
    enrolledAt: row.enrolled_at,
    revokedAt: row.revoked_at,
  }
}

function toTpm(row: Selectable<DevicesTable>): DeviceTpm | null {
  if (row.ek_name === null || row.ak_public === null || row.ak_name === null) return null
  return { ekName: row.ek_name, ekCertificate: row.ek_certificate, akPublic: row.ak_public, akName: row.ak_name }
}

/** What a re-enrolment may change; everything else about a device is for life. */
export type DeviceKeys = Pick<
  Device,
  'identity' | 'deviceKey' | 'deviceKeyThumbprint' | 'tlsKeyHash' | 'certificateNotAfter' | 'tpm'
>

export function keyColumns(keys: DeviceKeys) {
  return {
    identity: keys.identity,
    device_key: keys.deviceKey,
    device_key_thumbprint: keys.deviceKeyThumbprint,
    tls_key_hash: keys.tlsKeyHash,
    certificate_not_after: keys.certificateNotAfter,
    ek_name: keys.tpm?.ekName ?? null,
    ek_certificate: keys.tpm?.ekCertificate ?? null,
    ak_public: keys.tpm?.akPublic ?? null,
    ak_name: keys.tpm?.akName ?? null,
  }
}

/** What is written down of each enrolment, to be shown to others. */
export const enrolmentColumns = (deviceId: number, { identity, deviceKey, tpm }: DeviceKeys) => ({
  device_id: deviceId,
  identity,
  device_key: deviceKey,
  ek_name: tpm?.ekName ?? null,
  ek_certificate: tpm?.ekCertificate ?? null,
  ak_public: tpm?.akPublic ?? null,
})

/** All of a new row of `devices` but its key, which the database gives. */
export function deviceColumns(device: Omit<Device, 'id'>) {
  return {
    ueid: device.ueid,
    product_id: device.productId,
    vendor: device.vendor,
    model: device.model,
    hardware_revision: device.hardwareRevision,
    serial: device.serial,
    enrolment: device.enrolment,
    enrolled_at: device.enrolledAt,
    revoked_at: device.revokedAt,
    ...keyColumns(device),
  }
}

export function toState(row: Selectable<DeviceStatesTable>): DeviceState {
  return {
    verdict: row.verdict,
    verdictCode: row.verdict_code,
    latch: row.latch,
    liveness: row.liveness,
    bootCoverage: row.boot_coverage,
    lastReceivedAt: row.last_received_at,
    lastFreshAt: row.last_fresh_at,
    lastFreshEpoch: row.last_fresh_epoch,
    freshExtended: row.fresh_extended === 1,
    freshSession: row.fresh_session,
    freshSequence: row.fresh_sequence,
    postureDigest: row.posture_digest,
    pcrDigest: row.pcr_digest,
    bootDigest: row.boot_digest,
    bootAwaited: toAwaited(row),
    tpmClock: toTpmClock(row),
    bootSeed: row.boot_seed,
    ima: toImaState(row),
    release: {
      current: row.release_id,
      since: row.release_since,
      highest: row.release_highest,
      judgedBy: row.release_judged_by,
    },
    namedReceipt: row.named_receipt,
    lastReceiptNumber: row.last_receipt_number,
    agentVersion: row.agent_version,
    reportInterval: row.report_interval,
  }
}

function toAwaited(row: Selectable<DeviceStatesTable>): DeviceState['bootAwaited'] {
  const { boot_awaited_since: since, boot_awaited_reports: reports } = row
  return since === null || reports === null ? null : { since, reports }
}

function toTpmClock(row: Selectable<DeviceStatesTable>): DeviceState['tpmClock'] {
  const { tpm_clock_ms: clock, tpm_reset_count: resets, tpm_restart_count: restarts, tpm_observed_at: at } = row
  if (clock === null || resets === null || restarts === null || at === null) return null
  return { clockMs: BigInt(clock), resetCount: resets, restartCount: restarts, observedAt: at }
}

export function stateColumns(state: DeviceState): Omit<DeviceStatesTable, 'device_id' | 'steady_mark'> {
  return {
    verdict: state.verdict,
    verdict_code: state.verdictCode,
    latch: state.latch,
    liveness: state.liveness,
    boot_coverage: state.bootCoverage,
    last_received_at: state.lastReceivedAt,
    last_fresh_at: state.lastFreshAt,
    last_fresh_epoch: state.lastFreshEpoch,
    fresh_extended: state.freshExtended ? 1 : 0,
    fresh_session: state.freshSession,
    fresh_sequence: state.freshSequence,
    posture_digest: state.postureDigest,
    pcr_digest: state.pcrDigest,
    boot_digest: state.bootDigest,
    boot_awaited_since: state.bootAwaited?.since ?? null,
    boot_awaited_reports: state.bootAwaited?.reports ?? null,
    tpm_clock_ms: state.tpmClock?.clockMs.toString() ?? null,
    tpm_reset_count: state.tpmClock?.resetCount ?? null,
    tpm_restart_count: state.tpmClock?.restartCount ?? null,
    tpm_observed_at: state.tpmClock?.observedAt ?? null,
    boot_seed: state.bootSeed,
    ...imaColumns(state.ima),
    release_id: state.release.current,
    release_since: state.release.since,
    release_highest: state.release.highest,
    release_judged_by: state.release.judgedBy,
    named_receipt: state.namedReceipt,
    last_receipt_number: state.lastReceiptNumber,
    agent_version: state.agentVersion,
    report_interval: state.reportInterval,
  }
}

import type { RandomFunction } from '../../shared/crypto/crypto.ts'
import type { Device } from '../model/device.ts'
import type { DeviceWithState } from '../store/devices.ts'
import type { Store } from '../store/index.ts'
import { acceptDevice, rejectDevice } from './admission.ts'
import { approveDevice, revokeDevice } from './approval.ts'
import type { BulkAct } from './bulk.ts'
import { labelDevice, type LabelChange } from './labelling.ts'

export const DEVICE_ACTIONS = ['accept', 'reject', 'approve', 'revoke', 'label'] as const
export type DeviceAction = (typeof DEVICE_ACTIONS)[number]

interface Acting {
  readonly actor: string
  readonly now: number
  readonly random: RandomFunction
  readonly labels: LabelChange | undefined
}

type Act = Pick<BulkAct<DeviceWithState>, 'against' | 'act' | 'alone'>

/** What one of many devices is looked at for, and what is done to it. */
export function deviceAct(action: DeviceAction, acting: Acting): Act {
  const decision = ({ device: { ueid } }: DeviceWithState) => ({ ueid, ...acting })
  if (action === 'accept' || action === 'reject') {
    const decide = action === 'accept' ? acceptDevice : rejectDevice
    const against = unless(({ enrolment }) => (enrolment === 'pending' ? undefined : `it is ${enrolment}`))
    return { against, act: (store, item) => decide(store, decision(item)) }
  }
  if (action === 'revoke') {
    const against = unless(({ enrolment }) => (enrolment === 'revoked' ? 'it is revoked' : undefined))
    return { against, act: (store, item) => revokeDevice(store, decision(item)) }
  }
  if (action === 'label') return { against: unless(() => undefined), act: (store, item) => label(store, item, acting) }
  return {
    alone: true,
    against: async (store, item) => {
      const { device } = item
      if (
        (await unless(({ enrolment }) => (enrolment === 'revoked' ? 'it is revoked' : undefined))(store, item)) !==
        undefined
      )
        return 'it is revoked'
      const { latch } = await store.devices.stateOf(device.id)
      return latch === 'none' ? undefined : 'it has failed: a person looks at such a device by itself'
    },
    act: async (store, item) => {
      await approveDevice(store, { ...decision(item), scope: 'device', reviewed: true })
    },
  }
}

/** By what the device is now, and not by what it was when it was selected. */
const unless =
  (reason: (device: Device) => string | undefined) =>
  async (store: Store, { device }: DeviceWithState): Promise<string | undefined> => {
    const current = await store.devices.byId(device.id)
    return current === undefined ? 'it is gone' : reason(current)
  }

async function label(store: Store, { device }: DeviceWithState, { labels, actor, now }: Acting): Promise<void> {
  if (labels === undefined) return
  await labelDevice(store, device.id, labels)
  const entry = { at: now, actor, action: 'device.label', subject: device.ueid, detail: { ...labels } }
  await store.auditLog.append(entry)
}

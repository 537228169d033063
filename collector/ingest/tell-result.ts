import { createResultMessage } from '../../shared/evidence/result-message.ts'
import { downTopic } from '../../shared/evidence/topics.ts'
import type { ResultDelivery } from '../store/result-deliveries.ts'
import type { CollectorKeys } from '../trust/keys.ts'
import type { DeviceChannel } from './device-channel.ts'

export type TellResult = (delivery: ResultDelivery) => Promise<void>

/** Sends a device what is concluded about it. That the broker has taken it is no proof that the device has it. */
export const tellResult =
  (channel: Pick<DeviceChannel, 'publish'>, { collectorId, signer }: Pick<CollectorKeys, 'collectorId' | 'signer'>) =>
  async ({ ueid, number, since, cwt }: ResultDelivery): Promise<void> => {
    const message = { collectorId, number, since: Math.floor(since / 1000), ear: cwt }
    await channel.publish(downTopic(ueid), await createResultMessage(ueid, message, signer), { retain: false })
  }

/**
 * A message that this software could not decide, by a fault of its own. Its device is not blamed: it has no receipt,
 * and sends the message again. What is a device's fault is a refusal (./evidence.ts).
 */
export interface SetAside {
  readonly topic: string
  readonly bytes: Uint8Array
  /** ms since 1970, of the arrival that was tried first. */
  readonly receivedAt: number
  /** What it failed with: a code of ours, or the name of the error. */
  readonly reason: string
  /** One line of what the error said. */
  readonly detail: string
  /** How often it was tried. */
  readonly tries: number
}

export interface QuarantinedMessage extends SetAside {
  readonly id: number
  /** Of its topic; null where no device has it. Nobody has checked that it is from that device. */
  readonly ueid: string | null
  readonly hash: Uint8Array
  readonly lastFailedAt: number
}

import { createResultMessage, type ResultMessage } from '../../shared/evidence/result-message.ts'
import { signEarCwt, type ResultContent } from '../../shared/result/ear.ts'
import * as sample from './messages.ts'

export const concluded: ResultContent = {
  ueid: sample.ueid,
  nonce: sample.filled(32, 0x11),
  issuedAt: 1_781_234_600,
  expiresAt: 1_781_238_200,
  verifier: { developer: 'Keepseal', build: 'keepseal-collector 0.1.0' },
  policies: ['rel_1'],
  identity: 'tpm-endorsed',
  bootCoverage: 'measured',
  verdict: 'contraindicated',
  verdictCode: 'boot.quote-refused',
  isFresh: true,
  files: 'not-reported',
  findings: ['boot.quote-refused', 'sockets.listener-added'],
  latch: 'failed',
  liveness: 'fresh',
  freshnessExtended: false,
  coverage: 'covered',
  certificate: 'crt_1',
}

export interface ResultSample {
  readonly ear?: Partial<ResultContent>
  readonly message?: Partial<ResultMessage>
  /** To whom it is addressed, and by whom it is signed, inside and outside. */
  readonly ueid?: typeof sample.ueid
  readonly signer?: typeof sample.collector.signer
  readonly earSigner?: typeof sample.collector.signer
}

export const COLLECTOR_ID = sample.filled(16, 0x31)

/** A result about the device of ./messages.ts. */
export async function resultMessage(over: ResultSample = {}): Promise<Uint8Array> {
  const { ueid = sample.ueid, signer = sample.collector.signer, earSigner = sample.collector.signer } = over
  const ear = await signEarCwt({ ...concluded, ...over.ear }, 'current', earSigner)
  const message = { collectorId: COLLECTOR_ID, number: 7, since: 1_781_234_567, ear, ...over.message }
  return createResultMessage(ueid, message, signer)
}

import { hash } from '../../shared/crypto/node.ts'
import type { PcrSelection } from '../../shared/tpm/pcr-selection.ts'
import { nameOf } from '../../shared/tpm/public.ts'
import { activateCredential, type CredentialChallenge } from '../tpm/activation.ts'
import { chooseAttestationKeyKind, createAttestationKey, type AttestationKeyRequest } from '../tpm/attestation-key.ts'
import { useEndorsementPassword } from '../tpm/commands/sessions.ts'
import { readEndorsementKey } from '../tpm/endorsement-key.ts'
import { readIdevid, signWithIdevid, type IdevidPlace } from '../tpm/idevid.ts'
import { openTpm, type TransportChoice } from '../tpm/open.ts'
import { takeQuote, type Quote } from '../tpm/quoting.ts'
import type { Tpm } from '../tpm/tpm.ts'

export interface EnrolmentIdevid {
  /** DER. */
  readonly certificate: Uint8Array
  /** TPMT_SIGNATURE. */
  sign(message: Uint8Array): Promise<Uint8Array>
}

/** The TPM in the course of one enrolment, with both its keys. */
export interface EnrolmentTpm {
  readonly attestationKey: AttestationKeyRequest
  /** TPM2B_PUBLIC. */
  readonly ekPublic: Uint8Array
  readonly ekName: Uint8Array
  /** DER; null where there is none. */
  readonly ekCertificate: Uint8Array | null
  /** TPM2B_PUBLIC. */
  readonly akPublic: Uint8Array
  /** What the challenge hides, if it is for these two keys. */
  activate(challenge: CredentialChallenge): Promise<Uint8Array>
  quote(extraData: Uint8Array): Promise<Quote>
  /** Absent where none is to be shown. */
  readonly idevid?: EnrolmentIdevid
  close(): Promise<void>
}

export interface EnrolmentTpmOptions {
  /** As `openTpm` takes it. */
  readonly tcti: string
  readonly transport: TransportChoice
  readonly seed: Uint8Array
  /** The algorithm to use; P-256, or RSA where the TPM has no P-256, without it. */
  readonly kind?: AttestationKeyRequest['kind']
  readonly selection: PcrSelection
  /** Of the endorsement hierarchy, if it has one. */
  readonly endorsementPassword?: Uint8Array
  /** DER, for a TPM that holds none. */
  readonly ekCertificate?: Uint8Array
  readonly idevid?: IdevidPlace
}

/**
 * Opens the TPM and makes its keys, which can take a real one a minute. To be closed afterwards.
 * Throws `tpm.unavailable`, `tpm.library-missing`, `tpm.command-failed`, `tpm.hierarchy-locked`, `tpm.idevid-*`.
 */
export async function openEnrolmentTpm(options: EnrolmentTpmOptions): Promise<EnrolmentTpm> {
  const tpm = await openTpm(options.tcti, { transport: options.transport })
  try {
    return await prepare(tpm, options)
  } catch (error) {
    await tpm.close()
    throw error
  }
}

async function prepare(tpm: Tpm, options: EnrolmentTpmOptions): Promise<EnrolmentTpm> {
  const { seed, selection, endorsementPassword, ekCertificate } = options
  if (endorsementPassword !== undefined) await useEndorsementPassword(tpm, endorsementPassword)
  // Before the keys are made, which takes long: what is wrong with it was set wrongly.
  const idevid = options.idevid === undefined ? undefined : await readIdevid(tpm, options.idevid)
  const ek = await readEndorsementKey(tpm)
  const attestationKey = { kind: options.kind ?? (await chooseAttestationKeyKind(tpm)), seed }
  const ak = await createAttestationKey(tpm, attestationKey)
  return {
    attestationKey,
    ekPublic: ek.publicBytes,
    ekName: nameOf(ek.publicArea, hash),
    ekCertificate: ek.certificate ?? ekCertificate ?? null,
    akPublic: ak.publicBytes,
    activate: (challenge) => activateCredential(tpm, ek.template, ak.handle, challenge),
    quote: (extraData) => takeQuote(tpm, ak, { selection, extraData }),
    ...(idevid === undefined
      ? {}
      : {
          idevid: {
            certificate: idevid.certificate,
            sign: (message: Uint8Array) => signWithIdevid(tpm, idevid, message),
          },
        }),
    close: () => tpm.close(),
  }
}

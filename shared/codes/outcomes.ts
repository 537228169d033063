import { defineCodes } from './registry.ts'

const DAMAGED =
  'The message was damaged or made by something else than a Keepseal agent. Look at the device if it goes on.'
const INTEGRITY = 'Treat the device as possibly compromised until a person has examined it.'

/**
 * Every outcome that the appraisal of a device's message can end in when the device is at fault. An outcome is
 * recorded, counted and answered; it is never an exception that reaches the operator as a crash.
 */
export const outcomes = defineCodes({
  'cbor.truncated': { title: 'CBOR ends in the middle of an item', remedy: DAMAGED },
  'cbor.trailing-bytes': { title: 'bytes follow the CBOR item', remedy: DAMAGED },
  'cbor.non-minimal': { title: 'a number or length is not in its shortest form', remedy: DAMAGED },
  'cbor.indefinite-length': { title: 'an item has no declared length', remedy: DAMAGED },
  'cbor.duplicate-key': { title: 'a map has the same key twice', remedy: DAMAGED },
  'cbor.unsorted-keys': { title: 'map keys are not in bytewise order', remedy: DAMAGED },
  'cbor.too-deep': { title: 'items are nested too deeply', remedy: DAMAGED },
  'cbor.too-many-items': { title: 'the message holds too many items', remedy: DAMAGED },
  'cbor.too-large': { title: 'the message is larger than allowed', remedy: DAMAGED },
  'cbor.length-exceeds-input': { title: 'a declared length is larger than what is left', remedy: DAMAGED },
  'cbor.unsupported-type': { title: 'an item of a type that the wire does not use', remedy: DAMAGED },
  'cbor.invalid-utf8': { title: 'a text string is not valid UTF-8', remedy: DAMAGED },

  'cose.malformed': { title: 'the COSE structure is not as RFC 9052 defines it', remedy: DAMAGED },
  'cose.wrong-tag': { title: 'the COSE message has another tag than expected', remedy: DAMAGED },
  'cose.algorithm-missing': { title: 'no algorithm in the protected header', remedy: DAMAGED },
  'cose.algorithm-refused': { title: 'the algorithm is not allowed here', remedy: DAMAGED },
  'cose.unprotected-header': { title: 'the unprotected header is not empty', remedy: DAMAGED },
  'cose.critical-header': { title: 'a critical header is not understood', remedy: DAMAGED },
  'cose.content-type': { title: 'the content type is not the one of this message', remedy: DAMAGED },
  'cose.key-id-mismatch': { title: 'the key id names another key', remedy: DAMAGED },
  'cose.signature-invalid': { title: 'the signature does not verify', remedy: INTEGRITY },
  'cose.mac-invalid': { title: 'the authentication code does not verify', remedy: INTEGRITY },
  'cose.key-malformed': { title: 'the COSE key is not usable', remedy: DAMAGED },

  'claims.malformed': { title: 'a claim is missing or has another type or size than defined', remedy: DAMAGED },
  'claims.profile-mismatch': {
    title: 'the evidence follows another profile',
    remedy: 'Install an agent version that this collector supports.',
  },

  'identity.unknown-device': {
    title: 'no device with this id is enrolled',
    remedy: 'Enrol the device, or remove its configuration.',
  },
  'identity.topic-mismatch': { title: 'the topic names another device than the claims', remedy: INTEGRITY },
  'identity.revoked': { title: 'the device is revoked', remedy: 'Take the device out of service, or enrol it anew.' },
  'identity.pending': { title: 'the device is not approved yet', remedy: 'Approve it: keepseal device approve UEID' },

  'link.fork': { title: 'two different messages carry the same session and sequence number', remedy: INTEGRITY },
  'link.interleaved': { title: 'two running agents report as the same device', remedy: INTEGRITY },
  'link.previous-mismatch': { title: 'a message does not follow the one that it names', remedy: INTEGRITY },

  'freshness.unknown-epoch': {
    title: 'the nonce is no epoch or request of this collector',
    remedy: 'Check that the device receives the epoch topic.',
  },
  'freshness.late': {
    title: 'the nonce was no longer current on arrival',
    remedy: 'Nothing to do for a device that was offline; otherwise check its connection.',
  },

  'tpm.malformed': { title: 'a TPM structure cannot be read', remedy: DAMAGED },
  'tpm.algorithm-refused': {
    title: 'the TPM key or digest algorithm is not allowed',
    remedy: 'Use SHA-256 or better, RSA of at least 2048 bits or P-256.',
  },
  'tpm.key-attributes': {
    title: 'the attestation key lacks the required attributes',
    remedy: 'Enrol again with an unmodified agent.',
  },
  'tpm.key-invalid': { title: 'the public key is not valid for its algorithm', remedy: INTEGRITY },

  'quote.missing': { title: 'a TPM-identified device sent no quote', remedy: INTEGRITY },
  'quote.unexpected': { title: 'a device without an attestation key sent a quote', remedy: INTEGRITY },
  'quote.magic': { title: 'the attested structure was not made by a TPM', remedy: INTEGRITY },
  'quote.type': { title: 'the attested structure is not a quote', remedy: INTEGRITY },
  'quote.signer-mismatch': { title: 'the quote names another attestation key', remedy: INTEGRITY },
  'quote.signature-invalid': { title: 'the quote was not signed by the enrolled attestation key', remedy: INTEGRITY },
  'quote.hash-refused': {
    title: 'the quote is signed with a hash that is not allowed',
    remedy: 'Use an attestation key with SHA-256 or better.',
  },
  'quote.scheme-refused': { title: "the signature scheme is not the key's", remedy: INTEGRITY },
  'quote.nonce-empty': { title: 'the quote has no qualifying data', remedy: INTEGRITY },
  'quote.nonce-mismatch': { title: 'the quote is not bound to this evidence', remedy: INTEGRITY },
  'quote.selection-mismatch': { title: 'the quoted PCRs are not the reported ones', remedy: INTEGRITY },
  'quote.bank-refused': {
    title: 'the quote is over a PCR bank that is not allowed',
    remedy: 'Quote the SHA-256 or the SHA-384 bank.',
  },
  'quote.resettable-pcr': { title: 'the quote is over a PCR that software can reset', remedy: INTEGRITY },
  'quote.pcr-digest-mismatch': { title: 'the reported PCR values are not the quoted ones', remedy: INTEGRITY },
  'quote.pcrs-missing': {
    title: 'the quoted PCR values are unknown',
    remedy: 'The collector asks the device to send them.',
  },

  'eventlog.malformed': { title: 'the boot event log cannot be read', remedy: DAMAGED },
  'eventlog.too-large': { title: 'the boot event log is larger than allowed', remedy: DAMAGED },
  'eventlog.bank-missing': {
    title: 'the boot event log does not carry the quoted PCR bank',
    remedy: 'Quote a bank that the firmware logs, or enable the bank in the firmware setup.',
  },
  'eventlog.replay-mismatch': { title: 'the boot event log does not lead to the quoted PCR values', remedy: INTEGRITY },
  'eventlog.not-replayed': {
    title: 'the quote and the boot event log do not both cover the PCR',
    remedy: 'Quote PCRs 0 to 7, and send the log of the firmware.',
  },
  'eventlog.digest-mismatch': { title: 'the data of a boot event is not what was measured', remedy: INTEGRITY },
  'eventlog.forbidden-event': { title: 'a boot event has no place in its PCR', remedy: INTEGRITY },
  'eventlog.separator': {
    title: 'the separator of a PCR is missing, repeated, or tells of a firmware error',
    remedy: INTEGRITY,
  },
  'eventlog.duplicate-variable': { title: 'a Secure Boot variable was measured twice', remedy: INTEGRITY },
  'eventlog.variable-order': { title: 'a Secure Boot variable was measured at the wrong place', remedy: INTEGRITY },
  'eventlog.variable-missing': {
    title: 'a Secure Boot variable was not measured or is empty',
    remedy: 'Enrol the Secure Boot keys in the firmware setup, or update the firmware.',
  },
  'eventlog.variable-malformed': { title: 'a Secure Boot variable cannot be read', remedy: INTEGRITY },
  'eventlog.authority-missing': {
    title: 'Secure Boot is on, and no key was used to allow what booted',
    remedy: INTEGRITY,
  },
  'eventlog.authority-unknown': {
    title: 'what booted was allowed by a key that is not in the database',
    remedy: INTEGRITY,
  },

  'ima.malformed': { title: 'the IMA measurement list cannot be read', remedy: DAMAGED },
  'ima.too-large': { title: 'the IMA measurement list is larger than allowed', remedy: DAMAGED },
  'ima.template-unknown': {
    title: 'the IMA measurement list uses a template that is not known',
    remedy: 'Boot the kernel with ima_template=ima-ng or ima-sig.',
  },
  'ima.not-measured': {
    title: 'the kernel has measured nothing into PCR 10',
    remedy: 'Boot the kernel with an IMA policy, such as ima_policy=tcb.',
  },
  'ima.wrong-start': {
    title: 'the IMA measurement list does not begin where the verified part ends',
    remedy: INTEGRITY,
  },
  'ima.foreign-pcr': {
    title: 'an IMA measurement is for another PCR than 10',
    remedy: 'Remove pcr= from the IMA policy of the device.',
  },
  'ima.replay-mismatch': {
    title: 'the IMA measurement list does not lead to the quoted PCR 10',
    remedy: INTEGRITY,
  },
  'ima.boot-aggregate-missing': { title: 'the IMA measurement list has no boot aggregate', remedy: INTEGRITY },
  'ima.boot-aggregate-mismatch': {
    title: 'the IMA measurement list belongs to another boot than the quoted PCRs',
    remedy: INTEGRITY,
  },
  'ima.boot-aggregate-unchecked': {
    title: 'the PCRs under the boot aggregate are not known in its bank',
    remedy: 'Quote PCRs 0 to 9, and boot the kernel with ima_hash=sha256.',
  },
  'ima.entries-missing': {
    title: 'entries of the IMA measurement list have not arrived',
    remedy:
      'Nothing to do at first: the collector asks the device for them. keepseal-agent doctor tells what is missing.',
  },

  'section.digest-mismatch': { title: 'the content of a section does not have the announced digest', remedy: DAMAGED },
  'section.too-large': {
    title: 'a section is larger than allowed',
    remedy: 'Check what the device reports in this section.',
  },
  'section.malformed': { title: 'a section message cannot be read', remedy: DAMAGED },
  'section.unwanted': {
    title: 'the collector did not ask for this section',
    remedy: 'Nothing to do: the content was not stored.',
  },

  'reference-values.missing': {
    title: 'nothing was approved yet that the evidence could be compared with',
    remedy: 'Look at what the device reports, then: keepseal device approve UEID',
  },
  'content.missing': {
    title: 'the evidence names content that has not arrived',
    remedy: 'Nothing to do: the collector asks the device for it.',
  },

  'result.foreign': {
    title: 'the result is about another device, or by another collector',
    remedy: 'The agent ignores it. Look at the broker: it delivers what is not for this device.',
  },
  'result.not-newer': {
    title: 'the result is older than one that the device holds',
    remedy: 'The agent ignores it. Look at the broker if it goes on: somebody may replay what was sent before.',
  },

  'message.rate-limited': {
    title: 'the device sends more than its share',
    remedy: 'Look at the device: an agent sends one message per interval.',
  },
  'message.too-large': { title: 'the message is larger than 64 KiB', remedy: DAMAGED },
})

export type OutcomeCode = keyof typeof outcomes

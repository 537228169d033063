import { defineCodes } from './registry.ts'

/** Why a device is not enrolled, or not renewed. Part of ./errors.ts. */
export const enrolmentErrors = defineCodes({
  'enrol.token-unknown': {
    title: 'the enrolment token is not known',
    remedy: 'Make one: keepseal token create --product PRODUCT',
  },
  'enrol.token-expired': {
    title: 'the enrolment token has expired',
    remedy: 'Make one: keepseal token create --product PRODUCT',
  },
  'enrol.token-used': {
    title: 'the enrolment token was used already',
    remedy: 'Make one: keepseal token create --product PRODUCT',
  },
  'enrol.token-reserved': {
    title: 'the enrolment token is in use by another device',
    remedy: 'Wait ten minutes or make another token.',
  },
  'enrol.ek-not-registered': {
    title: 'this TPM is not registered to enrol without a token',
    remedy: 'Register its endorsement key or IDevID: keepseal registration import FILE, or use a token.',
  },
  'enrol.ek-registration-expired': {
    title: 'the registration of this TPM has expired',
    remedy: 'Register it again: keepseal registration import FILE, or use a token.',
  },
  'enrol.ek-registration-revoked': {
    title: 'the registration of this TPM was revoked',
    remedy: 'Find out why; then register it again: keepseal registration import FILE',
  },
  'enrol.ek-registration-used': {
    title: 'the registration of this TPM was used already',
    remedy: 'The device is enrolled; to enrol it again: keepseal token create --reenrol UEID',
  },
  'enrol.idevid-refused': {
    title: 'the certificate of the IDevID is not usable',
    remedy: 'Use a token, or register the endorsement key and unset tpm.idevid_handle; the manufacturer made it.',
  },
  'enrol.idevid-unproven': {
    title: 'the device did not prove that it holds the key of its IDevID',
    remedy: 'The device may show the certificate of another unit: examine it.',
  },
  'enrol.product-mismatch': {
    title: 'the token is for another product',
    remedy: 'Use a token of the product that the device claims to be.',
  },
  'enrol.ek-untrusted': {
    title: 'the TPM is not certified by a known root',
    remedy: "Add the vendor's root to the trust directory, or allow trust on first use for the product.",
  },
  'enrol.ek-certificate-mismatch': {
    title: 'the EK certificate is for another key',
    remedy: 'The device may relay another TPM: examine it.',
  },
  'enrol.ek-already-enrolled': {
    title: 'this TPM belongs to an enrolled device',
    remedy: 'Re-enrolment is for an operator: keepseal token create --reenrol UEID',
  },
  'enrol.ek-conflict': {
    title: 'the device is enrolled with another TPM',
    remedy: 'A replaced TPM needs an operator: keepseal token create --reenrol UEID',
  },
  'enrol.ak-refused': {
    title: 'the attestation key does not have the required properties',
    remedy: 'Enrol again with an unmodified agent.',
  },
  'enrol.challenge-unknown': { title: 'no such enrolment is under way', remedy: 'Begin the enrolment again.' },
  'enrol.challenge-expired': {
    title: 'the enrolment took longer than ten minutes',
    remedy: 'Begin the enrolment again.',
  },
  'enrol.device-unknown': {
    title: 'no such device is enrolled',
    remedy: 'Enrol it, or look whether this is the collector that it was enrolled with.',
  },
  'enrol.revoked': {
    title: 'the device was revoked',
    remedy: 'Only a new enrolment, allowed by an operator, brings it back: keepseal token create --reenrol UEID',
  },
  'enrol.secret-wrong': {
    title: 'the TPM did not prove that it holds both keys',
    remedy: 'The device may relay another TPM: examine it.',
  },
  'enrol.binding-invalid': {
    title: 'the proof of the enrolment does not fit what was sent',
    remedy: 'Something between device and collector changed the request: examine it.',
  },
  'enrol.software-refused': {
    title: 'the product requires a TPM',
    remedy: 'Use a device with a TPM, or allow software identities for the product.',
  },
  'enrol.key-in-use': {
    title: 'the device key belongs to another device',
    remedy: 'Remove the copied state directory and enrol again.',
  },
})

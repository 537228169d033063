import type { PracticeId } from '../practices.ts'
import type { PracticeText } from './schema.ts'

type Text = Omit<PracticeText, 'mappings'>

/** What protects the product by design: the practices of the domain Enablement, in our words. */
export const enablementTexts = {
  'establishing-and-maintaining-identities': {
    aliases: ['Identity Management'],
    objective: 'Devices, services and people are told apart reliably, from their first day to their last.',
    levels: {
      1: 'Each device and each person has a name of his own, and no default secret is left in use.',
      2: 'Each device has credentials of its own. Accounts of people who leave are closed.',
      3: 'Identities rest on keys that are protected by hardware, are issued and renewed by a described process, and can be revoked so that it takes effect.',
      4: 'Keys are made in hardware, replaced automatically and tied to attested state. Copies are detected, and the whole life of an identity can be audited.',
    },
  },
  'access-control': {
    aliases: ['Authorization'],
    objective: 'Nobody and nothing reaches more of the product than his task needs.',
    levels: {
      1: 'Functions that change something ask for a password.',
      2: 'Accounts and roles exist for the main tasks. Administration is not open to everybody who reaches the device.',
      3: 'Rights follow least privilege, closed by default: only approved services listen, both sides of a connection prove who they are, and use of rights is logged.',
      4: 'The wanted state of access is a policy that is compared with the real one all the time. Exceptions have an end, and rights are reviewed at set intervals.',
    },
  },
  'asset-change-and-configuration-management': {
    aliases: ['Asset Management', 'Change Management', 'Configuration Management'],
    objective: 'It is known what is in the field and how it is set up, and it changes only as approved.',
    levels: {
      1: 'There is a list of the devices.',
      2: 'Versions and important settings are recorded. Changes are noted by hand.',
      3: 'Each release has a baseline. Changes are approved before they are made, images are signed, and a device that departs from the baseline is found.',
      4: 'Every device is compared with reference values all the time. A departure raises an alarm or is reverted, and each change leads back to its approval, emergencies included.',
    },
  },
  'physical-protection': {
    aliases: [],
    objective: 'Whoever holds the device in his hands does not thereby own it.',
    levels: {
      1: 'The device has a casing that cannot be opened by accident, or stands where few people come.',
      2: 'Connectors that are not used are switched off or covered.',
      3: 'Interfaces for debugging are locked, secrets lie in protected storage, and opening leaves a trace.',
      4: 'Tampering is detected and answered by the device, was tested by people who tried, and is followed up within an agreed time.',
    },
  },
  'protection-model-and-policy-for-data': {
    aliases: ['Security Model and Policy for Data'],
    objective: 'It is settled which data there are, what they need, and what may happen with them.',
    levels: {
      1: 'Data that obviously need protection are known.',
      2: 'Kinds of data, where they flow and who may have them are listed for the main uses.',
      3: 'A policy classifies all data, at rest, in motion and in use, with keys, retention and erasure. It follows the law of the places where the product is used.',
      4: 'Flows are a model that is checked: by analysis of the design, and against the flows that are seen in the field.',
    },
  },
  'implementation-of-data-protection-controls': {
    aliases: ['Implementation of Data Protection Practices'],
    objective: 'Mechanisms keep data confidential, whole and available, and they work.',
    levels: {
      1: 'Connections over foreign networks are encrypted.',
      2: 'Data of the main uses are encrypted in motion and at rest. Keys are not readable by everybody.',
      3: 'Only current protocols and proven algorithms are in use, storage is encrypted, and the device starts only software that is signed.',
      4: 'Keys are rooted in hardware and replaced in time, and that the mechanisms are on is measured on every device.',
    },
  },
} as const satisfies Partial<Record<PracticeId, Text>>

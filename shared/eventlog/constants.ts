/** Numbers of the TCG PC Client Platform Firmware Profile (PFP) 1.06, under its own names. */

/** Event types, PFP section 10.4.1. A log's word for a type is a claim: no digest covers it. */
export const EVENT_TYPE = {
  EV_PREBOOT_CERT: 0x00000000,
  EV_POST_CODE: 0x00000001,
  EV_UNUSED: 0x00000002,
  EV_NO_ACTION: 0x00000003,
  EV_SEPARATOR: 0x00000004,
  EV_ACTION: 0x00000005,
  EV_EVENT_TAG: 0x00000006,
  EV_S_CRTM_CONTENTS: 0x00000007,
  EV_S_CRTM_VERSION: 0x00000008,
  EV_CPU_MICROCODE: 0x00000009,
  EV_PLATFORM_CONFIG_FLAGS: 0x0000000a,
  EV_TABLE_OF_DEVICES: 0x0000000b,
  EV_COMPACT_HASH: 0x0000000c,
  EV_IPL: 0x0000000d,
  EV_IPL_PARTITION_DATA: 0x0000000e,
  EV_NONHOST_CODE: 0x0000000f,
  EV_NONHOST_CONFIG: 0x00000010,
  EV_NONHOST_INFO: 0x00000011,
  EV_OMIT_BOOT_DEVICE_EVENTS: 0x00000012,
  EV_POST_CODE2: 0x00000013,
  EV_EFI_VARIABLE_DRIVER_CONFIG: 0x80000001,
  EV_EFI_VARIABLE_BOOT: 0x80000002,
  EV_EFI_BOOT_SERVICES_APPLICATION: 0x80000003,
  EV_EFI_BOOT_SERVICES_DRIVER: 0x80000004,
  EV_EFI_RUNTIME_SERVICES_DRIVER: 0x80000005,
  EV_EFI_GPT_EVENT: 0x80000006,
  EV_EFI_ACTION: 0x80000007,
  EV_EFI_PLATFORM_FIRMWARE_BLOB: 0x80000008,
  EV_EFI_HANDOFF_TABLES: 0x80000009,
  EV_EFI_PLATFORM_FIRMWARE_BLOB2: 0x8000000a,
  EV_EFI_HANDOFF_TABLES2: 0x8000000b,
  EV_EFI_VARIABLE_BOOT2: 0x8000000c,
  EV_EFI_GPT_EVENT2: 0x8000000d,
  EV_EFI_HCRTM_EVENT: 0x80000010,
  EV_EFI_VARIABLE_AUTHORITY: 0x800000e0,
  EV_EFI_SPDM_FIRMWARE_BLOB: 0x800000e1,
  EV_EFI_SPDM_FIRMWARE_CONFIG: 0x800000e2,
  EV_EFI_SPDM_DEVICE_POLICY: 0x800000e3,
  EV_EFI_SPDM_DEVICE_AUTHORITY: 0x800000e4,
} as const

export type EventTypeName = keyof typeof EVENT_TYPE

const typeNames: ReadonlyMap<number, EventTypeName> = new Map(
  (Object.keys(EVENT_TYPE) as EventTypeName[]).map((name) => [EVENT_TYPE[name], name]),
)

/** The name of a claimed event type; undefined for a number that the profile does not define. */
export const eventTypeName = (type: number): EventTypeName | undefined => typeNames.get(type)

/** A PC Client TPM has PCRs 0 to 23. */
export const PCR_COUNT = 24

/** The index of an event that belongs to no PCR, as Windows writes it into its copy of the log. */
export const NO_PCR = 0xffffffff

const NV_INDEX = 0x01

/**
 * True for the index of an event that was extended into no PCR: besides NO_PCR the handle of an NV index, of which PFP
 * 1.06 section 10.4.5.4 lets firmware log what it extended there (TPM 2.0 Part 2, section 7.2: handles 01xxxxxx).
 */
export const isOutsideOfPcrs = (index: number): boolean => index === NO_PCR || index >>> 24 === NV_INDEX

/** Firmware reserves 64 KiB to 1 MiB for the log; a Windows log with its tagged events stays below this. */
export const MAX_LOG_SIZE = 2 * 1024 * 1024

/** Real logs hold 30 to 400 events. */
export const MAX_EVENTS = 20_000

/** Digest algorithms in a Spec ID event: the TCG registry has defined fewer than this in its whole history. */
export const MAX_ALGORITHMS = 16

/** SHA-512 is the largest digest of the registry. */
export const MAX_DIGEST_SIZE = 64

/** Belongs to the kernel's measurement list, which extends it with each new file: CONFIG_IMA_MEASURE_PCR_IDX. */
export const IMA_PCR = 10

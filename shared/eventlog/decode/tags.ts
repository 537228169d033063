/** Tags of EV_EVENT_TAG events by whom they belong to: nobody registers them. Those of Windows: ./windows-tags.ts. */
export const EVENT_TAGS: ReadonlyMap<number, string> = new Map([
  // Linux EFI stub, drivers/firmware/efi/libstub.
  [0x8f3b22ec, 'initrd, by the Linux EFI stub'],
  [0x8f3b22ed, 'load options, by the Linux EFI stub'],
  // systemd.io/TPM2_PCR_MEASUREMENTS.
  [0xf5bc582a, 'boot loader configuration, by systemd-boot'],
  [0x6c46f751, 'device tree add-on, by systemd-stub'],
  [0x49dffe0f, 'initrd add-on, by systemd-stub'],
  [0xdac08e1a, 'microcode add-on, by systemd-stub'],
  [0xd5cb7cbc, 'SMBIOS system information, by systemd'],
  [0xe0d47bc8, 'SMBIOS baseboard information, by systemd'],
  [0xc0b3bd23, 'SMBIOS OEM strings, by systemd'],
])

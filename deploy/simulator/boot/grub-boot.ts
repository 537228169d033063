import { ascii, u16, u64, utf16, type EventSpec } from './event-log.ts'
import { goodBoot } from './firmware-events.ts'

/** UEFI_IMAGE_LOAD_EVENT with a device path of one file name (UEFI 2.10, section 10.3.5.4). */
export function imageLoad(path: string): Buffer {
  const name = utf16(`${path}\0`)
  const file = Buffer.concat([Buffer.from([4, 4]), u16(name.length + 4), name])
  const devicePath = Buffer.concat([file, Buffer.from([0x7f, 0xff, 4, 0])])
  return Buffer.concat([u64(0x1000), u64(0x2000), u64(0), u64(devicePath.length), devicePath])
}

/** `content` stands for the image, which is in no log. */
export const application = (path: string, content: string): EventSpec => ({
  pcr: 4,
  type: 'EV_EFI_BOOT_SERVICES_APPLICATION',
  data: imageLoad(path),
  hashed: ascii(content),
})

export const grub = (pcr: 8 | 9, text: string, hashed?: string): EventSpec => ({
  pcr,
  type: 'EV_IPL',
  data: ascii(`${text}\0`),
  hashed: ascii(hashed ?? text.replace(/^[a-z_]+: /, '')),
})

/** What the firmware measures before it starts a boot loader, and after that. */
export const firmwarePart = (version?: string): EventSpec[] =>
  goodBoot(version).filter(({ pcr, type }) => pcr !== 11 && type !== 'EV_EFI_BOOT_SERVICES_APPLICATION')

/** A boot by shim and GRUB. */
export const grubBoot = ({
  kernel = 'kernel 1',
  path = '/vmlinuz-6.1.0-13',
  commandLine = 'ro quiet',
  firmware = '1.0',
} = {}): EventSpec[] => [
  ...firmwarePart(firmware),
  application('\\EFI\\debian\\shimx64.efi', 'shim'),
  application('\\EFI\\debian\\grubx64.efi', 'grub'),
  grub(8, 'grub_cmd: set timeout=5'),
  grub(8, `kernel_cmdline: ${path} ${commandLine}`),
  grub(9, path, kernel),
  grub(9, '/initrd.img-6.1.0-13', 'initrd'),
  application('', `signed ${kernel}`),
]

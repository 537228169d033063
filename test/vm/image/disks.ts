import { closeSync, ftruncateSync, openSync, rmSync } from 'node:fs'
import { run } from '../run.ts'
import { ROOT_UUID } from './guest-files.ts'

const MIB = 1024 * 1024
const ROOT_BYTES = 2048 * MIB
const ESP_MIB = 64
const START_MIB = 1
const GPT = `label: gpt
label-id: 6b656570-7365-616c-0000-00000000000a
start=${START_MIB}MiB, size=${ESP_MIB}MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=6b656570-7365-616c-0000-00000000000b
`

/** The file system of the tree as a disk of its own, without a table of partitions. */
export function makeRootDisk(file: string, root: string): void {
  sparse(file, ROOT_BYTES)
  run('mkfs.ext4', ['-q', '-U', ROOT_UUID, '-E', 'lazy_itable_init=1,lazy_journal_init=1', '-d', root, file])
}

/** A disk with an EFI system partition, from which firmware starts `kernelImage` (UEFI 2.10, 3.5.1.1). */
export function makeEspDisk(file: string, kernelImage: string): void {
  const partition = `${file}.partition`
  sparse(partition, ESP_MIB * MIB)
  // Apart, and then put into its place: mkfs.vfat within the disk makes one that firmware does not read.
  run('mkfs.vfat', ['-s', '1', '-F', '32', '-i', '6b656570', partition])
  run('mmd', ['-i', partition, '::/EFI', '::/EFI/BOOT'])
  run('mcopy', ['-i', partition, kernelImage, '::/EFI/BOOT/BOOTX64.EFI'])
  sparse(file, (ESP_MIB + 2 * START_MIB) * MIB)
  run('sfdisk', ['-q', file], { input: GPT })
  run('dd', [`if=${partition}`, `of=${file}`, 'bs=1M', `seek=${START_MIB}`, 'conv=notrunc,sparse', 'status=none'])
  rmSync(partition)
}

function sparse(file: string, bytes: number): void {
  rmSync(file, { force: true })
  const descriptor = openSync(file, 'w')
  ftruncateSync(descriptor, bytes)
  closeSync(descriptor)
}

/** Whether the file system was cut off while it was in use, and has its journal still to play back. */
export const isCutOff = (disk: string): boolean =>
  /^Filesystem features:.*\bneeds_recovery\b/m.test(run('dumpe2fs', ['-h', disk]))

const PAGE = 4096
const BLOCK = 16

/** An rpm database in the format "ndb" as rpm writes it (lib/backend/ndb/rpmpkg.c), but for the checksums. */
export function ndbDatabase(
  headers: readonly Buffer[],
  slotPages = 1 + Math.floor((headers.length + 2) / 256),
): Buffer {
  const slots = Buffer.alloc(slotPages * PAGE)
  for (let at = 0; at < slots.length; at += BLOCK) slots.write('Slot', at)
  slots.fill(0, 0, 32)
  slots.write('RpmP')
  for (const [index, value] of [0, 7, slotPages, headers.length + 1].entries())
    slots.writeUInt32LE(value, 4 + index * 4)
  const blobs: Buffer[] = []
  let block = (slotPages * PAGE) / BLOCK
  for (const [index, header] of headers.entries()) {
    const count = Math.ceil((16 + header.length + 12) / BLOCK)
    const blob = Buffer.alloc(count * BLOCK)
    blob.write('BlbS')
    for (const [word, value] of [index + 1, 1_700_000_000, header.length].entries())
      blob.writeUInt32LE(value, 4 + word * 4)
    header.copy(blob, 16)
    blob.writeUInt32LE(header.length, blob.length - 8)
    blob.write('BlbE', blob.length - 4)
    blobs.push(blob)
    // The first two places are the header's; a free slot stands between two.
    const slot = 32 + index * BLOCK
    for (const [word, value] of [index + 1, block, count].entries()) slots.writeUInt32LE(value, slot + 4 + word * 4)
    block += count
  }
  return Buffer.concat([slots, ...blobs])
}

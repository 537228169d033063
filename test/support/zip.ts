import { crc32, deflateRawSync } from 'node:zlib'

export interface ZipPart {
  readonly name: string
  readonly content: Buffer
  /** What the directory says of it in place of the truth. */
  readonly says?: {
    readonly unpacked?: number
    readonly crc?: number
    readonly offset?: number
    readonly method?: number
  }
}

/** A zip archive, with or without lies. */
export function zipOf(parts: readonly ZipPart[]): Buffer {
  const locals: Buffer[] = []
  const headers: Buffer[] = []
  let at = 0
  for (const { name, content, says = {} } of parts) {
    const packed = deflateRawSync(content)
    const path = Buffer.from(name)
    const local = Buffer.alloc(30)
    local.writeUInt32LE(0x04034b50, 0)
    local.writeUInt16LE(8, 8)
    local.writeUInt16LE(path.length, 26)
    const header = Buffer.alloc(46)
    header.writeUInt32LE(0x02014b50, 0)
    header.writeUInt16LE(says.method ?? 8, 10)
    header.writeUInt32LE(says.crc ?? crc32(content), 16)
    header.writeUInt32LE(packed.length, 20)
    header.writeUInt32LE(says.unpacked ?? content.length, 24)
    header.writeUInt16LE(path.length, 28)
    header.writeUInt32LE(says.offset ?? at, 42)
    locals.push(local, path, packed)
    headers.push(header, path)
    at += local.length + path.length + packed.length
  }
  const directory = Buffer.concat(headers)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(parts.length, 8)
  end.writeUInt16LE(parts.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(at, 16)
  return Buffer.concat([...locals, directory, end])
}

/** `all.zip` as OSV serves it. */
export const zipOfRecords = (records: readonly { readonly id: string }[]): Buffer =>
  zipOf(records.map((record) => ({ name: `${record.id}.json`, content: Buffer.from(JSON.stringify(record)) })))

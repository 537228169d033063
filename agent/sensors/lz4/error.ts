/** The bytes are no LZ4 frame, or one that needs what we do not have. */
export class Lz4Error extends Error {
  constructor(detail: string) {
    super(detail)
    this.name = 'Lz4Error'
  }
}

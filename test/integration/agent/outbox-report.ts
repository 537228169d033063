export const reportOf = (sequence: number): Uint8Array => new Uint8Array(500 + (sequence % 50) * 100).fill(sequence)

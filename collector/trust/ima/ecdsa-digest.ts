/**
 * ECDSA over a digest that was computed before (FIPS 186-5, section 6.4.2): the list of the kernel has the digests of
 * files and never their contents, while node:crypto verifies contents alone. Only public values are worked on, so that
 * nothing here needs to take constant time.
 */

interface Curve {
  readonly p: bigint
  /** Order of the base point. */
  readonly n: bigint
  readonly g: Point
  /** Bits of `n`. */
  readonly bits: number
}

/** Affine; coordinates from 0 to p - 1. */
interface Point {
  readonly x: bigint
  readonly y: bigint
}

/** Jacobian coordinates: x = X / Z^2, y = Y / Z^3; Z = 0 is the point at infinity. */
type Jacobian = readonly [X: bigint, Y: bigint, Z: bigint]

/** NIST SP 800-186, section 3.2.1. Both have a = -3. */
const CURVES = {
  'P-256': {
    p: 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    g: {
      x: 0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
      y: 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
    },
    bits: 256,
  },
  'P-384': {
    p: 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffffn,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    g: {
      x: 0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7n,
      y: 0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5fn,
    },
    bits: 384,
  },
} as const satisfies Record<string, Curve>
export type EcdsaCurve = keyof typeof CURVES

export interface EcdsaSignature {
  readonly r: bigint
  readonly s: bigint
}

/** `key`: a point that is known to be on the curve, as every imported key is. */
export function verifyDigest(name: EcdsaCurve, key: Point, digest: Uint8Array, { r, s }: EcdsaSignature): boolean {
  const curve = CURVES[name]
  const { n } = curve
  if (r < 1n || r >= n || s < 1n || s >= n) return false
  const w = inverse(s, n)
  const point = sumOfMultiples(curve, (numberOf(digest, curve.bits) * w) % n, (r * w) % n, key)
  const [X, , Z] = point
  if (Z === 0n) return false
  const z = inverse(Z, curve.p)
  return mod(X * z * z, curve.p) % n === r
}

/** The leftmost bits of a digest, as many as the order of the curve has. */
function numberOf(digest: Uint8Array, bits: number): bigint {
  const value = bigint(digest)
  const excess = digest.length * 8 - bits
  return excess > 0 ? value >> BigInt(excess) : value
}

export const bigint = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`)

const mod = (value: bigint, p: bigint): bigint => {
  const rest = value % p
  return rest < 0n ? rest + p : rest
}

/** By the extended Euclidean algorithm; `modulus` is a prime, and `value` no multiple of it. */
function inverse(value: bigint, modulus: bigint): bigint {
  let rests: readonly [bigint, bigint] = [modulus, mod(value, modulus)]
  let factors: readonly [bigint, bigint] = [0n, 1n]
  while (rests[1] !== 0n) {
    const quotient = rests[0] / rests[1]
    rests = [rests[1], rests[0] - quotient * rests[1]]
    factors = [factors[1], factors[0] - quotient * factors[1]]
  }
  return mod(factors[0], modulus)
}

/** u g + v q, both at once from the highest bit down. */
function sumOfMultiples(curve: Curve, u: bigint, v: bigint, q: Point): Jacobian {
  const base: Jacobian = [curve.g.x, curve.g.y, 1n]
  const key: Jacobian = [q.x, q.y, 1n]
  const both = add(base, key, curve.p)
  let sum: Jacobian = [1n, 1n, 0n]
  for (let bit = BigInt(curve.bits - 1); bit >= 0n; bit--) {
    sum = double(sum, curve.p)
    const [inU, inV] = [(u >> bit) & 1n, (v >> bit) & 1n]
    if (inU === 1n) sum = add(sum, inV === 1n ? both : base, curve.p)
    else if (inV === 1n) sum = add(sum, key, curve.p)
  }
  return sum
}

/** Formulas dbl-2001-b and add-2007-bl of the Explicit-Formulas Database, for a = -3. */
function double([X, Y, Z]: Jacobian, p: bigint): Jacobian {
  if (Z === 0n) return [X, Y, Z]
  const delta = (Z * Z) % p
  const gamma = (Y * Y) % p
  const beta = (X * gamma) % p
  const alpha = mod(3n * (X - delta) * (X + delta), p)
  const x = mod(alpha * alpha - 8n * beta, p)
  const z = mod((Y + Z) * (Y + Z) - gamma - delta, p)
  return [x, mod(alpha * (4n * beta - x) - 8n * gamma * gamma, p), z]
}

function add(a: Jacobian, b: Jacobian, p: bigint): Jacobian {
  if (a[2] === 0n) return b
  if (b[2] === 0n) return a
  const [aZZ, bZZ] = [(a[2] * a[2]) % p, (b[2] * b[2]) % p]
  const [u1, u2] = [(a[0] * bZZ) % p, (b[0] * aZZ) % p]
  const [s1, s2] = [(((a[1] * b[2]) % p) * bZZ) % p, (((b[1] * a[2]) % p) * aZZ) % p]
  const h = mod(u2 - u1, p)
  const r = mod(s2 - s1, p)
  if (h === 0n) return r === 0n ? double(a, p) : [1n, 1n, 0n]
  const hh = (h * h) % p
  const hhh = (h * hh) % p
  const v = (u1 * hh) % p
  const x = mod(r * r - hhh - 2n * v, p)
  return [x, mod(r * (v - x) - s1 * hhh, p), (((a[2] * b[2]) % p) * h) % p]
}

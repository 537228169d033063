import * as v from 'valibot'
import type { GuardCode } from '../codes/guards.ts'
import { KeepsealError } from '../errors.ts'
import type { Person, PersonRole } from './person.ts'
import type { Register } from './register.ts'

/** A decision whose author has signed it, in the place in the log where it stands. */
export interface Decision<Detail> {
  readonly author: Person
  /** Its place in the log. */
  readonly index: number
  /** Seconds since 1970. */
  readonly at: number
  readonly subject: string
  readonly detail: Detail
}

/** Whether one guard of a decision holds. */
export interface GuardResult {
  readonly code: GuardCode
  readonly wants: string
  /** null where it holds. */
  readonly wrong: string | null
}

/** One kind of decision. Listed in ./kinds.ts. */
export interface DecisionKind<Detail> {
  readonly title: string
  /** Whose decision it is. */
  readonly roles: readonly PersonRole[]
  readonly schema: v.GenericSchema<unknown, Detail>
  /**
   * Draws the conclusions. Throws KeepsealError with a guard's code, and then has changed nothing: all guards come
   * before the first change.
   */
  apply(register: Register, decision: Decision<Detail>): void
  /** Each guard with its outcome, for who wants to see them before he signs. Changes nothing. */
  check?(register: Register, decision: Decision<Detail>): readonly GuardResult[]
}

export const defineKind = <Detail>(kind: DecisionKind<Detail>): DecisionKind<Detail> => kind

export function refuse(code: GuardCode, detail: string): never {
  throw new KeepsealError(code, detail)
}

export const shortText = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(256))
export const longText = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(8192))
export const seconds = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
export const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a SHA-256 digest in hexadecimal is wanted'))

export const DAY = 86_400

import type { GuardCode } from '../codes/guards.ts'
import { refuse, type Decision, type DecisionKind, type GuardResult } from './kind.ts'
import type { Register } from './register.ts'

/** One thing that has to hold before a decision counts. */
export interface Guard<Subject, Detail> {
  readonly code: GuardCode
  /** What holds, in words: a dry run shows each with its outcome. */
  readonly wants: string
  /** What is wrong, or undefined where it holds. */
  readonly breach: (subject: Subject, decision: Decision<Detail>, register: Register) => string | undefined
}

interface GuardedKind<Subject, Detail> extends Pick<DecisionKind<Detail>, 'title' | 'roles' | 'schema'> {
  /** What the decision is about; refuses where the log does not know it. */
  readonly subject: (register: Register, decision: Decision<Detail>) => Subject
  /** In the order in which they are reported. */
  readonly guards: readonly Guard<Subject, Detail>[]
  readonly conclude: (register: Register, subject: Subject, decision: Decision<Detail>) => void
}

/** A kind of decision whose guards have names, so that each can be shown before anybody signs. */
export function defineGuarded<Subject, Detail>(kind: GuardedKind<Subject, Detail>): DecisionKind<Detail> {
  const { title, roles, schema, guards, conclude } = kind
  return {
    title,
    roles,
    schema,
    check: (register, decision) => {
      const subject = kind.subject(register, decision)
      return guards.map(({ code, wants, breach }): GuardResult => {
        const wrong = breach(subject, decision, register)
        return { code, wants, wrong: wrong ?? null }
      })
    },
    apply: (register, decision) => {
      const subject = kind.subject(register, decision)
      for (const { code, breach } of guards) {
        const wrong = breach(subject, decision, register)
        if (wrong !== undefined) refuse(code, wrong)
      }
      conclude(register, subject, decision)
    },
  }
}

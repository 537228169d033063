import { join } from 'node:path'

/** The layout of the state directory. Everything in it is the agent's alone: directories 0700, files 0600. */
export interface StatePaths {
  readonly directory: string
  /** A symbolic link to the directory with the identity in force. */
  readonly identity: string
  /** Keys of an enrolment that has begun. */
  readonly pendingEnrolment: string
  /** The TLS key of a renewal that has begun. */
  readonly pendingRenewal: string
  readonly progress: string
  readonly outbox: string
  readonly contents: string
}

export function statePaths(directory: string): StatePaths {
  return {
    directory,
    identity: join(directory, 'identity'),
    pendingEnrolment: join(directory, 'pending-enrolment.json'),
    pendingRenewal: join(directory, 'pending-renewal.pem'),
    progress: join(directory, 'progress.json'),
    outbox: join(directory, 'outbox'),
    contents: join(directory, 'contents'),
  }
}

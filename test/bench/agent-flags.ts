/**
 * How the service starts Node. --jitless: no memory that is both writable and executable. The small young generation
 * bounds what garbage an agent holds between two reports, when nothing makes V8 collect it. V8's memory reducer would, every
 * hundred seconds, at a cost that the unit tells.
 */
export const AGENT_FLAGS = ['--jitless', '--max-semi-space-size=1', '--max-old-space-size=96', '--no-memory-reducer']

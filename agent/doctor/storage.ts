import { access, constants, statfs } from 'node:fs/promises'
import { good, type Check } from './check.ts'

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export const disk: Check = {
  id: 'disk',
  title: 'Room for the outbox',
  async run({ config }) {
    const { directory, outboxMaxBytes } = config.state
    try {
      const { bavail, bsize } = await statfs(directory)
      const free = bavail * bsize
      const detail = `${Math.floor(free / 1_048_576)} MiB free in ${directory}`
      if (free >= outboxMaxBytes) return good(detail)
      return { status: 'warning', detail, remedy: 'Free some space, or lower state.outbox_max_bytes.' }
    } catch (error) {
      return { status: 'unknown', detail: messageOf(error) }
    }
  },
}

export const stateDirectory: Check = {
  id: 'state',
  title: 'State directory',
  async run({ config }) {
    const { directory } = config.state
    try {
      // Also root is told that a file system is mounted read-only.
      await access(directory, constants.R_OK | constants.W_OK | constants.X_OK)
      return good(directory)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code === 'ENOENT') return { status: 'unknown', detail: `${directory} is made at the enrolment` }
      const remedy =
        code === 'EROFS'
          ? 'Put it on a file system that can be written to: state.directory. Reports are lost at each restart otherwise.'
          : 'Run it as root, or as the user of the service: the directory belongs to keepseal-agent.'
      return { status: code === 'EROFS' ? 'failed' : 'unknown', detail: messageOf(error), remedy }
    }
  },
}

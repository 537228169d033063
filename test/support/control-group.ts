import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A control group of version 2, for processes that shall end together. */
export interface ControlGroup {
  /** The file that a process writes its number to, to be in it. */
  readonly processes: string
  /** Ends all that is in it, and removes it. */
  end(): void
}

/** Undefined where this machine has none of that version, or does not let us. */
export function controlGroup(name: string): ControlGroup | undefined {
  const hierarchies = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup2' || type === 'cgroup')
  const [, top] = hierarchies.find(([, , type]) => type === 'cgroup2') ?? []
  if (top === undefined) return undefined
  const directory = join(top, name)
  try {
    mkdirSync(directory, { recursive: true })
  } catch {
    return undefined
  }
  return {
    processes: join(directory, 'cgroup.procs'),
    end() {
      if (!existsSync(directory)) return
      writeFileSync(join(directory, 'cgroup.kill'), '1')
      removeTree(directory)
      // Where there are those of version 1 as well, systemd-nspawn makes one of the same name for itself.
      for (const [, elsewhere = ''] of hierarchies) {
        if (existsSync(join(elsewhere, name))) removeTree(join(elsewhere, name))
      }
    },
  }
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name))
  }
  // What was killed is still leaving for a moment.
  for (let attempt = 0; ; attempt += 1) {
    try {
      rmdirSync(directory)
      return
    } catch (error) {
      if (attempt === 50) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)
    }
  }
}

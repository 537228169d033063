import type { GuestShell } from './machine/guest-shell.ts'

/** What a run has taken, printed at its end. */
export class Ledger {
  readonly #began = Date.now()
  readonly #notes: (readonly [string, string])[] = []

  say(line: string): void {
    process.stdout.write(`  ${line}\n`)
  }

  note(what: string, value: string): void {
    this.#notes.push([what, value])
    this.say(`${what}: ${value}`)
  }

  async time<T>(what: string, action: () => Promise<T>): Promise<T> {
    const started = Date.now()
    const result = await action()
    this.note(what, `${Date.now() - started} ms`)
    return result
  }

  /** Of a unit's main process, from the kernel (proc(5), smaps_rollup). */
  async memory(what: string, shell: GuestShell, unit: string): Promise<void> {
    const rollup = await shell.run(`cat /proc/$(systemctl show -p MainPID --value ${unit})/smaps_rollup`)
    const mib = (name: string): string =>
      (Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(rollup)?.[1]) / 1024).toFixed(1)
    this.note(what, `${mib('Rss')} MiB resident, ${mib('Pss')} MiB of it its own share (PSS)`)
  }

  print(): void {
    this.note('the whole run', `${Math.round((Date.now() - this.#began) / 1000)} s`)
    const width = Math.max(...this.#notes.map(([what]) => what.length))
    this.say('')
    for (const [what, value] of this.#notes) this.say(`${what.padEnd(width)}  ${value}`)
  }
}

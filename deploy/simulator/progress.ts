import { NO_PROGRESS, type Progress, type ProgressFile } from '../../agent/state/progress.ts'

/** What a gateway remembers over a restart. */
export type ProgressStore = Pick<ProgressFile, 'current' | 'update'>

/** For gateways that live as long as the simulation. */
export class MemoryProgress implements ProgressStore {
  current: Progress

  constructor(current: Progress = NO_PROGRESS) {
    this.current = current
  }

  update(changes: Partial<Progress>): Promise<void> {
    this.current = { ...this.current, ...changes }
    return Promise.resolve()
  }
}

import type { Logger } from 'pino'
import { PeriodicWork } from '../periodic-work.ts'
import type { ServerCertificate } from './server-certificate.ts'

export interface CertificateWatchOptions {
  /** The one that is served. */
  readonly current: ServerCertificate
  /** The one that is to be served now, made where it is time for that. */
  readonly ensure: () => Promise<ServerCertificate>
  /** Takes another one into use: connections that there are go on. */
  readonly use: (certificate: ServerCertificate) => void
  readonly logger: Logger
}

const EVERY_MS = 12 * 3_600_000

/** A collector that is not restarted for a year must not end up with a certificate that has expired. */
export class CertificateWatch extends PeriodicWork {
  readonly #options: CertificateWatchOptions
  #current: ServerCertificate

  constructor(options: CertificateWatchOptions) {
    const failure = 'the certificate of this collector could not be renewed'
    super({ everyMs: EVERY_MS, firstMs: EVERY_MS, logger: options.logger, failure })
    this.#options = options
    this.#current = options.current
  }

  async look(): Promise<void> {
    const { ensure, use, logger } = this.#options
    const next = await ensure()
    if (next.certificate === this.#current.certificate) return
    use(next)
    this.#current = next
    logger.info({ notAfter: new Date(next.notAfter).toISOString() }, 'another certificate of this collector is in use')
  }
}

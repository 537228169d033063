import type { OperationsContent } from '../../shared/posture/sections/operations.ts'
import type { Host } from './host.ts'
import { AUDIT_READS, readAudit } from './operations/audit.ts'
import { CLOCK_READS, clockState } from './operations/clock.ts'
import { Configuration } from './operations/configuration.ts'
import { LOGGING_READS, readLogging } from './operations/logging.ts'
import { readTimeSync, TIME_SYNC_READS } from './operations/time-sync.ts'
import type { Reading, Sensor } from './sensor.ts'

/** Nothing that runs, and nothing that could be configured: no system, and not one on which all of it is off. */
function isEmpty({ time, logging, audit, unread }: OperationsContent): boolean {
  const services = [...time.services, ...logging.services, ...audit.services]
  const observations = [logging.journal, audit.commandLine, audit.rules, audit.loginIds]
  const isAbsent = (one: object): boolean => 'missing' in one && one.missing === 'absent'
  return services.length === 0 && unread.length === 0 && observations.every(isAbsent)
}

function measure(host: Host): Reading<'operations'> {
  const files = new Configuration(host)
  const [time, logging, audit] = [readTimeSync(files), readLogging(files), readAudit(host)]
  const content: OperationsContent = { time, logging, audit, unread: files.unread, truncated: files.truncated }
  if (isEmpty(content)) return { status: 'not-supported', reason: 'no-platform-facts' }
  return { status: 'measured', content, state: clockState(host) }
}

export const operationsSensor: Sensor<'operations'> = {
  id: 'operations',
  title: 'time synchronisation, log forwarding and audit',
  section: 'operations',
  reads: [
    TIME_SYNC_READS,
    LOGGING_READS,
    AUDIT_READS,
    CLOCK_READS,
    'units of systemd, runlevels of OpenRC, /etc/init.d and its start links',
  ].join(', '),
  needs: 'root for the rules of audit, and for configuration that holds secrets; the rest is readable for all',
  blindSpots:
    'whether the servers answer and tell the right time; servers that DHCP names, or that are built in; stratum and ' +
    'estimated error of the clock, which only the service itself knows; a hardware clock in local time looks hours ' +
    'off; templates, filters and conditions of rsyslog; which log statement of syslog-ng uses a destination; ' +
    'forwarding by other programs, as by containers; rules that were given to the kernel by hand',
  budget: { cpuMs: 20 },
  remedy: 'Make the configuration of time and logs readable for all; let keepseal-measure read the rules of audit.',
  privileged: true,
  measure,
}

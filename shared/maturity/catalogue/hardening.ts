import type { PracticeId } from '../practices.ts'
import type { PracticeText } from './schema.ts'

type Text = Omit<PracticeText, 'mappings'>

/** What keeps the product secure in use: the practices of the domain Hardening, in our words. */
export const hardeningTexts = {
  'vulnerability-assessment': {
    aliases: ['Vulnerability Management'],
    objective: 'Weaknesses are found, rated by the risk that they are here, and put into an order.',
    levels: {
      1: 'Known weaknesses of obvious components are reacted to when somebody brings them up.',
      2: 'Components are listed, and looked at for weaknesses before a release and after an incident. Critical ones are removed.',
      3: 'All components, those of others included, are compared with advisories by a tool and a rule. Findings are rated, ranked and planned, and outsiders have a way to report.',
      4: 'The search never stops: matching, targeted tests and analysis of causes go together, the rating follows the threat model, and closing times are agreed and kept.',
    },
  },
  'patch-management': {
    aliases: ['Update Management'],
    objective: 'Fixes reach the devices in time, and where they cannot, something else protects them.',
    levels: {
      1: 'The device can be updated, and is when something serious happens.',
      2: 'Fixes for known incidents are made, tested a little and announced.',
      3: 'Policy says how often fixes come and what happens in an emergency. Updates are signed and tested, it is known which device runs what, and those that cannot be patched are protected otherwise.',
      4: 'Roll-out goes in stages, can be taken back, and is measured on the whole fleet against a time limit for each severity. Exceptions are decided, and end.',
    },
  },
  'monitoring-practice': {
    aliases: ['Monitoring'],
    objective: 'The state of the devices is seen, so that what is unusual is noticed and disputes can be settled.',
    levels: {
      1: 'Devices keep simple logs.',
      2: 'Logs of the main components are collected, and read now and then.',
      3: 'Records are kept in one protected place, with one time, for a set period. What is normal is known, and departures raise an alarm.',
      4: 'State and integrity of the whole fleet are watched without gaps, every gap is explained, alarms are tuned, and how much is seen is itself measured.',
    },
  },
  'situation-awareness-and-information-sharing': {
    aliases: ['Situational Awareness'],
    objective: 'News of threats comes in, reaches those who have to act, and goes out to those who depend on it.',
    levels: {
      1: 'Somebody reads the news of the field.',
      2: 'Advisories of the main suppliers are subscribed to.',
      3: 'Feeds that machines read are taken in daily and matched with the components of the product. Who gets what, and what may be passed on, is settled.',
      4: 'Information flows both ways: own advisories appear with the fix, partners get what concerns them, and the time from news to decision is measured.',
    },
  },
  'event-detection-and-response-plan': {
    aliases: ['Incident Response'],
    objective: 'It is clear what a security event is, how it is noticed, and who does what then.',
    levels: {
      1: 'When something happens somebody takes care of it.',
      2: 'For known kinds of event it is agreed, without much writing, who is called.',
      3: 'A plan has classes of events, roles, escalation, words for customers and authorities with their deadlines, and was practised.',
      4: 'Detection starts the plan by itself, times to notice and to contain are measured, exercises come at set intervals, and each event leaves the plan better.',
    },
  },
  'remediation-recovery-and-continuity-of-operations': {
    aliases: ['Recovery', 'Business Continuity'],
    objective: 'After a failure the product is back soon, and what matters most goes on meanwhile.',
    levels: {
      1: 'A device can be reset by hand.',
      2: 'For the main functions there is a way back: a backup, or a second system on the device.',
      3: 'It is agreed how long a function may be away and how much may be lost. Restoring was tested, people know how, and a failed update falls back.',
      4: 'Devices recover by themselves, proven in the field. Tests come at set intervals and what they show is acted on; single failures do not stop what matters.',
    },
  },
} as const satisfies Partial<Record<PracticeId, Text>>

import type { PracticeId } from '../practices.ts'
import type { PracticeText } from './schema.ts'

type Text = Omit<PracticeText, 'mappings'>

/** How security is steered: the practices of the domain Governance, in our words. */
export const governanceTexts = {
  'security-program-management': {
    aliases: ['Security Programme'],
    objective: 'Security work is planned, has people and money, and somebody answers for it.',
    levels: {
      1: 'Somebody is named who looks after the security of the product, beside other duties.',
      2: 'Known duties have an owner and a date: who handles reports, who releases fixes, who is told. It is looked at when something goes wrong.',
      3: 'A written programme sets goals, roles, budget and training for the whole life of the product. Progress is reported to those who decide, in figures.',
      4: 'The programme is steered by what it measures: duties are done on time, reviews change it, and its worth for the business is shown again each year.',
    },
  },
  'compliance-management': {
    aliases: [],
    objective: 'Laws, contracts and standards that ask something of the product are known, and met on time.',
    levels: {
      1: 'What customers and authorities explicitly demand is answered case by case.',
      2: 'The main regulations of the markets where the product is sold are listed, and somebody checks new versions against them.',
      3: 'A matrix ties each requirement to what meets it and to its proof. Changes of law and standards are followed, and deadlines for reports are kept in a calendar.',
      4: 'Gaps are found before others find them: the matrix is tested against fresh evidence, missed deadlines are analysed, and coming rules shape the product early.',
    },
  },
  'threat-modeling': {
    aliases: ['Threat Modelling'],
    objective: 'What can go wrong is known: for products of this kind, and for this product in its place.',
    levels: {
      1: 'The most common attacks on such products have been thought of, without a record.',
      2: 'A list of threats exists for the main functions, taken from known incidents of similar products.',
      3: 'A method is used for the whole system: assets, entry points, boundaries of trust and attackers are written down, and each threat has a measure or an accepted risk.',
      4: 'The model lives: each new interface, incident or research result updates it, tests are derived from it, and what is observed in the field is compared with it.',
    },
  },
  'risk-attitude': {
    aliases: ['Risk Management'],
    objective: 'It is settled which risks are accepted, avoided, reduced or passed on, and who may say so.',
    levels: {
      1: 'Risks are accepted by whoever happens to meet them.',
      2: 'Serious risks are brought before a responsible person, who decides and whose decision is kept.',
      3: 'A policy fixes how risks are rated and who accepts which size of risk. Each acceptance has an owner, a reason and an end.',
      4: 'Accepted risks are watched and come up again before they run out. Whether the ratings were right is checked against what has happened.',
    },
  },
  'supply-chain-risk-management': {
    aliases: ['Product Supply Chain Risk Management'],
    objective: 'Parts and software from others can be trusted, and stay what was ordered.',
    levels: {
      1: 'The important suppliers are known by name.',
      2: 'Components in the product are listed with version and origin. Critical suppliers were asked about their security.',
      3: 'Suppliers are chosen and reviewed by criteria that are in the contract: handling of vulnerabilities, length of support, integrity of delivery. Components without support are replaced or isolated by plan.',
      4: 'Origin and integrity of components are verified at each build, suppliers are measured by how they act, and a failing supplier can be replaced.',
    },
  },
  'third-party-dependencies-management': {
    aliases: ['Services Third-Party Dependencies Management', 'External Dependencies Management'],
    objective: 'Services of others that the product cannot do without do not become its weak point.',
    levels: {
      1: 'It is known which outside services the product talks to.',
      2: 'For the main services there is an agreement and somebody to call. What the product does without them was considered.',
      3: 'Agreements fix security, availability and notice of incidents. Access of partners is limited to their task and reviewed; failure of a service was tested.',
      4: 'Services are watched from outside and by proofs that their providers renew, and leaving a provider has been prepared and tried.',
    },
  },
} as const satisfies Partial<Record<PracticeId, Text>>

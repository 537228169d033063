import * as fc from 'fast-check'

/**
 * Properties try the same values each time, so that a test run says something about the change and not about luck. Others are
 * tried on purpose: `KEEPSEAL_SEED=random npm test`, or with the seed that a failure has printed.
 */
const { KEEPSEAL_SEED: chosen = '20261126' } = process.env
if (chosen !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(chosen) })

export { softwareEndorsementKey, type SoftwareEndorsementKey } from '../../deploy/simulator/keys/endorsement-key.ts'

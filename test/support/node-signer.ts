export { ed25519Signer } from '../../deploy/simulator/keys/ed25519.ts'

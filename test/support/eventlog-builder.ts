// The simulated gateways of deploy/simulator boot with the same events.
export * from '../../deploy/simulator/boot/event-log.ts'
export * from '../../deploy/simulator/boot/firmware-events.ts'

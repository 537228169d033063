// Not the package's main file, which would bring its WebSocket and SOCKS transports along.
import commonJs from 'mqtt/lib/client'
import { writeToStream } from 'mqtt-packet'

type MqttClientClass = (typeof commonJs)['default']

// A CommonJS module that has a default export of its own: Node hands out the module, others what it exports.
const exported: unknown = commonJs

export const MqttClient = typeof exported === 'function' ? (exported as MqttClientClass) : commonJs.default
export type MqttClient = InstanceType<MqttClientClass>

/** Or a buffer of two bytes is kept for each of 65,536 numbers: 8 MB, for a few messages an hour. */
writeToStream.cacheNumbers = false

export { writeToStream }

export { amqplib } from './amqplib.js';
export { AMQPLIB_DEFAULTS, type AmqplibOptions } from './options.js';

// The alerts of the live test of the console: the built-in rules, with limits of seconds.
import { builtInAlerts } from 'rxflume/alerts';

export const rules = builtInAlerts({ maxAgeMs: 10_000, maxNoProgressMs: 5_000 });
export const receivers = [];
export const options = { intervalMs: 1_000 };

/**
 * 1,024 bytes.
 *
 * ```ts
 * import { KiB } from 'rxflume';
 *
 * 64 * KiB; // → 65_536
 * ```
 */
export const KiB = 1024;
/**
 * 1,024 KiB in bytes.
 *
 * ```ts
 * import { MiB } from 'rxflume';
 *
 * export const roll = { bytes: 128 * MiB };
 * MiB; // → 1_048_576
 * ```
 */
export const MiB = 1024 * KiB;
/**
 * 1,024 MiB in bytes.
 *
 * ```ts
 * import { GiB } from 'rxflume';
 *
 * GiB; // → 1_073_741_824
 * ```
 */
export const GiB = 1024 * MiB;

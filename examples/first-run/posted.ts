import type { ChatMessage } from './generator.js';

/**
 * The values a posted body holds: one JSON object, of any layout; or JSON lines, each as it is, also a broken one, so
 * that it shows among the dead letters; or plain text, as one message of a customer. None where it is blank.
 */
export function postedValues(body: string, message: (text: string) => ChatMessage): string[] {
  const lines = body.split(/\r?\n/).filter((line) => line.trim() !== '');
  if (lines.length === 0) return [];
  const whole = parseObject(body);
  if (whole !== null) return [JSON.stringify('text' in whole ? { ...message(''), ...whole } : whole)];
  if (lines.every((line) => line.trimStart().startsWith('{'))) return lines;
  return [JSON.stringify(message(body.trim()))];
}

function parseObject(text: string): object | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

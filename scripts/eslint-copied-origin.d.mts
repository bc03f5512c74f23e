import type { Rule } from 'eslint';

export const copiedOrigin: Rule.RuleModule;

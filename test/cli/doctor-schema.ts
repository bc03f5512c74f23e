const text = { type: 'string' } as const;

/** What `rxflume doctor --json` prints, as programs rely on it. */
export const REPORT_SCHEMA = {
  type: 'object',
  required: ['file', 'flow', 'level', 'exitCode', 'groups'],
  additionalProperties: false,
  properties: {
    file: text,
    flow: { type: 'string', nullable: true },
    level: { enum: ['ok', 'warning', 'problem', 'environment'] },
    exitCode: { enum: [0, 1, 3] },
    groups: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'findings'],
        additionalProperties: false,
        properties: {
          name: text,
          findings: {
            type: 'array',
            items: {
              type: 'object',
              required: ['check', 'level', 'text'],
              additionalProperties: false,
              properties: {
                check: text,
                level: { enum: ['ok', 'warning', 'problem', 'environment'] },
                text,
                fix: text,
                path: text,
              },
              if: { properties: { level: { const: 'ok' } } },
              else: { required: ['fix'], properties: { fix: text } },
            },
          },
        },
      },
    },
  },
} as const;

import type { Condition, Status } from './plan.ts';

/** Why a condition does not hold. */
export interface Trouble {
  readonly reason: string;
  readonly message: string;
  /** Unknown: it is being found out. Default: False. */
  readonly status?: 'False' | 'Unknown';
}

/**
 * The conditions of a resource: `Ready` first, then each dependent. `Ready` is True when all are, False when any is,
 * otherwise Unknown, with the reason of the first that is not True (Knative's living conditions).
 */
export function conditionsOf(
  types: readonly string[],
  troubles: Readonly<Record<string, Trouble | undefined>>,
): Condition[] {
  const dependents = types.map((type): Condition => {
    const trouble = troubles[type];
    if (trouble === undefined) return { type, status: 'True' };
    return { type, status: trouble.status ?? 'False', reason: trouble.reason, message: trouble.message };
  });
  const worst = dependents.find((it) => it.status === 'False') ?? dependents.find((it) => it.status === 'Unknown');
  return [{ ...(worst ?? { status: 'True' as const }), type: 'Ready' }, ...dependents];
}

/** The same status with one dependent replaced, and `Ready` with it. */
export function withCondition(status: Status, type: string, trouble: Trouble | undefined): Status {
  const dependents = status.conditions.filter((it) => it.type !== 'Ready');
  const troubles: Record<string, Trouble | undefined> = {};
  for (const { type: name, status: held, reason = '', message = '' } of dependents) {
    if (held !== 'True') troubles[name] = { status: held, reason, message };
  }
  troubles[type] = trouble;
  return {
    ...status,
    conditions: conditionsOf(
      dependents.map((it) => it.type),
      troubles,
    ),
  };
}

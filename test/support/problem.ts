import assert from 'node:assert/strict';

/** What a refusal says of itself (RFC 9457). */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly attribute?: string;
  readonly expected?: string;
  readonly got?: string;
}

/** Asserts that it is a refusal with this status that says why, and gives what it says. */
export function refusal(
  response: { readonly status: number; readonly headers: Headers | Readonly<Record<string, string>> },
  body: string,
  status: number,
): ProblemBody {
  assert.equal(response.status, status, body);
  const { headers } = response;
  const contentType = headers instanceof Headers ? headers.get('content-type') : headers['content-type'];
  assert.match(contentType ?? 'no content type', /^application\/problem\+json/, body);
  const problem = JSON.parse(body) as ProblemBody;
  assert.equal(problem.status, status);
  assert.notEqual(problem.detail, '');
  return problem;
}

/** {@link refusal} for an answer of `fetch`. */
export async function refused(answer: Response | Promise<Response>, status: number): Promise<ProblemBody> {
  const response = await answer;
  return refusal(response, await response.text(), status);
}

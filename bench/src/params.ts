/** What the tasks are given. */
export interface OneStepParams {
  readonly number: number;
  readonly text: string;
}

/** Parameters of 100 bytes as JSON. */
export function oneStepParams(number: number): OneStepParams {
  const shell = JSON.stringify({ number, text: '' }).length;
  return { number, text: 'x'.repeat(100 - shell) };
}

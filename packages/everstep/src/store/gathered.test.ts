import { expect, it } from 'vitest';
import { gathered } from './gathered.ts';

interface Asked {
  readonly questions: readonly number[];
  answer(): void;
  fail(error: Error): void;
}

function doubling(atOnceMax = 10) {
  const asked: Asked[] = [];
  const ask = gathered<number, number>(
    (questions) =>
      new Promise((resolve, reject) => {
        const answer = (): void => resolve(questions.map((question) => 2 * question));
        asked.push({ questions, answer, fail: reject });
      }),
    atOnceMax,
  );
  return { ask, asked };
}

it('asks at once for who comes alone, and together for those who come meanwhile', async () => {
  const { ask, asked } = doubling(2);
  const answers = [1, 2, 3, 4].map(ask);
  expect(asked.map(({ questions }) => questions)).toEqual([[1]]);
  asked[0]?.answer();
  expect(await answers[0]).toBe(2);
  asked[1]?.answer();
  expect(await Promise.all([answers[1], answers[2]])).toEqual([4, 6]);
  asked[2]?.answer();
  expect(await answers[3]).toBe(8);
  expect(asked.map(({ questions }) => questions)).toEqual([[1], [2, 3], [4]]);
});

it('fails those who were asked for together, and goes on', async () => {
  const { ask, asked } = doubling();
  const [first, second, third] = [ask(1), ask(2), ask(3)];
  asked[0]?.fail(new TypeError('gone'));
  await expect(first).rejects.toThrow('gone');
  asked[1]?.answer();
  expect(await Promise.all([second, third])).toEqual([4, 6]);
  const fourth = ask(4);
  asked[2]?.answer();
  expect(await fourth).toBe(8);
});

import { expect, it } from 'vitest';
import { type Output, type TaskView, bar, createDisplay } from '../src/display.ts';

function paper(terminal: Partial<Output> = {}): Output & { text(): string } {
  let text = '';
  return {
    ...terminal,
    write: (more) => {
      text += more;
    },
    text: () => text,
  };
}

function task(id: string, done: number, status = 'processing', step = 'enhance'): TaskView {
  return { id, title: `${id}.jpg`, status, step, done, steps: 7 };
}

it('writes plain lines without a terminal: what is over, and how far the whole has come', () => {
  const out = paper();
  const display = createDisplay(out, {});
  display.say('Submitted 2 pictures');
  display.update([task('a', 0, 'pending'), task('b', 0, 'pending')]);
  display.update([task('a', 3), task('b', 0, 'pending')]);
  display.update([task('a', 3), task('b', 0, 'pending')]);
  display.update([task('a', 7, 'completed'), task('b', 2, 'processing', 'download')]);
  display.update([task('a', 7, 'completed'), task('b', 7, 'completed')]);
  display.end();
  expect(out.text()).toBe(
    [
      'Submitted 2 pictures',
      '3/14 steps; now enhance ×1, waiting ×1',
      'completed: task 1, a.jpg (1/2)',
      '9/14 steps; now download ×1',
      'completed: task 2, b.jpg (2/2)',
      '14/14 steps',
      '',
    ].join('\n'),
  );
});

it('draws a bar for each task at work on a terminal, and draws it again in place', () => {
  const out = paper({ isTTY: true, columns: 80, rows: 24 });
  const display = createDisplay(out, {});
  display.update([task('a', 3), task('b', 0, 'pending'), task('c', 7, 'completed')]);
  expect(out.text()).toMatch(/1\/3 tasks, 10\/21 steps/);
  expect(out.text()).toMatch(/a\.jpg .*██████░░░░░░░░.* 3\/7 enhance/);
  expect(out.text()).toMatch(/… and 1 more waiting/);
  expect(out.text()).not.toMatch(/c\.jpg/);
  display.update([task('a', 4)]);
  expect(out.text()).toContain('\u001B[3A\u001B[J');
});

it('numbers the tasks, so that those of one picture can be told apart', () => {
  const twins = ['a', 'b'].map((id) => ({ ...task(id, 3), title: 'sunset.jpg' }));
  const screen = paper({ isTTY: true });
  createDisplay(screen, { NO_COLOR: '1' }).update(twins);
  expect(screen.text()).toMatch(/ 1 sunset\.jpg .*\n.* 2 sunset\.jpg /);
  const plain = paper();
  createDisplay(plain, {}).update(twins.map((twin) => ({ ...twin, status: 'failed' })));
  expect(plain.text()).toMatch(/failed: task 1, sunset\.jpg.*\n.*failed: task 2, sunset\.jpg/);
});

it('keeps to the height of the terminal', () => {
  const out = paper({ isTTY: true, columns: 80, rows: 10 });
  const tasks = Array.from({ length: 30 }, (_, index) => task(`t${index}`, 1));
  createDisplay(out, {}).update(tasks);
  expect(out.text().split('\n').length).toBeLessThan(10);
  expect(out.text()).toMatch(/… and 24 more/);
});

const escape = '\u001B[';
/** Of the codes, those that colour. */
const colours = (text: string): string[] =>
  text
    .split(escape)
    .slice(1)
    .filter((code) => /^\d+m/.test(code));

it('uses no colour where NO_COLOR is set, and no codes at all without a terminal', () => {
  const coloured = paper({ isTTY: true });
  createDisplay(coloured, {}).update([task('a', 1)]);
  expect(colours(coloured.text())).not.toEqual([]);
  const grey = paper({ isTTY: true });
  createDisplay(grey, { NO_COLOR: '1' }).update([task('a', 1)]);
  expect(colours(grey.text())).toEqual([]);
  const plain = paper();
  createDisplay(plain, {}).update([task('a', 1)]);
  expect(plain.text()).not.toContain(escape);
});

it('fills a bar by its share', () => {
  expect(bar(0, 4, 8)).toBe('░░░░░░░░');
  expect(bar(2, 4, 8)).toBe('████░░░░');
  expect(bar(9, 4, 8)).toBe('████████');
  expect(bar(0, 0, 2)).toBe('░░');
});

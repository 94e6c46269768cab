/** `everstep/testing`: a list of exports and nothing else. docs/guide/testing.md shows how they are used. */
export { TestEnvironment, type History, type TestEnvironmentOptions } from './test-environment.ts';
export type { ActivityMock, MockedActivity, StepMock } from './mocks.ts';
export { replay, type ReplayDifference, type ReplayOptions, type ReplayReport } from './replay.ts';
export { historyToJson } from './history-json.ts';

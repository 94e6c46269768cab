/** The worker process: it runs the steps. It knows nothing of interaqt's database, and may die at any moment. */
import { AsyncTaskComponent } from 'everstep';
import createImageGeneration from '../index.ts';
import { announce } from './child.ts';
import { readSettings } from './settings.ts';

const settings = readSettings();
const component = new AsyncTaskComponent(settings.engine);
component.registerAll(createImageGeneration(settings).createAsyncTasks());
await component.start();
announce('', () => component.stop());

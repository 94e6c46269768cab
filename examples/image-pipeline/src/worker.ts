/** The worker process: it runs the steps, a few at a time. It may die at any moment. */
import { AsyncTaskComponent } from 'everstep';
import sharp from 'sharp';
import { announce } from './child.ts';
import { places } from './settings.ts';
import { probeImage, processImage } from './tasks.ts';

sharp.concurrency(1);

const component = new AsyncTaskComponent({ store: places().store, concurrency: 8 });
component.registerAll([processImage, probeImage]);
await component.start();
announce('', () => component.stop());

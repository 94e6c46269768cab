/** The provider by itself, on port 3100, for who tries web and worker process by hand. */
import { announce } from './child.ts';
import { startProvider } from './provider.ts';

const provider = await startProvider({
  port: 3100,
  refuseEvery: 3,
  jobMs: 5000,
  retryAfterSeconds: 1,
});
announce(provider.url, () => provider.close());

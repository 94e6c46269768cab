/** The Temporal server release whose behaviour execution-core follows; clients compare it. */
export const serverVersion = '1.29.0';
/** For tools that ask which cluster they talk to: an engine is one of its own. */
export const clusterName = 'everstep';

/** The Temporal server release whose behaviour execution-core follows; clients compare it. */
export const serverVersion = '1.29.0';

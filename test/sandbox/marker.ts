/** The environment variable by which a process is known to belong to a sandbox; its value is the sandbox's id. */
export const markerVariable = 'SWITCHMASTER_SANDBOX';

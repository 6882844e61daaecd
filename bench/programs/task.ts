/** What the measured process of a run is given, as JSON on its command line. */
export interface Task {
  tenantId: string;
  clientId: string;
  authorityHost: string;
  graphEndpoint: string;
  /** PEM bundle. */
  certificate: string;
  /** For the archive and the mails. */
  folder: string;
  /** The number of days that the run has to ask for. */
  days: number;
}

export function readTask(): Task {
  return JSON.parse(process.argv[2]!) as Task;
}

import { CloudFormationClient, DescribeStacksCommand, type Stack } from '@aws-sdk/client-cloudformation';
import { MonitorError, quote } from '../../lambda/errors.ts';
import {
  DEFAULT_CERTIFICATE_SECRET,
  HISTORY_OUTPUTS,
  historyStackOf,
  OUTPUTS,
} from '../../lambda/outputs.ts';
import { asked, PATIENCE } from './aws.ts';

/** What `cdk deploy` created, as far as the commands need it. */
export interface Deployment {
  stack: string;
  /** As CloudFormation has it, like `UPDATE_COMPLETE`. */
  status: string;
  /** Of the last deployment. */
  at: Date | null;
  outputs: Record<keyof typeof OUTPUTS, string | undefined>;
}

export const DEPLOY = 'Deploy with: npx cdk deploy --all';

/** @throws MonitorError `not-deployed`, and those of `asked` */
export async function findDeployment(stack: string): Promise<Deployment> {
  const found = await findStack(stack);
  return {
    stack,
    status: found.StackStatus ?? 'unknown',
    at: found.LastUpdatedTime ?? found.CreationTime ?? null,
    outputs: outputsOf(found, OUTPUTS),
  };
}

/**
 * Athena's side of the history: in a stack of its own beside the main one, or in the main one.
 * @param stack the main stack
 * @throws MonitorError `not-deployed` where there is neither, and those of `asked`
 */
export async function findHistory(
  stack: string,
): Promise<Record<keyof typeof HISTORY_OUTPUTS, string | undefined>> {
  const found = await findStack(historyStackOf(stack)).catch((error: unknown) => {
    if (error instanceof MonitorError && error.code === 'not-deployed') return findStack(stack);
    throw error;
  });
  return outputsOf(found, HISTORY_OUTPUTS);
}

async function findStack(stack: string): Promise<Stack> {
  const client = new CloudFormationClient(PATIENCE);
  const missing = () =>
    new MonitorError(
      'not-deployed',
      `There is no stack ${quote(stack)} in this account and region.`,
      `${DEPLOY}. If it is deployed, check AWS_PROFILE and AWS_REGION, or choose its stack with --stack.`,
    );
  const { Stacks } = await asked(
    'cloudformation:DescribeStacks',
    `the stack ${quote(stack)}`,
    client.send(new DescribeStacksCommand({ StackName: stack })),
    // "Stack with id … does not exist"
    { ValidationError: missing },
  );
  const found = Stacks?.[0];
  if (!found || found.StackStatus === 'DELETE_COMPLETE') throw missing();
  return found;
}

function outputsOf<Name extends string>(
  { Outputs }: Stack,
  keys: Record<Name, string>,
): Record<Name, string | undefined> {
  const values = new Map(Outputs?.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
  return Object.fromEntries(
    Object.entries<string>(keys).map(([name, key]) => [name, values.get(key)]),
  ) as Record<Name, string | undefined>;
}

/**
 * The secret of the tenants without one of their own: that of the chosen deployment, as CloudFormation has it; otherwise
 * that of the deployment with the default name, which need not be looked up.
 * @returns name or ARN. @throws MonitorError those of `findDeployment` and `outputOf`
 */
export async function defaultSecretOf(stack: string | undefined): Promise<string> {
  return stack === undefined
    ? DEFAULT_CERTIFICATE_SECRET
    : outputOf(await findDeployment(stack), 'certificateSecret');
}

/** @throws MonitorError `deployment-without-output` */
export function outputOf({ stack, outputs }: Deployment, name: keyof typeof OUTPUTS): string {
  const value = outputs[name];
  if (value) return value;
  throw new MonitorError(
    'deployment-without-output',
    `The stack ${quote(stack)} has no output ${quote(OUTPUTS[name])}.`,
    `It is not the main stack, or was deployed by another version. ${DEPLOY}, or choose the main stack with --stack.`,
  );
}
